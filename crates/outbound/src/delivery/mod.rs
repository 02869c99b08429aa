//! stand-in
mod inbox;
pub use inbox::InboxDelivery;
