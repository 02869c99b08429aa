//! PDUs on a byte stream.
//!
//! Frames are cut here, by their length and header alone, and only then given to the codec. So a body
//! that makes no sense costs one PDU and not the link: its header still says what it answers.

use std::io;

use bytes::{Buf as _, BufMut as _, BytesMut};
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::Length as _;
use rusmpp::encode::owned::Encode as _;
use rusmpp::{Command, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Octets of a header.
const HEADER: usize = 16;

/// Longest PDU accepted: one with a message payload of 64 KiB never comes to a sender of codes.
const LENGTH_MAX: usize = 16 * 1024;

/// One PDU as it came in.
pub(super) struct Frame {
    /// Which operation; the top bit marks an answer.
    pub(super) id: u32,
    /// How it went, in answers.
    pub(super) status: u32,
    /// Ties an answer to its request.
    pub(super) sequence: u32,
    /// Its body; `None` if it has none, or none that makes sense.
    pub(super) pdu: Option<Pdu>,
    /// Whether there was a body that makes no sense.
    pub(super) garbled: bool,
}

/// Reads frames. Dropping a pending `next` loses nothing.
pub(super) struct FrameReader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(4096) }
    }

    /// The next frame; an error if the stream ends, fails, or has lost its frames.
    pub(super) async fn next(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = cut(&mut self.buffer)? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it closed the connection",
                ));
            }
        }
    }
}

fn cut(buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
    let Some(length) = buffer.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
    else {
        return Ok(None);
    };
    if !(HEADER..=LENGTH_MAX).contains(&length) {
        let what = format!("a PDU of {length} octets makes no sense");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    if buffer.len() < length {
        return Ok(None);
    }
    let mut bytes = buffer.split_to(length);
    bytes.advance(4);
    let mut header = &bytes[..HEADER - 4];
    let (id, status, sequence) = (header.get_u32(), header.get_u32(), header.get_u32());
    let has_body = length > HEADER;
    let decoded = Command::decode(&mut bytes, length - 4).ok();
    let pdu = decoded.and_then(|(command, _)| command.pdu().cloned());
    Ok(Some(Frame { id, status, sequence, garbled: has_body && pdu.is_none(), pdu }))
}

/// Appends a PDU to what is to be written.
pub(super) fn append(out: &mut BytesMut, status: u32, sequence: u32, pdu: Pdu) {
    let command = Command::new(status.into(), sequence, pdu);
    let length = command.length() + 4;
    out.reserve(length);
    out.put_u32(u32::try_from(length).expect("a PDU of ours has a few hundred octets"));
    command.encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_found_however_the_bytes_arrive() {
        let mut out = BytesMut::new();
        append(&mut out, 0, 7, Pdu::EnquireLink);
        append(&mut out, 0x58, 8, Pdu::GenericNack);
        let (mut far, near) = tokio::io::duplex(3);
        let writing = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut far, &out).await.expect("written");
        });
        let mut frames = FrameReader::new(near);
        let first = frames.next().await.expect("a frame");
        assert_eq!((first.id, first.status, first.sequence), (0x15, 0, 7));
        let second = frames.next().await.expect("a frame");
        assert_eq!((second.id, second.status, second.sequence), (0x8000_0000, 0x58, 8));
        writing.await.expect("no panic");
        let end = frames.next().await.map(|_| ()).expect_err("the end");
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_length_that_makes_no_sense_ends_the_stream_and_a_body_does_not() {
        for length in [0u32, 15, 16 * 1024 + 1, u32::MAX] {
            let mut bytes = BytesMut::from(&length.to_be_bytes()[..]);
            assert!(cut(&mut bytes).is_err(), "{length}");
        }
        // submit_sm_resp whose message id never ends
        let mut bytes = BytesMut::new();
        bytes.put_u32(19);
        bytes.put_slice(&[0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, b'a', b'b', b'c']);
        let frame = cut(&mut bytes).expect("a frame").expect("a whole one");
        assert!(frame.garbled && frame.pdu.is_none());
        assert_eq!((frame.id, frame.sequence), (0x8000_0004, 9));
        assert!(bytes.is_empty());
    }
}
