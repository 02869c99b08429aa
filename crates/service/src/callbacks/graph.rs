//! What Graph endpoints are told.

use super::notice::Notice;
use crate::directory::Webhook;

/// The body of a post about this notice; `None` where the dialect has no word for it.
///
/// The Graph dialect has no callbacks yet.
pub(super) const fn body(_webhook: &Webhook, _notice: &Notice) -> Option<String> {
    None
}
