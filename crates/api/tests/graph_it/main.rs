//! The Graph dialect, from request to answer.

mod documents;
mod harness;
mod hostile;
mod life;
mod lists;
mod table;
mod tenants;
mod throttle;
