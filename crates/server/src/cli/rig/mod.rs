//! What the commands that drive a server of their own share: a data folder full of clients, the server as
//! a child process, connections to it, and the codes that it sends.

pub(super) mod codes;
pub(super) mod connection;
pub(super) mod data;
pub(super) mod server_process;

/// A certificate that a sandbox accepts as a claim for any number.
pub(super) fn foreign_certificate() -> String {
    use base64::Engine as _;
    let name = b"Lucky Shrub";
    let details = [&[0x08, 0x01, 0x22, u8::try_from(name.len()).unwrap_or(0)][..], name].concat();
    let details_len = u8::try_from(details.len()).unwrap_or(0);
    let inner = [&[0x0a, details_len][..], &details].concat();
    let inner_len = u8::try_from(inner.len()).unwrap_or(0);
    let outer = [&[0x0a, inner_len][..], &inner].concat();
    base64::engine::general_purpose::STANDARD.encode(outer)
}
