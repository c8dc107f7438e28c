//! Ready-made checks of a table.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::panic::Location;
use std::time::UNIX_EPOCH;

use crate::base::clock;
use crate::checks::quality::current_bounds;
use crate::checks::quality::measure::Measured;
use crate::checks::tables::error::TableError;
use crate::checks::tables::plausible;
use crate::checks::tables::statement::{Statement, TableValue, Values};
use crate::checks::tables::subject::{Condition, OtherTable, Reading, Subject};
use crate::checks::tables::table::{Row, Table};
use crate::pipeline::global;

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
    reading: Reading,
    sampled: bool,
}

impl<T: Table> fmt::Debug for TableCheck<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TableCheck").field("table", &self.table.name()).field("subject", &self.subject).finish()
    }
}

/// The number of rows.
#[track_caller]
pub fn row_count<T: Table>(table: &T) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Rows)
}

/// Seconds since the latest time in a column: a `TIMESTAMP`, `DATETIME` or `DATE`, in UTC; in `SQLite` a text like
/// `2026-11-26 07:05:00` or a number of seconds since 1970. Negative for a time in the future, up to a day. Without any
/// value the check is errored, as it is when the latest time lies further in the future, or in the year 1970: then it is more
/// likely a number of milliseconds, days or the like, and the error says which. Leave open ends such as `9999-12-31` out by
/// [`only`](TableCheck::only).
#[track_caller]
pub fn freshness<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Age { column: column.into() })
}

/// The ratio of rows with `NULL` in a column.
#[track_caller]
pub fn null_ratio<T: Table>(table: &T, column: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Nulls { column: column.into() })
}

/// The ratio of rows that repeat another row in these columns. Rows with `NULL` in one of them are ignored.
#[track_caller]
pub fn uniqueness<T: Table, C: Into<String>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Repeated { columns: columns.into_iter().map(Into::into).collect() })
}

/// The ratio of values that are not in this list. `NULL` is ignored. Values of another type than those of the list are an error.
#[track_caller]
pub fn accepted_values<T: Table>(table: &T, column: impl Into<String>, accepted: impl Values) -> TableCheck<'_, T> {
    let accepted = accepted.into_values();
    TableCheck::new(table, Subject::NotOf { column: column.into(), accepted })
}

/// The ratio of values outside a range of numbers, or of any [`TableValue`]. `NULL` is ignored. Text that is compared with numbers,
/// as a CSV file leaves it, is an error; [`as_number`](TableCheck::as_number) reads it as numbers.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, range};
///
/// fn negative_amounts<T: Table>(orders: &T) -> TableCheck<'_, T> {
///     range(orders, "amount", 0.0..)
/// }
/// ```
#[track_caller]
pub fn range<T: Table, V: Into<TableValue> + Clone>(
    table: &T,
    column: impl Into<String>,
    range: impl RangeBounds<V>,
) -> TableCheck<'_, T> {
    let bound = |bound: Bound<&V>| bound.cloned().map(Into::into);
    let range = (bound(range.start_bound()), bound(range.end_bound()));
    TableCheck::new(table, Subject::Outside { column: column.into(), range })
}

/// The ratio of values that are missing in a column of another table, which must be in the same database. `NULL` is ignored.
#[track_caller]
pub fn referential_integrity<'t, T: Table>(
    table: &'t T,
    column: impl Into<String>,
    other: &T,
    key: impl Into<String>,
) -> TableCheck<'t, T> {
    let other = OtherTable {
        name: other.name().to_owned(),
        sql: other.sql_name(),
        key: key.into(),
        unreadable: table.cannot_read(other),
    };
    TableCheck::new(table, Subject::Orphans { column: column.into(), other })
}

impl<'t, T: Table> TableCheck<'t, T> {
    #[track_caller]
    const fn new(table: &'t T, subject: Subject) -> Self {
        let reading = Reading { place: Location::caller(), conditions: Vec::new(), as_number: false, keys: Vec::new() };
        Self { table, subject, reading, sampled: false }
    }

    /// Restricts the check to rows that meet this SQL condition, for example to one partition. It has a `?` for each value,
    /// and becomes part of the statement as it is. The values are an array, or a tuple if their types differ; `[]` is none.
    pub fn only(mut self, sql: impl Into<String>, values: impl Values) -> Self {
        self.reading.conditions.push(Condition { sql: sql.into(), values: values.into_values() });
        self
    }

