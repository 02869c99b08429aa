//! The settings: embedded defaults, then a file, then the environment, then the command line.
//!
//! Every setting stands in `config.default.toml` with its meaning, unit and reason; [`sections`] gives
//! each its type and range, [`load`] puts the layers together and reports every mistake at once.
//! Nothing else in the program reads a file or a variable to find out how to behave, and no other crate
//! sees these types: wiring turns them into the small option structs that the crates ask for.

mod defaults;
pub mod docs;
pub(crate) mod duration;
mod layers;
mod load;
pub mod money;
pub mod open;
mod problem;
pub mod reader;
pub mod routes;
mod rules;
pub mod secret;
pub mod sections;
pub mod senders;
mod suggestion;
mod texts;
mod values;

pub use defaults::DEFAULTS;
pub use layers::{Environment, Flag, Setting};
pub use load::{Loaded, load, load_read};
pub use problem::{Origin, Problem, Problems};
pub use sections::{Config, Mode};
pub(crate) use suggestion::closest;
pub use values::HostPort;
