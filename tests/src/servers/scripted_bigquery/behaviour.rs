//! What queries do, and scripted replies.

use std::collections::VecDeque;

use serde_json::{Value, json};

const MIB: u64 = 1 << 20;

/// A scripted reply, instead of the regular one.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status and body, without any effect.
    Answer(u16, Value),
    /// The request takes effect, but the connection closes before the reply.
    Lose,
    /// The connection closes, without any effect.
    Break,
    /// A page of HTML with this status, without any effect.
    Html(u16),
}

impl Reply {
    /// An error as Google writes it.
    #[must_use]
    pub fn error(status: u16, reason: &str, message: &str) -> Self {
        Self::Answer(status, error(status, reason, message))
    }
}

/// What queries do by default.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The bytes that a dry run reports.
    pub estimated_bytes: u64,
    /// Further fields of `statistics.query` of a dry run.
    pub dry_run: Value,
    /// The bytes that are billed.
    pub billed_bytes: u64,
    /// The tables that a query reads, each `project.dataset.table`.
    pub tables: Vec<String>,
    /// After how many polls a job ends; never when none.
    pub polls: Option<u32>,
    /// How many rows a result has, in one column of numbers.
    pub rows: u64,
    /// Further fields of `statistics.query`.
    pub more: Value,
    /// Further fields of `statistics`.
    pub statistics: Value,
    /// The reasons and messages with which the next jobs fail.
    pub failures: VecDeque<(String, String)>,
    /// Further fields of each table.
    pub table: Value,
    /// The only token that is accepted; any when none.
    pub token: Option<String>,
    /// The location of the tables.
    pub location: String,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            estimated_bytes: 20 * MIB,
            dry_run: json!({}),
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

/// The body of an error, as in <https://cloud.google.com/bigquery/docs/error-messages>.
pub fn error(status: u16, reason: &str, message: &str) -> Value {
    let one = json!({"message": message, "domain": "global", "reason": reason});
    json!({"error": {"code": status, "message": message, "errors": [one], "status": "FAILED"}})
}
