//! What queries answer, and what was asked.

use std::sync::MutexGuard;

use serde_json::{Map, Value, json};

/// What a query answers. Further calls change the same answer.
#[derive(Debug)]
pub struct QueryScript<'s> {
    pub(super) answers: MutexGuard<'s, Vec<Answer>>,
    pub(super) index: usize,
}

/// A query that was run, or priced by a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryRun {
    /// The text of the query.
    pub sql: String,
    /// The labels of the job: names and values.
    pub labels: Vec<(String, String)>,
    /// `maximumBytesBilled` of the job, if it has one.
    pub maximum_bytes_billed: Option<u64>,
}

/// The answer to queries with a certain text.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub part: String,
    pub estimated: u64,
    pub billed: u64,
    pub cache_hit: bool,
    pub rows: Vec<Map<String, Value>>,
    pub failure: Option<(String, String)>,
}

#[expect(clippy::return_self_not_must_use, reason = "each call takes effect at once")]
impl QueryScript<'_> {
    fn change(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        let index = self.index;
        if let Some(answer) = self.answers.get_mut(index) {
            change(answer);
        }
        self
    }

    /// The bytes that a dry run says and that are billed. On demand, a TiB costs `BIGQUERY_USD_PER_TIB`: 6.25 US dollars by default.
    pub fn bytes(self, bytes: u64) -> Self {
        self.change(|answer| (answer.estimated, answer.billed) = (bytes, bytes))
    }

    /// The bytes that are billed, if other than what the dry run says.
    pub fn bytes_billed(self, bytes: u64) -> Self {
        self.change(|answer| answer.billed = bytes)
    }

    /// Answers from the cache: nothing is billed.
    pub fn cache_hit(self) -> Self {
        self.change(|answer| (answer.cache_hit, answer.billed) = (true, 0))
    }

    /// The rows, each a struct or a map whose fields are the columns. Other values are rows of one column, `value`.
    pub fn rows<T: serde::Serialize>(self, rows: impl IntoIterator<Item = T>) -> Self {
        let row = |row: T| match serde_json::to_value(row).unwrap_or(Value::Null) {
            Value::Object(columns) => columns,
            value => Map::from_iter([("value".to_owned(), value)]),
        };
        let rows = rows.into_iter().map(row).collect();
        self.change(|answer| answer.rows = rows)
    }

    /// The job fails, with a reason of BigQuery's such as `invalidQuery`, `accessDenied`, `notFound` or `rateLimitExceeded`.
    pub fn fails(self, reason: &str, message: &str) -> Self {
        self.change(|answer| answer.failure = Some((reason.to_owned(), message.to_owned())))
    }
}

impl Answer {
    /// `schema` and `rows` of `jobs.getQueryResults`.
    pub fn result(&self) -> (Value, Vec<Value>) {
        let columns: Vec<(&String, &Value)> = self.rows.first().into_iter().flatten().collect();
        let schema = columns.iter().map(|(name, value)| {
            let kind = match value {
                Value::Bool(_) => "BOOLEAN",
                Value::Number(number) if number.is_f64() => "FLOAT",
                Value::Number(_) => "INTEGER",
                _ => "STRING",
            };
            json!({"name": name, "type": kind, "mode": "NULLABLE"})
        });
        let cell = |value: Option<&Value>| match value {
            None | Some(Value::Null) => json!({"v": null}),
            Some(Value::String(text)) => json!({"v": text}),
            Some(other) => json!({"v": other.to_string()}),
        };
        let row = |row: &Map<String, Value>| {
            let cells: Vec<Value> = columns.iter().map(|(name, _)| cell(row.get(*name))).collect();
            json!({"f": cells})
        };
        (json!({"fields": schema.collect::<Vec<_>>()}), self.rows.iter().map(row).collect())
    }

    /// `statistics` of a job.
    pub fn statistics(&self, ran: bool) -> Value {
        let bytes = if ran { self.billed } else { self.estimated };
        let billed = if ran && self.failure.is_none() { self.billed } else { 0 };
        let query = json!({
            "totalBytesProcessed": bytes.to_string(), "totalBytesBilled": billed.to_string(), "cacheHit": ran && self.cache_hit,
            "statementType": "SELECT", "totalSlotMs": "0", "referencedTables": [],
        });
        json!({"query": query, "totalBytesProcessed": bytes.to_string(), "creationTime": "1700000000000",
            "startTime": "1700000000000", "endTime": "1700000000001"})
    }
}
