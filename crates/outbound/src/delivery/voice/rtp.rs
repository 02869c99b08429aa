//! RTP (RFC 3550) with G.711 (RFC 3551), and key presses (RFC 4733).

use service::speech::{SILENCE, alaw_of_mulaw};

use super::sdp::{Codec, PCMA, PCMU};

/// Samples in a packet: 20 ms at 8 kHz.
pub(super) const PACKET_SAMPLES: usize = 160;

/// Bytes of a packet.
pub(super) const PACKET_BYTES: usize = HEADER_BYTES + PACKET_SAMPLES;

const HEADER_BYTES: usize = 12;
const VERSION: u8 = 2;

/// Writes the packets of one stream.
pub(super) struct Packets {
    sequence: u16,
    timestamp: u32,
    source: u32,
    codec: Codec,
    /// The first packet of a stretch of speech is marked.
    marked: bool,
}

impl Packets {
    /// A stream whose numbers start at chance, so that nobody can guess them.
    pub(super) fn new(chance: [u8; 10], codec: Codec) -> Self {
        let word = |from: usize| u32::from_be_bytes([0, 1, 2, 3].map(|n| chance[from + n]));
        Self {
            sequence: u16::from_be_bytes([chance[0], chance[1]]),
            timestamp: word(2),
            source: word(6),
            codec,
            marked: true,
        }
    }

    /// The next packet, with up to [`PACKET_SAMPLES`] samples in µ-law; what is missing is silence.
    pub(super) fn next(&mut self, samples: &[u8]) -> [u8; PACKET_BYTES] {
        let mut packet = [SILENCE; PACKET_BYTES];
        let kind = match self.codec {
            Codec::Pcmu => PCMU,
            Codec::Pcma => PCMA,
        };
        packet[0] = VERSION << 6;
        packet[1] = kind | if self.marked { 0x80 } else { 0 };
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.source.to_be_bytes());
        for (place, sample) in packet[HEADER_BYTES..].iter_mut().zip(samples) {
            *place = *sample;
        }
        if self.codec == Codec::Pcma {
            for place in &mut packet[HEADER_BYTES..] {
                *place = alaw_of_mulaw(*place);
            }
        }
        self.marked = false;
        self.sequence = self.sequence.wrapping_add(1);
        // 160 fits in any integer.
        self.timestamp = self.timestamp.wrapping_add(160);
        packet
    }

    /// Speech starts anew.
    pub(super) fn mark(&mut self) {
        self.marked = true;
    }
}

/// Hears key presses in what the far side sends.
pub(super) struct Keys {
    payload: u8,
    /// Timestamp of the press that was reported: a press comes in many packets.
    reported: Option<u32>,
}

impl Keys {
    /// Listens for telephone events of this payload type.
    pub(super) fn new(payload: u8) -> Self {
        Self { payload, reported: None }
    }

    /// The key that was pressed anew, if this packet says so: 0 to 9, 10 for `*`, 11 for `#`.
    pub(super) fn hear(&mut self, packet: &[u8]) -> Option<u8> {
        let (first, second) = (*packet.first()?, *packet.get(1)?);
        if first >> 6 != VERSION || second & 0x7F != self.payload {
            return None;
        }
        let timestamp = u32::from_be_bytes(packet.get(4..8)?.try_into().ok()?);
        let sources = usize::from(first & 0x0F) * 4;
        let extension = if first & 0x10 == 0 {
            0
        } else {
            let at = HEADER_BYTES + sources + 2;
            let words = u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?);
            4 + usize::from(words) * 4
        };
        let event = packet.get(HEADER_BYTES + sources + extension..)?;
        let key = *event.get(..4)?.first()?;
        if self.reported == Some(timestamp) || key > 15 {
            return None;
        }
        self.reported = Some(timestamp);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(packet: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(packet[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn packets_count_on_and_only_the_first_is_marked() {
        let mut packets = Packets::new([0xFF; 10], Codec::Pcmu);
        let (first, second) = (packets.next(&[1; 160]), packets.next(&[2; 10]));
        assert_eq!((first[0], first[1], second[1]), (0x80, 0x80, 0x00));
        assert_eq!((&first[2..4], &second[2..4]), (&[0xFF, 0xFF][..], &[0, 0][..]), "wraps");
        assert_eq!(word(&second, 4).wrapping_sub(word(&first, 4)), 160);
        assert_eq!(word(&first, 8), word(&second, 8), "one source");
        assert_eq!(first[12..], [1; 160]);
        assert_eq!((&second[12..22], second[22], second[171]), (&[2; 10][..], SILENCE, SILENCE));
        packets.mark();
        assert_eq!(packets.next(&[])[1], 0x80);
    }

    #[test]
    fn the_other_law_is_made_on_the_way() {
        let packet = Packets::new([0; 10], Codec::Pcma).next(&[0x80]);
        assert_eq!((packet[1] & 0x7F, packet[12], packet[13]), (8, 0xAA, 0xD5));
    }

    fn press(timestamp: u32, key: u8) -> Vec<u8> {
        let mut packet = vec![0x80, 101, 0, 1];
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 9, key, 0x0A, 0, 160]);
        packet
    }

    #[test]
    fn a_press_is_heard_once() {
        let mut keys = Keys::new(101);
        assert_eq!(keys.hear(&press(7, 1)), Some(1));
        assert_eq!(keys.hear(&press(7, 1)), None, "the same press");
        assert_eq!(keys.hear(&press(8, 1)), Some(1), "the next press");
        let mut with_extension = press(9, 2);
        with_extension[0] |= 0x11;
        with_extension.splice(12..12, [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(keys.hear(&with_extension), Some(2));
    }

    #[test]
    fn noise_is_no_press() {
        let mut keys = Keys::new(101);
        let whole = press(7, 1);
        for length in 0..whole.len() {
            assert_eq!(keys.hear(&whole[..length]), None, "{length}");
        }
        let mut sound = whole.clone();
        sound[1] = 0;
        let mut lying = whole.clone();
        lying[0] = 0x9F;
        for packet in [sound, lying, press(7, 200), vec![0xFF; 2000], vec![0; 2000]] {
            assert_eq!(keys.hear(&packet), None);
        }
    }
}
