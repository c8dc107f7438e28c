//! Checks: health, data quality, ready-made checks of tables, and the runner that isolates them.

pub(crate) mod health;
pub(crate) mod quality;
pub(crate) mod runner;
pub mod tables;
