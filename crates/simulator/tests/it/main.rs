//! The simulation holds, repeats, meets every kind of trouble, and would notice a broken world.

mod broken;
mod whole;
