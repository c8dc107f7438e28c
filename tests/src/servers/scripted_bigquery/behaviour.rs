//! What queries do, and what is answered in place of what would be.

use std::collections::VecDeque;

use serde_json::{Value, json};

const MIB: u64 = 1 << 20;

/// What is answered in place of what would be.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status and body; nothing is carried out.
    Answer(u16, Value),
    /// It is carried out, but the connection breaks before the answer.
    Lose,
    /// Nothing is carried out, and the connection breaks.
    Break,
    /// What is no JSON.
    Html(u16),
}

impl Reply {
    /// An error as Google writes it.
    #[must_use]
    pub fn error(status: u16, reason: &str, message: &str) -> Self {
        Self::Answer(status, error(status, reason, message))
    }
}

/// What a query does, unless it is scripted otherwise.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Bytes that a dry run tells.
    pub estimated_bytes: u64,
    /// Bytes that are billed.
    pub billed_bytes: u64,
    /// Tables that a query names, each `project.dataset.table`.
    pub tables: Vec<String>,
    /// How many polls a job takes; endless when there is none.
    pub polls: Option<u32>,
    /// How many rows it has, in one column of numbers.
    pub rows: u64,
    /// What else stands in `statistics.query`.
    pub more: Value,
    /// What else stands in `statistics`.
    pub statistics: Value,
    /// The reason and message for which jobs fail, one after the other.
    pub failures: VecDeque<(String, String)>,
    /// What is known of each table.
    pub table: Value,
    /// Which tokens are taken; any when there is none.
    pub token: Option<String>,
    /// Where the tables are.
    pub location: String,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            estimated_bytes: 20 * MIB,
            billed_bytes: 20 * MIB,
            tables: vec!["p.d.t".to_owned()],
            polls: Some(1),
            rows: 3,
            more: json!({}),
            statistics: json!({}),
            failures: VecDeque::new(),
            table: json!({}),
            token: None,
            location: "US".to_owned(),
        }
    }
}

/// A body of an error, as <https://cloud.google.com/bigquery/docs/error-messages> has it.
pub fn error(status: u16, reason: &str, message: &str) -> Value {
    let one = json!({"message": message, "domain": "global", "reason": reason});
    json!({"error": {"code": status, "message": message, "errors": [one], "status": "FAILED"}})
}
