//! What the tests of obs share: real servers on loopback, programs as processes, and one way to wait.
//!
//! Everything here panics when it does not work, because a test fails by it.

pub mod agent;
pub mod corpus;
pub mod dogstatsd;
pub mod faults;
pub mod generator;
pub mod hostile;
pub mod http;
pub mod json_schema;
pub mod leaks;
pub mod ports;
pub mod process;
pub mod programs;
pub mod prometheus_client;
pub mod promtool;
pub mod relay;
pub mod rewriting;
pub mod servers;
pub mod strangers;
pub mod tools;
pub mod wait;

/// Every Rust block of the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
