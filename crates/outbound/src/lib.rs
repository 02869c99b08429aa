//! stand-in
pub mod delivery;
