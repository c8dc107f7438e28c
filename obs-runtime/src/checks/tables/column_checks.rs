//! Ready-made checks of a column.

use std::ops::{Bound, RangeBounds};

use crate::checks::tables::aggregate::Aggregate;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::expr::Expr;
use crate::checks::tables::row_test::{Range, RowTest};
use crate::checks::tables::statement::{TableValue, Values};
use crate::checks::tables::subject::{Order, Step, Subject};
use crate::checks::tables::table::Table;

/// The bounds as values.
fn bounds<V: Into<TableValue> + Clone>(range: &impl RangeBounds<V>) -> Range {
    let bound = |bound: Bound<&V>| bound.cloned().map(Into::into);
    (bound(range.start_bound()), bound(range.end_bound()))
}

/// Seconds since the latest time in a column: a `TIMESTAMP`, `DATETIME` or `DATE`, in UTC; in `SQLite` a text like
/// `2026-11-26 07:05:00` or a number of seconds since 1970. Negative for a time in the future, up to a day. Without any
/// value there is no data. The check is errored when the latest time lies further in the future, or in the year 1970: then it is more
/// likely a number of milliseconds, days or the like, and the error says which. Leave open ends such as `9999-12-31` out by
/// [`only`](TableCheck::only).
#[track_caller]
pub fn freshness<T: Table>(table: &T, column: impl Into<Expr>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Age { column: column.into() })
}

/// The ratio of rows with `NULL` in a column.
#[track_caller]
pub fn null_ratio<T: Table>(table: &T, column: impl Into<Expr>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Nulls { column: column.into() })
}

/// The ratio of rows that repeat another row in these columns. Rows with `NULL` in one of them are ignored.
#[track_caller]
pub fn uniqueness<T: Table, C: Into<Expr>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Repeated { columns: columns.into_iter().map(Into::into).collect() })
}

/// The ratio of values that are not in this list. `NULL` is ignored. Values of another type than those of the list are an error.
#[track_caller]
pub fn accepted_values<T: Table>(table: &T, column: impl Into<Expr>, accepted: impl Values) -> TableCheck<'_, T> {
    TableCheck::new(
        table,
        Subject::Test(RowTest::In { column: column.into(), values: accepted.into_values(), negated: false }),
    )
}

/// The ratio of values that are in this list. `NULL` is ignored. Otherwise as [`accepted_values`].
#[track_caller]
pub fn rejected_values<T: Table>(table: &T, column: impl Into<Expr>, rejected: impl Values) -> TableCheck<'_, T> {
    let test = RowTest::In { column: column.into(), values: rejected.into_values(), negated: true };
    TableCheck::new(table, Subject::Test(test))
}

/// The ratio of the values of this list that no row has. An empty table has none of them. If the check does not pass, the message
/// names up to ten of the missing values, redacted by the name of the column, by a second query; with [`by`](TableCheck::by) it
/// names the worst group only.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, required_values};
///
/// fn markets_without_orders<T: Table>(orders: &T) -> TableCheck<'_, T> {
///     required_values(orders, "market", ["DE", "FR", "US"])
/// }
/// ```
#[track_caller]
pub fn required_values<T: Table>(table: &T, column: impl Into<Expr>, required: impl Values) -> TableCheck<'_, T> {
    let mut distinct = Vec::new();
    for value in required.into_values() {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    TableCheck::new(table, Subject::Absent { column: column.into(), required: distinct })
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
    column: impl Into<Expr>,
    range: impl RangeBounds<V>,
) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Test(RowTest::Within { column: column.into(), range: bounds(&range) }))
}

