//! Ready-made checks of a table.

use std::fmt;
use std::panic::Location;
use std::time::UNIX_EPOCH;

use crate::base::clock;
use crate::checks::quality::measure::Measured;
use crate::checks::quality::partition::Partition;
use crate::checks::quality::{current_bounds, current_table};
use crate::checks::tables::error::TableError;
use crate::checks::tables::expr::Expr;
use crate::checks::tables::plausible;
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::{Statement, Values};
use crate::checks::tables::store::Store;
use crate::checks::tables::subject::{OtherTable, Reading, Subject};
use crate::checks::tables::table::{Row, Table};

/// How many failing values a sample has.
const MAX_SAMPLE: usize = 10;

/// A check of a table that has not run. The bounds of the attribute judge what it measures.
///
/// Names are quoted and values are bound; only the SQL of [`Self::only`], [`expr`](crate::tables::expr) and the checks that take SQL
/// becomes part of the statement as it is.
#[derive(Clone)]
#[must_use = "nothing is queried before `measure`"]
pub struct TableCheck<'t, T> {
    pub(super) table: &'t T,
    pub(super) subject: Subject,
    pub(super) reading: Reading,
    sampled: bool,
    /// Where the keys of failing rows are kept, and how many.
    pub(super) store: Option<(Store, usize)>,
    /// Whether it asks for the partition of a run, and there is none.
    lacks_partition: bool,
}

impl<T: Table> fmt::Debug for TableCheck<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TableCheck").field("table", &self.table.name()).field("subject", &self.subject).finish()
    }
}

impl<'t, T: Table> TableCheck<'t, T> {
    #[track_caller]
    pub(super) const fn new(table: &'t T, subject: Subject) -> Self {
        let reading = Reading {
            place: Location::caller(),
            conditions: Vec::new(),
            as_number: false,
            keys: Vec::new(),
            groups: Vec::new(),
        };
        Self { table, subject, reading, sampled: false, store: None, lacks_partition: false }
    }

    /// Restricts the check to rows that meet this SQL condition, for example to one partition. It has a `?` for each value,
    /// and becomes part of the statement as it is. The values are an array, or a tuple if their types differ; `[]` is none.
    pub fn only(mut self, sql: impl Into<String>, values: impl Values) -> Self {
        self.reading.conditions.push(Sql::written(&sql.into(), values.into_values()));
        self
    }

    /// Compares the values of a column as numbers, also if they are text. What is no number fails, and no aggregate counts it.
    pub const fn as_number(mut self) -> Self {
        self.reading.as_number = true;
        self
    }

    /// Restricts the check to the rows whose date or time in a column lies in the partition of the check that runs:
    /// `#[dq_check(partition = Day)]`. The column is compared with texts such as `2026-11-28`, so that an index or the partitions of
    /// the table are used; in `SQLite` it has texts like `2026-11-28 07:05:00`. Outside of a run the check is errored.
    pub fn in_partition(mut self, column: impl Into<Expr>) -> Self {
        let column = column.into().sql(self.table);
        match Partition::current() {
            Some(partition) => {
                let values = vec![partition.start().into(), partition.end().into()];
                self.reading.conditions.push(Sql::new(format!("{column} >= ? AND {column} < ?"), values));
            }
            None => self.lacks_partition = true,
        }
        self
    }

