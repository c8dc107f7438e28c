//! Ready-made checks of a table.

use std::fmt;

use crate::checks::quality::measure::Measured;
use crate::checks::tables::error::TableError;
use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::subject::{Condition, Subject};
use crate::checks::tables::table::{Row, Table};

/// How many values are shown of those that are not as they should be.
const SAMPLE: usize = 10;

/// A check of a table, about to be made: what it counts is for the attribute's bounds to judge.
///
/// What is given to [`Self::only`] aside, no name and no value that it is told becomes part of its statement unquoted.
#[derive(Clone)]
#[must_use = "a table is asked by `measure`"]
pub struct TableCheck<'t, T> {
    pub(super) table: &'t T,
    subject: Subject,
    conditions: Vec<Condition>,
    sampled: bool,
}

impl<T: Table> fmt::Debug for TableCheck<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TableCheck").field("table", &self.table.name()).field("subject", &self.subject).finish()
    }
}

/// How many rows there are.
pub fn row_count<T: Table>(table: &T) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Rows)
}

/// Seconds since the latest time in a column: a `TIMESTAMP`, `DATETIME` or `DATE`, in UTC; in `SQLite` a text as
/// `2026-11-26 07:05:00`, or a number of seconds since 1970. Negative when it is in the future. Where there is no value,
/// the check is errored.
pub fn freshness<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Age { column: column.into() })
}

/// Which share of rows has `NULL` in a column.
pub fn null_ratio<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Nulls { column: column.into() })
}

/// Which share of rows repeats an earlier one in these columns together. Rows with a `NULL` in one of them are not looked at.
pub fn uniqueness<T: Table, C: Into<String>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Repeated { columns: columns.into_iter().map(Into::into).collect() })
}

/// Which share of values is none of these. `NULL` is not looked at.
pub fn accepted_values<T: Table, V: Into<TableValue>>(
    table: &T,
    column: impl Into<String>,
    accepted: impl IntoIterator<Item = V>,
) -> TableCheck<'_, T> {
    let accepted = accepted.into_iter().map(Into::into).collect();
    TableCheck::new(table, Subject::NotOf { column: column.into(), accepted })
}

/// Which share of values is below the least or above the most, where these are said. `NULL` is not looked at.
pub fn range<T: Table, V: Into<TableValue>>(
    table: &T,
    column: impl Into<String>,
    least: impl Into<Option<V>>,
    most: impl Into<Option<V>>,
) -> TableCheck<'_, T> {
    let (least, most) = (least.into().map(Into::into), most.into().map(Into::into));
    TableCheck::new(table, Subject::Outside { column: column.into(), least, most })
}

/// Which share of values is not among those of a column of another table. `NULL` is not looked at.
pub fn referential_integrity<'t, T: Table>(
    table: &'t T,
    column: impl Into<String>,
    other: &T,
    key: impl Into<String>,
) -> TableCheck<'t, T> {
    let other = other.sql_name();
    TableCheck::new(table, Subject::Orphans { column: column.into(), other, key: key.into() })
}

impl<'t, T: Table> TableCheck<'t, T> {
    const fn new(table: &'t T, subject: Subject) -> Self {
        Self { table, subject, conditions: Vec::new(), sampled: false }
    }

    /// Looks only at rows that meet this condition, in SQL of your own, with a `?` for each value: of a partitioned table, the
    /// partition. It becomes part of the statement as it is.
    pub fn only(mut self, sql: impl Into<String>, values: impl IntoIterator<Item: Into<TableValue>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.conditions.push(Condition { sql: sql.into(), values });
        self
    }

    /// Has ten of the values told that are not as they should be, by a second statement, when there are such. They are
    /// redacted before they leave. Counts of rows, of `NULL` and ages have none.
    pub const fn sampled(mut self) -> Self {
        self.sampled = true;
        self
    }

    /// What the table will be asked: one row of two numbers.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.subject.measure(self.table, &self.conditions)
    }

    /// What it is asked for a sample, when there are values to show; none when there never are.
    #[must_use]
    pub fn sample_statement(&self) -> Option<Statement> {
        self.subject.sample(self.table, &self.conditions, SAMPLE)
    }

    /// Asks the table.
    ///
    /// # Errors
    /// When it does not answer, or not what was asked for.
    pub async fn measure(&self) -> Result<Measured, TableError> {
        let rows = self.table.ask(self.statement()).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let [found, of] = row else { return Err(self.unread(format!("{} columns", row.len()))) };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count; databases may sum in floats"
        )]
        let of = self.number(of.as_deref())?.unwrap_or(0.0) as u64;
        let found = self.number(found.as_deref())?;
        let measured = match &self.subject {
            Subject::Rows => Measured::number(found.unwrap_or(0.0)),
            Subject::Age { column } => {
                let (table, column) = (self.table.name().to_owned(), column.clone());
                Measured::number(match found {
                    Some(age) => age,
                    None if of == 0 => return Err(TableError::Nothing { table, column }),
                    None => return Err(TableError::NoTime { table, column }),
                })
            }
            _ => Measured { value: found.unwrap_or(0.0), of: Some(of), sample: Vec::new() },
        };
        match self.sample_statement().filter(|_| self.sampled && measured.value > 0.0) {
            None => Ok(measured),
            Some(statement) => Ok(measured.with_sample(self.table.ask(statement).await?.iter().map(shown))),
        }
    }

    fn number(&self, text: Option<&str>) -> Result<Option<f64>, TableError> {
        let number = text.map(|text| text.parse().map_err(|_| self.unread("it is no number".to_owned())));
        number.transpose()
    }

    fn unread(&self, why: String) -> TableError {
        TableError::Answer { table: self.table.name().to_owned(), why }
    }
}

fn shown(row: &Row) -> String {
    row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", ")
}
