//! `DogStatsD`, as Datadog documents it: an agent that rejects everything outside the grammar and the rules for names and tags.

mod agent;
mod message;
mod parse;

pub use agent::Agent;
pub use message::{Event, Message, Metric, ServiceCheck, Tags};
pub use parse::parse;
