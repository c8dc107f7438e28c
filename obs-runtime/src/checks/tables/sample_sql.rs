//! The SQL that finds failing rows.

use crate::checks::tables::expr::{Expr, sql_of};
use crate::checks::tables::measure_sql::{Source, has_gap, joined, partition_by};
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::Statement;
use crate::checks::tables::subject::{Reading, Subject};
use crate::checks::tables::table::Table;

impl Subject {
    /// The columns of a sample: the keys, the groups, then those that are read.
    pub fn sampled_columns(&self, reading: &Reading) -> Vec<Expr> {
        let mut columns: Vec<Expr> = reading.keys.iter().map(Expr::from).collect();
        let mut read = self.columns();
        match self {
            // A failing `NULL` says nothing.
            Self::Nulls { .. } => read.clear(),
            Self::Disorder { order_by, .. } => read.insert(0, order_by),
            _ => {}
        }
        for column in reading.groups.iter().chain(read) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        if let Self::Gaps { column, .. } = self {
            // The value before the gap, and the one after it.
            columns.push(column.clone());
        }
        columns
    }

    /// A query for some of the failing rows, or of the failing values if no column identifies a row; none if there cannot be
    /// any.
    pub fn sample<T: Table>(&self, table: &T, reading: &Reading, limit: usize) -> Option<Statement> {
        let is_keyed = !reading.keys.is_empty();
        let source = Source { table, reading, columns: sql_of(self.columns(), table) };
        let column = source.columns.join(", ");
        let shown: Vec<String> = sql_of(&self.sampled_columns(reading), table);
        if shown.is_empty() {
            return None;
        }
        let texts =
            |columns: &[String]| columns.iter().map(|column| table.as_text(column)).collect::<Vec<_>>().join(", ");
        let select = if is_keyed { "SELECT" } else { "SELECT DISTINCT" };
        let selected = Sql::from(format!("{select} {}", texts(&shown)));
        let name = self.name(table);
        let sql = match self {
            Self::Rows | Self::Age { .. } | Self::Aggregate(_) | Self::Distinct { .. } | Self::Absent { .. } => {
                return None;
            }
            Self::FailingRows { .. } => Sql::of("{}{}", [&selected, &source.present_rows(&name, &[])]),
            Self::Nulls { .. } if !is_keyed => return None,
            Self::Nulls { .. } => {
                let is_null = [Sql::from(format!("{column} IS NULL"))];
                Sql::of("{}{}", [&selected, &source.restricted(&name, &is_null)])
            }
            Self::Repeated { .. } if is_keyed => {
                // Expressions have no name, so each column gets one.
                let named = shown.iter().enumerate().map(|(index, sql)| format!("{sql} AS obs_{index}"));
                let named = named.collect::<Vec<_>>().join(", ");
                let outer: Vec<String> = (0..shown.len()).map(|index| format!("obs_{index}")).collect();
                let within = sql_of(&reading.groups, table);
                let within = partition_by(table, &[&*within, &*source.columns].concat());
                let mut sql = Sql::from(format!(
                    "SELECT {} FROM (SELECT {named}, COUNT(*) OVER ({within}) AS obs_rows",
                    texts(&outer)
                ));
                sql.append(&source.present_rows(&name, &source.columns));
                sql.push(") AS obs_counted WHERE obs_rows > 1");
                sql
            }
            Self::Repeated { .. } => {
                let mut sql = Sql::from(format!("SELECT {}", texts(&shown)));
                sql.append(&source.present_rows(&name, &source.columns));
                sql.push(&format!(" GROUP BY {} HAVING COUNT(*) > 1", shown.join(", ")));
                sql
            }
            Self::Test(test) => {
                let fits = test.fits(table, reading.as_number);
                Sql::of("{}{} AND NOT COALESCE({}, FALSE)", [&selected, &source.tested(&name, test), &fits])
            }
            Self::Orphans { other, .. } => {
                let name = Sql::of("{}{}", [&name, &joined(table, &column, other)]);
                Sql::of("{}{} AND obs_key IS NULL", [&selected, &source.present_rows(&name, &source.columns)])
            }
            Self::Disorder { .. } | Self::Gaps { .. } => {
                let mut shown = shown;
                if matches!(self, Self::Gaps { .. }) {
                    shown.pop();
                }
                let named: Vec<(String, String)> =
                    shown.into_iter().enumerate().map(|(index, sql)| (sql, format!("obs_{index}"))).collect();
                let mut outer: Vec<String> = named.iter().map(|(_, name)| name.clone()).collect();
                let fails = match self {
                    Self::Disorder { order, .. } => format!("obs_value {} obs_before", order.broken_by()),
                    Self::Gaps { step, .. } => {
                        outer.push("obs_next".to_owned());
                        has_gap(table, *step)
                    }
                    _ => return None,
                };
                let inner = self.in_order(table, reading, &named);
                Sql::of(&format!("SELECT {} FROM ({{}}) AS obs_ordered WHERE {fails}", texts(&outer)), [&inner])
            }
        };
        let mut sql = sql;
        sql.push(&format!(" ORDER BY 1 LIMIT {limit}"));
        Some(sql.at(reading.place))
    }
}
