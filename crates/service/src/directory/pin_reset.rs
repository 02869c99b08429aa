//! A way back for who has lost the PIN.

use registration::{PhoneNumber, Timestamp, WabaId};

/// A link that switches two-step verification off, on its way by mail; see [`crate::pin_reset`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinReset {
    /// SHA-256 of the link's token, as 64 hexadecimal digits. The token itself is nowhere but in the mail.
    pub id: String,
    /// Whose PIN.
    pub number: PhoneNumber,
    /// Who holds the registration and got the mail.
    pub waba: WabaId,
    /// When the PIN that it is for was set: a later one is not touched.
    pub pin_set_at: Timestamp,
    /// From then on it is worthless.
    pub expires_at: Timestamp,
}
