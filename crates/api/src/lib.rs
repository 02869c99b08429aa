//! The wire: three dialects, the sandbox's tools, the operator's API, and the pages around them.
//!
//! A dialect parses, calls one use case, and renders. It holds no rule, limit, clock or SQL. Every route is
//! on one screen in [`mod@router`]; every refusal is worded in [`refusals`].

pub mod admin;
mod bare_page;
mod bushy;
pub mod cams;
pub mod console;
pub mod explain;
pub mod graph;
pub mod metrics;
pub mod middleware;
pub mod onprem;
pub mod operations;
pub mod pem;
pub mod pin_reset;
pub mod refusals;
pub mod rejected;
pub mod router;
pub mod sandbox;
pub mod state;
pub mod upstream_news;

pub use router::router;
pub use state::{App, AppInner, Settings};
