//! Time: the system clock, and the sandbox clock that can be turned.

mod sandbox;
mod system;

pub use sandbox::SandboxClock;
pub use system::SystemClock;