/// The ratio of values that have no match of this regular expression. It may match anywhere; `^` and `$` stand for the ends.
/// `NULL` is ignored. The syntax is that of the crate `regex` in `SQLite`, and of RE2 in `BigQuery`, which is the same but for details.
/// An invalid expression is an error.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, matches};
///
/// fn odd_addresses<T: Table>(users: &T) -> TableCheck<'_, T> {
///     matches(users, "email", "^[^@ ]+@[^@ ]+$")
/// }
/// ```
#[track_caller]
pub fn matches<T: Table>(table: &T, column: impl Into<Expr>, pattern: impl Into<String>) -> TableCheck<'_, T> {
    let test = RowTest::Matches { column: column.into(), pattern: pattern.into(), negated: false };
    TableCheck::new(table, Subject::Test(test))
}

/// The ratio of values that have a match of this regular expression. Otherwise as [`matches()`].
#[track_caller]
pub fn does_not_match<T: Table>(table: &T, column: impl Into<Expr>, pattern: impl Into<String>) -> TableCheck<'_, T> {
    let test = RowTest::Matches { column: column.into(), pattern: pattern.into(), negated: true };
    TableCheck::new(table, Subject::Test(test))
}

/// The ratio of values whose length as text, in characters, is outside a range: `length(&orders, "currency", 3..=3)`. `NULL` is
/// ignored.
#[track_caller]
pub fn length<T: Table>(table: &T, column: impl Into<Expr>, range: impl RangeBounds<i64>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Test(RowTest::Length { column: column.into(), range: bounds(&range) }))
}

/// The number of different values of a column, or of different combinations of several. Rows with `NULL` in one of them are ignored.
#[track_caller]
pub fn distinct_count<T: Table, C: Into<Expr>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    let columns = columns.into_iter().map(Into::into).collect();
    TableCheck::new(table, Subject::Distinct { columns, is_ratio: false })
}

/// The number of different values, as [`distinct_count`], by that of all values: 1 if all differ.
#[track_caller]
pub fn distinct_ratio<T: Table, C: Into<Expr>>(table: &T, columns: impl IntoIterator<Item = C>) -> TableCheck<'_, T> {
    let columns = columns.into_iter().map(Into::into).collect();
    TableCheck::new(table, Subject::Distinct { columns, is_ratio: true })
}

/// The ratio of values that break an order, in the order of another column. Rows with `NULL` in one of them are ignored. With
/// [`by`](TableCheck::by), the order is that of each group.
///
/// ```
/// use obs_runtime::tables::{Order, Table, TableCheck, monotonic};
///
/// fn meters_run_backwards<T: Table>(readings: &T) -> TableCheck<'_, T> {
///     monotonic(readings, "reading", "read_at", Order::Increasing).by(["meter"])
/// }
/// ```
#[track_caller]
pub fn monotonic<T: Table>(
    table: &T,
    column: impl Into<Expr>,
    order_by: impl Into<Expr>,
    order: Order,
) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Disorder { column: column.into(), order_by: order_by.into(), order })
}

/// How many values are missing between the smallest and the largest, where each is one step from the next: a number, or a
/// [`Duration`](std::time::Duration) for times. Distances are rounded to whole steps. `NULL` is ignored. Without values, there is
/// no data. Gaps at the ends are not seen; [`freshness`] sees the last.
///
/// ```
/// use std::time::Duration;
///
/// use obs_runtime::tables::{Table, TableCheck, no_gaps};
///
/// fn missing_days<T: Table>(sales: &T) -> TableCheck<'_, T> {
///     no_gaps(sales, "day", Duration::from_secs(24 * 60 * 60))
/// }
/// ```
#[track_caller]
pub fn no_gaps<T: Table>(table: &T, column: impl Into<Expr>, step: impl Into<Step>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Gaps { column: column.into(), step: step.into() })
}

/// An aggregate of a column: `aggregate(&orders, avg("amount"))`. Without values, there is no data.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, aggregate, quantile};
///
/// fn slow_deliveries<T: Table>(orders: &T) -> TableCheck<'_, T> {
///     aggregate(orders, quantile("delivery_days", 0.95))
/// }
/// ```
#[track_caller]
pub fn aggregate<T: Table>(table: &T, aggregate: Aggregate) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Aggregate(aggregate))
}
