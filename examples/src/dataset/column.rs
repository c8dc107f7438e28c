//! A column: its name and its inferred type.

use std::path::Path;

use rusqlite::types::Value;
use serde::Serialize;

use super::error::LoadError;

/// One column of a loaded table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadedColumn {
    /// Its name in `snake_case`.
    pub name: String,
    /// Its inferred type.
    pub kind: ColumnKind,
    /// The number of missing values.
    pub nulls: u64,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ColumnKind {
    /// All values are integers.
    Integer,
    /// All values are numbers.
    Real,
    /// Other values, or none.
    Text,
}

impl LoadedColumn {
    /// Widens the type for another value.
    pub(super) fn widen(&mut self, text: &str) {
        if is_missing(text) {
            self.nulls += 1;
        } else {
            self.kind = match self.kind {
                ColumnKind::Integer if integer(text).is_some() => ColumnKind::Integer,
                ColumnKind::Integer | ColumnKind::Real if real(text).is_some() => ColumnKind::Real,
                _ => ColumnKind::Text,
            };
        }
    }

    /// Its declaration in `CREATE TABLE`.
    pub(super) fn declared(&self) -> String {
        let kind = match self.kind {
            ColumnKind::Integer => "INTEGER",
            ColumnKind::Real => "REAL",
            ColumnKind::Text => "TEXT",
        };
        format!("\"{}\" {kind}", self.name)
    }

    /// Converts a value of this column for the database.
    pub(super) fn value(&self, text: &str, line: u64, file: &Path) -> Result<Value, LoadError> {
        if is_missing(text) {
            return Ok(Value::Null);
        }
        let (value, expected) = match self.kind {
            ColumnKind::Integer => (integer(text).map(Value::Integer), "an integer"),
            ColumnKind::Real => (real(text).map(Value::Real), "a number"),
            ColumnKind::Text => (Some(Value::Text(text.to_owned())), "text"),
        };
        value.ok_or_else(|| LoadError::Value {
            file: file.to_owned(),
            line,
            column: self.name.clone(),
            value: text.to_owned(),
            expected,
        })
    }
}

fn is_missing(text: &str) -> bool {
    text.is_empty() || text == "NA"
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| is_plain(text))
}

fn real(text: &str) -> Option<f64> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|n| n.is_finite() && is_plain(text))
}

/// Whether a number keeps its notation when it is stored, except for trailing zeros.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut digits = digits.bytes();
    match digits.next() {
        Some(b'0') => !digits.next().is_some_and(|next| next.is_ascii_digit()),
        first => first.is_some_and(|first| first.is_ascii_digit()),
    }
}

/// Converts `Culmen Length (mm)` to `culmen_length_mm` and `studyName` to `study_name`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut previous_is_small = false;
    for c in name.chars() {
        let is_start = !c.is_alphanumeric() || (c.is_uppercase() && previous_is_small);
        if is_start && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if c.is_alphanumeric() {
            snake.extend(c.to_lowercase());
        }
        previous_is_small = c.is_lowercase() || c.is_numeric();
    }
    snake.trim_end_matches('_').to_owned()
}
