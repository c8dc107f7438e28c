//! Ready-made checks of a table.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::checks::quality::measure::Measured;
use crate::checks::tables::error::TableError;
use crate::checks::tables::plausible;
use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::subject::{Condition, Subject};
use crate::checks::tables::table::{Row, Table};

/// How many failing values a sample has.
const MAX_SAMPLE: usize = 10;

/// A check of a table that has not run. The bounds of the attribute judge what it measures.
///
/// Names are quoted and values are bound; only the SQL passed to [`Self::only`] becomes part of the statement as it is.
#[derive(Clone)]
#[must_use = "nothing is queried before `measure`"]
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

/// The number of rows.
pub fn row_count<T: Table>(table: &T) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Rows)
}

/// Seconds since the latest time in a column: a `TIMESTAMP`, `DATETIME` or `DATE`, in UTC; in `SQLite` a text like
/// `2026-11-26 07:05:00` or a number of seconds since 1970. Negative for a time in the future, up to a day. Without any
/// value the check is errored, as it is when the latest time lies further in the future, or in the year 1970: then it is more
/// likely a number of milliseconds, days or the like, and the error says which. Leave open ends such as `9999-12-31` out by
/// [`only`](TableCheck::only).
pub fn freshness<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Age { column: column.into() })
}

/// The ratio of rows with `NULL` in a column.
pub fn null_ratio<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Nulls { column: column.into() })
}

/// The ratio of rows that repeat another row in these columns. Rows with `NULL` in one of them are ignored.
pub fn uniqueness<T: Table, C: Into<String>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Repeated { columns: columns.into_iter().map(Into::into).collect() })
}

/// The ratio of values that are not in this list. `NULL` is ignored.
pub fn accepted_values<T: Table, V: Into<TableValue>>(
    table: &T,
    column: impl Into<String>,
    accepted: impl IntoIterator<Item = V>,
) -> TableCheck<'_, T> {
    let accepted = accepted.into_iter().map(Into::into).collect();
    TableCheck::new(table, Subject::NotOf { column: column.into(), accepted })
}

/// The ratio of values outside a range of numbers, or of any [`TableValue`]. `NULL` is ignored.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, range};
///
/// fn negative_amounts<T: Table>(orders: &T) -> TableCheck<'_, T> {
///     range(orders, "amount", 0.0..)
/// }
/// ```
pub fn range<T: Table, V: Into<TableValue> + Clone>(
    table: &T,
    column: impl Into<String>,
    range: impl RangeBounds<V>,
) -> TableCheck<'_, T> {
    let bound = |bound: Bound<&V>| bound.cloned().map(Into::into);
    let range = (bound(range.start_bound()), bound(range.end_bound()));
    TableCheck::new(table, Subject::Outside { column: column.into(), range })
}

/// The ratio of values that are missing in a column of another table. `NULL` is ignored.
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

    /// Restricts the check to rows that meet this SQL condition, for example to one partition. It has a `?` for each value
    /// and becomes part of the statement as it is.
    pub fn only(mut self, sql: impl Into<String>, values: impl IntoIterator<Item: Into<TableValue>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.conditions.push(Condition { sql: sql.into(), values });
        self
    }

    /// Adds up to ten failing values to the result, by a second query that runs only if there are any. They are redacted.
    /// [`row_count`], [`null_ratio`] and [`freshness`] have none.
    pub const fn sampled(mut self) -> Self {
        self.sampled = true;
        self
    }

    /// The query of the check. It returns one row of two numbers.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.subject.measure(self.table, &self.conditions)
    }

    /// The query for failing values; none if the check has none.
    #[must_use]
    pub fn sample_statement(&self) -> Option<Statement> {
        self.subject.sample(self.table, &self.conditions, MAX_SAMPLE)
    }

    /// Runs the query.
    ///
    /// # Errors
    /// If the query fails, or its result is not what was expected.
    pub async fn measure(&self) -> Result<Measured, TableError> {
        let rows = self.table.ask(self.statement()).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let [found, of] = row else { return Err(self.unexpected(format!("{} columns", row.len()))) };
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
                    Some(age) => self.plausible(age, &column)?,
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
        let number = text.map(|text| {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| self.unexpected(format!("`{text}` is not a number")))
        });
        number.transpose()
    }

    /// The age if the time that it is counted from is likely one.
    fn plausible(&self, age: f64, column: &str) -> Result<f64, TableError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let latest = now - age;
        let Some(why) = plausible::objection(latest, now) else { return Ok(age) };
        let (table, column) = (self.table.name().to_owned(), column.to_owned());
        let latest = plausible::time(latest).unwrap_or_else(|| format!("{latest:.0}"));
        Err(TableError::Implausible { table, column, latest, why })
    }

    fn unexpected(&self, why: String) -> TableError {
        TableError::Answer { table: self.table.name().to_owned(), why }
    }
}

fn shown(row: &Row) -> String {
    row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", ")
}
