//! What a call says, to listen to.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use registration::CodeMethod;
use service::ports::SendId;
use service::speech::{self, SAMPLE_RATE};

use super::find;
use crate::sandbox::body::Problem;
use crate::state::App;

/// `GET /inbox/{id}/audio`: the call as a WAV file, 16-bit PCM at 8 kHz, which every player knows. It is
/// the sound that the voice sender puts on the line.
pub(in crate::sandbox) async fn play(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, message) = find(&app.service, &id).await?;
    if message.method != CodeMethod::Voice {
        return Err(Problem::not_found("This message is a text; only voice messages have audio"));
    }
    let recording = speech::recording(&message.locale, &message.code);
    let headers = [(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, wav(&recording.samples)).into_response())
}

/// The link to the audio of a message; `None` for texts.
pub(super) fn link(id: SendId, method: CodeMethod) -> Option<String> {
    (method == CodeMethod::Voice).then(|| format!("/sandbox/v1/inbox/{id}/audio"))
}

/// A RIFF WAVE file of µ-law samples, made linear.
fn wav(mulaw: &[u8]) -> Vec<u8> {
    const HEADER_BYTES: u32 = 36;
    const PCM: u16 = 1;
    const CHANNELS: u16 = 1;
    const SAMPLE_BYTES: u16 = 2;
    // A recording lasts less than a minute, and the rate is 8,000: both fit.
    let data_bytes = u32::try_from(mulaw.len()).unwrap_or(0) * u32::from(SAMPLE_BYTES);
    let rate = u32::try_from(SAMPLE_RATE).unwrap_or(0);
    let mut file = Vec::with_capacity(mulaw.len() * 2 + 44);
    file.extend(b"RIFF");
    file.extend((HEADER_BYTES + data_bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(PCM.to_le_bytes());
    file.extend(CHANNELS.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(SAMPLE_BYTES)).to_le_bytes());
    file.extend(SAMPLE_BYTES.to_le_bytes());
    file.extend((SAMPLE_BYTES * 8).to_le_bytes());
    file.extend(b"data");
    file.extend(data_bytes.to_le_bytes());
    file.extend(mulaw.iter().flat_map(|byte| speech::linear_of_mulaw(*byte).to_le_bytes()));
    file
}
