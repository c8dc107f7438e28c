//! A server with the part of BigQuery's API that the tracked client uses, for tests: it answers as the test says.

mod script;
mod server;
mod wire;

pub use script::{QueryRun, QueryScript};
pub use server::{ScriptedBigQuery, bigquery};
