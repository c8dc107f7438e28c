//! Ready-made checks of rows, and of several columns or tables.

use crate::checks::tables::check::TableCheck;
use crate::checks::tables::expr::Expr;
use crate::checks::tables::row_test::{Comparison, RowTest};
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::{TableValue, Values};
use crate::checks::tables::subject::{OtherTable, Subject};
use crate::checks::tables::table::Table;

/// The number of rows.
#[track_caller]
pub fn row_count<T: Table>(table: &T) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Rows)
}

/// The ratio of rows that do not meet a SQL condition: `rows_where(&orders, "received_at >= occurred_at")`. Rows for which it is
/// `NULL` are ignored. It becomes part of the statement as it is; values are bound by [`with`](TableCheck::with).
#[track_caller]
pub fn rows_where<T: Table>(table: &T, condition: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Test(RowTest::Where(Sql::written(&condition.into(), Vec::new()))))
}

/// The number of rows that a query returns, as each is a failure: `failing_rows(&orders, "SELECT id FROM a JOIN b …")`. It runs
/// in the database of the table, which it need not read. Values are bound by [`with`](TableCheck::with).
#[track_caller]
pub fn failing_rows<T: Table>(database: &T, query: impl Into<String>) -> TableCheck<'_, T> {
    TableCheck::new(database, Subject::FailingRows { query: Sql::written(&query.into(), Vec::new()) })
}

/// The ratio of rows in which two columns do not compare like this. Rows with `NULL` in one of them are ignored.
///
/// ```
/// use obs_runtime::tables::{Comparison, Table, TableCheck, pair};
///
/// fn received_before_sent<T: Table>(parcels: &T) -> TableCheck<'_, T> {
///     pair(parcels, "received_at", Comparison::AtLeast, "sent_at")
/// }
/// ```
#[track_caller]
pub fn pair<T: Table>(
    table: &T,
    left: impl Into<Expr>,
    comparison: Comparison,
    right: impl Into<Expr>,
) -> TableCheck<'_, T> {
    TableCheck::new(table, Subject::Test(RowTest::Pair { columns: [left.into(), right.into()], comparison }))
}

/// The ratio of rows whose values of two columns are not one of these pairs. Rows with `NULL` in one of them are ignored.
#[track_caller]
pub fn accepted_pairs<T: Table, L: Into<TableValue>, R: Into<TableValue>>(
    table: &T,
    left: impl Into<Expr>,
    right: impl Into<Expr>,
    accepted: impl IntoIterator<Item = (L, R)>,
) -> TableCheck<'_, T> {
    let accepted = accepted.into_iter().map(|(left, right)| [left.into(), right.into()]).collect();
    TableCheck::new(table, Subject::Test(RowTest::Pairs { columns: [left.into(), right.into()], accepted }))
}

/// The ratio of rows in which these columns do not add up to the total: a column, or `expr("100")`. Sums that differ by less than
/// a billionth are equal. Rows with `NULL` in one of them are ignored.
#[track_caller]
pub fn sum_equals<T: Table, C: Into<Expr>>(
    table: &T,
    columns: impl IntoIterator<Item = C>,
    total: impl Into<Expr>,
) -> TableCheck<'_, T> {
    let columns = std::iter::once(total.into()).chain(columns.into_iter().map(Into::into)).collect();
    TableCheck::new(table, Subject::Test(RowTest::Sum { columns }))
}

/// The ratio of values that are missing in a column of another table, which must be in the same database. `NULL` is ignored.
#[track_caller]
pub fn referential_integrity<'t, T: Table>(
    table: &'t T,
    column: impl Into<Expr>,
    other: &T,
    key: impl Into<Expr>,
) -> TableCheck<'t, T> {
    let other = OtherTable {
        name: other.name().to_owned(),
        sql: Sql::new(other.sql_name(), other.values()),
        key: key.into(),
        unreadable: table.cannot_read(other),
    };
    TableCheck::new(table, Subject::Orphans { column: column.into(), other })
}

impl<T: Table> TableCheck<'_, T> {
    /// The values of the `?` in the SQL of [`rows_where`] and [`failing_rows`]. Other checks bind none here.
    pub fn with(mut self, values: impl Values) -> Self {
        match &mut self.subject {
            Subject::Test(RowTest::Where(sql)) | Subject::FailingRows { query: sql } => {
                sql.values = values.into_values();
            }
            _ => {}
        }
        self
    }
}