    /// Measures each group of rows by itself, in one statement: each region with `by(["region"])`. The check has the value of the
    /// group that fails worst, or else of the one with the largest value (with lower limits only, the smallest). The ten groups
    /// with the largest and the ten with the smallest values are compared; up to ten that do not pass stand in the sample, worst
    /// first, and in [`Measured::keys`], unless the check has [`keys`](Self::keys) of rows. Groups without any row cannot be told. `NULL` is a group of its own.
    pub fn by<C: Into<Expr>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.reading.groups.extend(columns.into_iter().map(Into::into));
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
    /// of its column. Counts, ages and aggregates have none, `null_ratio` and `failing_rows` have the [`keys`](Self::keys) alone.
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
        current_table::note(self.table.source());
        if let Some(why) = self.subject.misuse() {
            return Err(self.unusable(why));
        }
        if let Subject::Orphans { other: OtherTable { name, unreadable: Some(why), .. }, .. } = &self.subject {
            let (table, other) = (self.table.name().to_owned(), name.clone());
            return Err(TableError::OtherDatabase { table, other, why: why.clone() });
        }
        self.refuse_store()?;
        if self.lacks_partition {
            return Err(
                self.unusable("there is no partition outside of a run of `#[dq_check(partition = …)]`".to_owned())
            );
        }
        let rows = self.table.ask(self.statement()).await?;
        let mut measured = if self.reading.groups.is_empty() { self.single(&rows)? } else { self.worst_group(&rows)? };
        if measured.value <= 0.0 || current_bounds::passes(&measured) == Some(true) {
            return Ok(measured);
        }
        if let Some(statement) = self.subject.present_values(self.table, &self.reading) {
            measured.message = Some(self.missing_values(&self.table.ask(statement).await?)?);
        }
        if !self.sampled {
            return Ok(measured);
        }
        let limit = self.store.as_ref().map_or(MAX_SAMPLE, |(_, keep)| MAX_SAMPLE.max(*keep));
        let Some(statement) = self.subject.sample(self.table, &self.reading, limit) else { return Ok(measured) };
        let rows = match self.table.ask(statement).await {
            Ok(rows) => rows,
            // What was measured stays true.
            Err(error) => {
                measured.add_message(&format!("its failing rows could not be read: {error}"));
                return Ok(measured);
            }
        };
        let mut measured = self.with_rows(measured, rows.get(..MAX_SAMPLE).unwrap_or(&rows));
        let kept = rows.iter().take(self.store.as_ref().map_or(0, |(_, keep)| *keep));
        let kept = kept.map(|row| self.redacted(row).take(self.reading.keys.len()).collect()).collect();
        self.keep(&mut measured, kept).await;
        Ok(measured)
    }

    /// The columns of a row of the sample and their values, redacted.
    fn redacted(&self, row: &Row) -> impl Iterator<Item = (String, String)> {
        let columns = self.subject.sampled_columns(&self.reading);
        let values: Vec<String> = row.iter().map(|value| value.clone().unwrap_or_else(|| "NULL".to_owned())).collect();
        columns.into_iter().zip(values).map(|(column, value)| (column.name().to_owned(), column.redacted(value)))
    }

    /// The measurement without groups.
    fn single(&self, rows: &[Row]) -> Result<Measured, TableError> {
        match rows.first().map(Vec::as_slice).unwrap_or_default() {
            [found, of] => self.measured(found.as_deref(), of.as_deref()),
            [found, of, mismatches] if self.subject.kind().is_some() => {
                self.refuse_mismatches(mismatches.as_deref())?;
                self.measured(found.as_deref(), of.as_deref())
            }
            row => Err(self.unexpected(format!("{} columns", row.len()))),
        }
    }

    /// What was found of how many, as the check measures it.
    pub(super) fn measured(&self, found: Option<&str>, of: Option<&str>) -> Result<Measured, TableError> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count; databases may sum in floats"
        )]
        let of = self.number(of)?.unwrap_or(0.0) as u64;
        if let Subject::Aggregate(aggregate) = &self.subject {
            return Ok(match self.any_number(found)? {
                Some(value) => Measured::number(value),
                None if of > 0 && aggregate.is_of_every_value() => Measured::number(f64::NAN),
                None => self.nothing(of),
            });
        }
        let found = self.number(found)?;
        Ok(match &self.subject {
            Subject::Age { column } => match found {
                Some(age) => Measured::number(self.plausible(age, column.name())?),
                None if of == 0 => self.nothing(of),
                None => {
                    let (table, column) = (self.table.name().to_owned(), column.name().to_owned());
                    return Err(TableError::NoTime { table, column });
                }
            },
            Subject::Gaps { .. } if of == 0 => self.nothing(of),
            subject if subject.is_ratio() => {
                Measured { value: found.unwrap_or(0.0), of: Some(of), ..Measured::default() }
            }
            _ => Measured::number(found.unwrap_or(0.0)),
        })
    }

    /// Adds failing rows, each value redacted by the name of its column.
    fn with_rows(&self, mut measured: Measured, rows: &[Row]) -> Measured {
        let keys = self.reading.keys.len();
        measured.sample_is_redacted = true;
        for row in rows {
            let cells: Vec<(String, String)> = self.redacted(row).collect();
            let named = |(column, value): &(String, String)| format!("{column}={value}");
            let plain = |(_, value): &(String, String)| value.clone();
            let texts: Vec<String> =
                if keys == 0 { cells.iter().map(plain).collect() } else { cells.iter().map(named).collect() };
            measured.sample.push(texts.join(", "));
            if keys > 0 {
                measured.keys.push(cells.into_iter().take(keys).collect());
            }
        }
        measured
    }

    pub(super) fn refuse_mismatches(&self, count: Option<&str>) -> Result<(), TableError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = self.number(count)?.unwrap_or(0.0) as u64;
        if count == 0 {
            return Ok(());
        }
        let is_number = self.subject.kind().is_some_and(|kind| kind.is_number());
        let (compared_with, hint) = if is_number {
            ("numbers", "`as_number()` reads text as numbers")
        } else {
            ("text", "compare them with numbers")
        };
        let (table, column) = (self.table.name().to_owned(), self.subject.column_names());
        Err(TableError::Mismatch { table, column, count, compared_with, hint })
    }

    /// There is no value to measure.
    fn nothing(&self, of: u64) -> Measured {
        let columns = self.subject.columns().into_iter().map(Expr::name).collect::<Vec<_>>().join(", ");
        let why = match (of, &*columns) {
            (0, "") => "there is no row".to_owned(),
            (0, columns) => format!("no row has a value in {columns}"),
            _ => format!("the {} is unknown", self.subject.column_names()),
        };
        Measured { message: Some(why), ..Measured::ratio(0, 0) }
    }

    pub(super) fn number(&self, text: Option<&str>) -> Result<Option<f64>, TableError> {
        match self.any_number(text)? {
            Some(number) if !number.is_finite() => Err(self.unexpected(format!("`{number}` is not a finite number"))),
            number => Ok(number),
        }
    }

    /// A number, also `NaN` or an infinite one.
    pub(super) fn any_number(&self, text: Option<&str>) -> Result<Option<f64>, TableError> {
        let number = text.map(|text| text.parse().map_err(|_| self.unexpected(format!("`{text}` is not a number"))));
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

    pub(super) fn unusable(&self, why: String) -> TableError {
        TableError::Unusable { table: self.table.name().to_owned(), why }
    }

    pub(super) fn unexpected(&self, why: String) -> TableError {
        TableError::Answer { table: self.table.name().to_owned(), why }
    }
}
