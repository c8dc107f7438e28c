//! A check of several aggregates of a column at once.

use std::fmt::{self, Write as _};
use std::ops::{Bound, RangeBounds};

use crate::checks::quality::current_table;
use crate::checks::quality::measure::Verdict;
use crate::checks::tables::aggregate::{Aggregate, Function};
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::expr::{Expr, sql_of};
use crate::checks::tables::measure_sql::Source;
use crate::checks::tables::statement::Values;
use crate::checks::tables::subject::Subject;
use crate::checks::tables::table::Table;

type Limits = (Bound<f64>, Bound<f64>);

/// A check of the distribution of a column that has not run: see [`distribution`].
#[must_use = "nothing is queried before `measure`"]
pub struct DistributionCheck<'t, T> {
    check: TableCheck<'t, T>,
    column: Expr,
    expected: Vec<(Aggregate, Limits)>,
}

impl<T: Table> fmt::Debug for DistributionCheck<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, column: _, expected } = self;
        formatter.debug_struct("DistributionCheck").field("check", check).field("expected", expected).finish()
    }
}

/// Whether the mean, the standard deviation, quantiles and so on of a column of numbers each lie in a range, in one statement. The
/// verdict names those that do not. `NULL` is ignored. Without values, there is no data.
///
/// ```
/// use obs_runtime::Verdict;
/// use obs_runtime::tables::{Table, TableError, distribution};
///
/// async fn scores<T: Table>(exams: &T) -> Result<Verdict, TableError> {
///     distribution(exams, "score").mean(50.0..70.0).stddev(5.0..).quantile(0.95, ..=100.0).measure().await
/// }
/// ```
#[track_caller]
pub fn distribution<T: Table>(table: &T, column: impl Into<Expr>) -> DistributionCheck<'_, T> {
    let column = column.into();
    let aggregate = Aggregate { function: Function::Average, column: column.clone() };
    DistributionCheck { check: TableCheck::new(table, Subject::Aggregate(aggregate)), column, expected: Vec::new() }
}

impl<T: Table> DistributionCheck<'_, T> {
    fn expect(mut self, function: Function, range: &impl RangeBounds<f64>) -> Self {
        let aggregate = Aggregate { function, column: self.column.clone() };
        self.expected.push((aggregate, (range.start_bound().cloned(), range.end_bound().cloned())));
        self
    }

    /// The mean lies in this range.
    pub fn mean(self, range: impl RangeBounds<f64>) -> Self {
        self.expect(Function::Average, &range)
    }

    /// The standard deviation, of a sample, lies in this range. That of a single value is unknown, which fails.
    pub fn stddev(self, range: impl RangeBounds<f64>) -> Self {
        self.expect(Function::Deviation, &range)
    }

    /// The smallest value lies in this range.
    pub fn min(self, range: impl RangeBounds<f64>) -> Self {
        self.expect(Function::Minimum, &range)
    }

    /// The largest value lies in this range.
    pub fn max(self, range: impl RangeBounds<f64>) -> Self {
        self.expect(Function::Maximum, &range)
    }

    /// A quantile lies in this range: the smallest value that at least this share of the values, from 0 to 1, does not exceed.
    pub fn quantile(self, share: f64, range: impl RangeBounds<f64>) -> Self {
        self.expect(Function::Quantile(share), &range)
    }

    /// The median lies in this range.
    pub fn median(self, range: impl RangeBounds<f64>) -> Self {
        self.quantile(0.5, range)
    }

    /// As [`TableCheck::only`].
    pub fn only(mut self, sql: impl Into<String>, values: impl Values) -> Self {
        self.check = self.check.only(sql, values);
        self
    }

    /// As [`TableCheck::as_number`].
    pub fn as_number(mut self) -> Self {
        self.check = self.check.as_number();
        self
    }

    /// Runs the query.
    ///
    /// # Errors
    /// If the query fails, its result is not what was expected, or a value is text.
    pub async fn measure(&self) -> Result<Verdict, TableError> {
        let (check, expected) = (&self.check, &self.expected);
        if expected.is_empty() {
            return Err(check.unusable("the distribution has no range to lie in".to_owned()));
        }
        current_table::note(check.table.source());
        if let Some(why) = expected.iter().find_map(|(aggregate, _)| aggregate.misuse()) {
            return Err(check.unusable(why));
        }
        let rows = check.table.ask(self.statement()).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let [found @ .., mismatches, of] = row else { return Err(check.unexpected("no row".to_owned())) };
        if found.len() != expected.len() {
            return Err(check.unexpected(format!("{} columns", row.len())));
        }
        check.refuse_mismatches(mismatches.as_deref())?;
        if check.number(of.as_deref())?.unwrap_or(0.0) == 0.0 {
            return Ok(Verdict::no_data());
        }
        let (mut wrong, mut wanted, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for ((aggregate, range), value) in expected.iter().zip(found) {
            let (name, value) = (aggregate.name(), check.any_number(value.as_deref())?);
            let shown = value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
            if !value.is_some_and(|value| range.contains(&value)) {
                wrong.push(name.clone());
            }
            wanted.push(format!("{name} {}", written(range)));
            seen.push(format!("{name} {shown}"));
        }
        if wrong.is_empty() {
            return Ok(Verdict::passed().seen(seen.join(", ")));
        }
        let verdict = Verdict::failed(format!("{} outside of its range", wrong.join(", ")));
        Ok(verdict.expected(wanted.join(", ")).seen(seen.join(", ")))
    }

    /// The query of the check.
    #[must_use]
    pub fn statement(&self) -> crate::checks::tables::statement::Statement {
        let (table, reading) = (self.check.table, &self.check.reading);
        let column = self.column.sql(table);
        let source = Source { table, reading, columns: sql_of([&self.column], table) };
        let aggregates: Vec<&Aggregate> = self.expected.iter().map(|(aggregate, _)| aggregate).collect();
        let mut selection = source.aggregates(&aggregates, &column);
        let mismatches = self.check.subject.mismatches_of(table, reading, &selection, &column);
        selection.found.push(", ");
        selection.found.append(&mismatches.unwrap_or_else(|| "0".into()));
        selection.one_row().at(reading.place)
    }
}

/// The range as messages show it.
fn written((start, end): &Limits) -> String {
    let mut text = String::new();
    match start {
        Bound::Included(start) => _ = write!(text, "from {start}"),
        Bound::Excluded(start) => _ = write!(text, "above {start}"),
        Bound::Unbounded => {}
    }
    let space = if text.is_empty() { "" } else { " " };
    match end {
        Bound::Included(end) => _ = write!(text, "{space}to {end}"),
        Bound::Excluded(end) => _ = write!(text, "{space}below {end}"),
        Bound::Unbounded => {}
    }
    if text.is_empty() { "any".to_owned() } else { text }
}