    /// Compares the values of [`range`] and [`accepted_values`] as numbers, also if they are text. What is no number fails.
    pub const fn as_number(mut self) -> Self {
        self.reading.as_number = true;
        self
    }

    /// Adds the keys of up to ten failing rows to the result: the values of these columns, which identify a row. They stand
    /// in [`Measured::keys`], and before the values of the sample: `id=3, state=lost`. Otherwise as [`sampled`](Self::sampled).
    pub fn keys<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.reading.keys.extend(columns.into_iter().map(Into::into));
        self.sampled = true;
        self
    }

    /// Adds up to ten failing values to the result, by a second query. That runs only if the check does not pass; where the
    /// bounds are not known, outside of a check, if there are any. Each value is redacted as a whole, by its form and by the name
    /// of its column. [`row_count`] and [`freshness`] have none, [`null_ratio`] has the [`keys`](Self::keys) alone.
    pub const fn sampled(mut self) -> Self {
        self.sampled = true;
        self
    }

    /// The query of the check. It returns one row of numbers: what is measured, the total and, where the database compares
    /// numbers with text without saying so, how many values that concerns.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.subject.measure(self.table, &self.reading)
    }

    /// The query for failing values; none if the check has none.
    #[must_use]
    pub fn sample_statement(&self) -> Option<Statement> {
        self.subject.sample(self.table, &self.reading, MAX_SAMPLE)
    }

    /// Runs the query.
    ///
    /// # Errors
    /// If the query fails, its result is not what was expected, numbers would be compared with text, or the other table is in
    /// another database.
    pub async fn measure(&self) -> Result<Measured, TableError> {
        if let Subject::Orphans { other: OtherTable { name, unreadable: Some(why), .. }, .. } = &self.subject {
            let (table, other) = (self.table.name().to_owned(), name.clone());
            return Err(TableError::OtherDatabase { table, other, why: why.clone() });
        }
        let rows = self.table.ask(self.statement()).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let (found, of) = match (row, &self.subject) {
            ([found, of], _) => (found, of),
            ([found, of, mismatches], Subject::NotOf { .. } | Subject::Outside { .. }) => {
                self.refuse_mismatches(mismatches.as_deref())?;
                (found, of)
            }
            _ => return Err(self.unexpected(format!("{} columns", row.len()))),
        };
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
            _ => Measured { value: found.unwrap_or(0.0), of: Some(of), ..Measured::default() },
        };
        if !self.sampled || measured.value <= 0.0 || current_bounds::passes(&measured) == Some(true) {
            return Ok(measured);
        }
        let Some(statement) = self.sample_statement() else { return Ok(measured) };
        let rows = self.table.ask(statement).await?;
        Ok(self.with_rows(measured, &rows))
    }

    /// Adds failing rows, each value redacted by the name of its column.
    fn with_rows(&self, mut measured: Measured, rows: &[Row]) -> Measured {
        let columns = self.subject.sampled_columns(&self.reading);
        let keys = self.reading.keys.len();
        for row in rows {
            let cells: Vec<(&str, String)> = columns
                .iter()
                .zip(row)
                .map(|(column, value)| {
                    let value = value.as_deref().unwrap_or("NULL");
                    // A field of a record has the name of its last part.
                    (*column, global::redact_named(column.rsplit('.').next().unwrap_or(column), value.to_owned()))
                })
                .collect();
            let named = |(column, value): &(&str, String)| format!("{column}={value}");
            let plain = |(_, value): &(&str, String)| value.clone();
            let texts: Vec<String> =
                if keys == 0 { cells.iter().map(plain).collect() } else { cells.iter().map(named).collect() };
            measured.sample.push(texts.join(", "));
            if keys > 0 {
                measured
                    .keys
                    .push(cells.into_iter().take(keys).map(|(column, key)| (column.to_owned(), key)).collect());
            }
        }
        measured
    }

    fn refuse_mismatches(&self, count: Option<&str>) -> Result<(), TableError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = self.number(count)?.unwrap_or(0.0) as u64;
        if count == 0 {
            return Ok(());
        }
        let is_number = matches!(
            self.subject.bounds().next(),
            Some(TableValue::Integer(_) | TableValue::Real(_) | TableValue::Truth(_))
        );
        let (compared_with, hint) = if is_number {
            ("numbers", "`as_number()` reads text as numbers")
        } else {
            ("text", "compare them with numbers")
        };
        let (table, column) = (self.table.name().to_owned(), self.subject.columns().join(", "));
        Err(TableError::Mismatch { table, column, count, compared_with, hint })
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
        let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
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
