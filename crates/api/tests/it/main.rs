//! The wire as a caller sees it: whole requests through the router, over a store in memory and a clock
//! that is turned by hand. One binary, a module per dialect.

mod documents;
mod harness;
mod nowhere;
mod onprem;
mod rejected;
