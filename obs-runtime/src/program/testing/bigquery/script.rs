//! What queries answer, and what was asked.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

/// What a query answers. Each further call changes the answer that was scripted last, at once.
#[derive(Clone, Copy, Debug)]
pub struct QueryScript<'s> {
    pub(super) scripts: &'s Mutex<Vec<Script>>,
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

/// The answers to queries with a certain text, in their order. The last one stays.
#[derive(Debug)]
pub(super) struct Script {
    pub part: String,
    answers: Vec<Answer>,
    /// How many were given.
    given: usize,
}

/// The answer to a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    estimated: u64,
    billed: u64,
    cache_hit: bool,
    rows: Vec<Map<String, Value>>,
    /// Why the job fails: a reason and a message.
    pub failure: Option<(String, String)>,
    /// Why the request is refused: a status of HTTP, a reason and a message.
    pub refusal: Option<(u16, String, String)>,
    /// Whether the job runs until it is cancelled.
    pub never_ends: bool,
}

impl Script {
    pub fn new(part: &str) -> Self {
        Self { part: part.to_owned(), answers: vec![Answer::default()], given: 0 }
    }

    /// The next answer.
    pub fn next(&self) -> Answer {
        self.answers.get(self.given).or(self.answers.last()).cloned().unwrap_or_default()
    }

    /// Notes that it was given.
    pub fn give(&mut self) {
        self.given = self.given.saturating_add(1);
    }

    /// How many answers were not given.
    pub fn unused(&self) -> usize {
        self.answers.len().saturating_sub(self.given)
    }
}

#[expect(clippy::return_self_not_must_use, reason = "each call takes effect at once")]
impl QueryScript<'_> {
    fn with(self, change: impl FnOnce(&mut Vec<Answer>)) -> Self {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(script) = scripts.get_mut(self.index) {
            change(&mut script.answers);
        }
        drop(scripts);
        self
    }

    fn change(self, change: impl FnOnce(&mut Answer)) -> Self {
        self.with(|answers| {
            if let Some(answer) = answers.last_mut() {
                change(answer);
            }
        })
    }

    /// Scripts another answer, for the query that comes next: what follows is of that one. The last answer is given again and again.
    ///
    /// A dry run says the bytes of the answer that comes next, and does not use it.
    pub fn then(self) -> Self {
        self.with(|answers| answers.push(Answer::default()))
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

    /// The request is refused by a status of HTTP, that of the dry run too: 403 with `accessDenied`, 404 with `notFound`, 503 with
    /// `backendError`. The client repeats what is transient, as in production, and [`then`](Self::then) scripts what it gets.
    pub fn refuses(self, status: u16, reason: &str, message: &str) -> Self {
        self.change(|answer| answer.refusal = Some((status, reason.to_owned(), message.to_owned())))
    }

    /// The job runs until it is cancelled: by its timeout, or because its future is dropped. Then nothing is billed, unless
    /// [`bytes_billed`](Self::bytes_billed) follows.
    pub fn never_ends(self) -> Self {
        self.change(|answer| (answer.never_ends, answer.billed) = (true, 0))
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
        let is_billed = ran && (self.failure.is_none() || self.never_ends);
        let billed = if is_billed { self.billed } else { 0 };
        let query = json!({
            "totalBytesProcessed": bytes.to_string(), "totalBytesBilled": billed.to_string(), "cacheHit": ran && self.cache_hit,
            "statementType": "SELECT", "totalSlotMs": "0", "referencedTables": [],
        });
        json!({"query": query, "totalBytesProcessed": bytes.to_string(), "creationTime": "1700000000000",
            "startTime": "1700000000000", "endTime": "1700000000001"})
    }
}
