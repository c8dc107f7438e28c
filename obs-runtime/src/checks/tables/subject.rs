//! What a check measures, and its SQL.

use std::ops::Bound;

use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::table::Table;

/// What a check measures.
#[derive(Clone, Debug)]
pub enum Subject {
    Rows,
    Age { column: String },
    Nulls { column: String },
    Repeated { columns: Vec<String> },
    NotOf { column: String, accepted: Vec<TableValue> },
    Outside { column: String, range: (Bound<TableValue>, Bound<TableValue>) },
    Orphans { column: String, other: String, key: String },
}

/// A SQL condition that restricts the rows.
#[derive(Clone, Debug)]
pub struct Condition {
    pub sql: String,
    pub values: Vec<TableValue>,
}

impl Subject {
    /// The columns that are read.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Rows => Vec::new(),
            Self::Age { column }
            | Self::Nulls { column }
            | Self::NotOf { column, .. }
            | Self::Outside { column, .. }
            | Self::Orphans { column, .. } => vec![column],
            Self::Repeated { columns } => columns.iter().map(String::as_str).collect(),
        }
    }

    /// A query that returns one row: the measured number and the total.
    pub fn measure<T: Table>(&self, table: &T, conditions: &[Condition]) -> Statement {
        let mut builder = StatementBuilder::new(conditions);
        let name = table.sql_name();
        let columns: Vec<String> = self.columns().into_iter().map(|column| table.quoted(column)).collect();
        let column = columns.join(", ");
        let sql = match self {
            Self::Rows => format!("SELECT COUNT(*), COUNT(*) FROM {name}{}", builder.only(&[])),
            Self::Age { .. } => {
                let age = table.seconds_since(&column);
                format!("SELECT MIN({age}), COUNT({column}) FROM {name}{}", builder.only(&[]))
            }
            Self::Nulls { .. } => {
                format!("SELECT COUNT(*) - COUNT({column}), COUNT(*) FROM {name}{}", builder.only(&[]))
            }
            Self::Repeated { .. } => format!(
                "SELECT COALESCE(SUM(obs_rows - 1), 0), COALESCE(SUM(obs_rows), 0) FROM \
                 (SELECT COUNT(*) AS obs_rows FROM {name}{} GROUP BY {column}) AS obs_groups",
                builder.only(&columns)
            ),
            Self::NotOf { .. } | Self::Outside { .. } => {
                let fits = builder.fits(self, &column);
                format!(
                    "SELECT COALESCE(SUM(CASE WHEN {fits} THEN 0 ELSE 1 END), 0), COUNT(*) FROM {name}{}",
                    builder.only(&columns)
                )
            }
            Self::Orphans { other, key, .. } => format!(
                "SELECT COALESCE(SUM(CASE WHEN obs_key IS NULL THEN 1 ELSE 0 END), 0), COUNT(*) FROM {name}{}{}",
                joined(table, &column, other, key),
                builder.only(&columns)
            ),
        };
        builder.build(sql)
    }

    /// A query for some of the failing values; none if there cannot be any.
    pub fn sample<T: Table>(&self, table: &T, conditions: &[Condition], limit: usize) -> Option<Statement> {
        let mut builder = StatementBuilder::new(conditions);
        let name = table.sql_name();
        let columns: Vec<String> = self.columns().into_iter().map(|column| table.quoted(column)).collect();
        let column = columns.join(", ");
        let shown: Vec<String> = columns.iter().map(|column| table.as_text(column)).collect();
        let shown = shown.join(", ");
        let sql = match self {
            Self::Rows | Self::Age { .. } | Self::Nulls { .. } => return None,
            Self::Repeated { .. } => {
                format!("SELECT {shown} FROM {name}{} GROUP BY {column} HAVING COUNT(*) > 1", builder.only(&columns))
            }
            Self::NotOf { .. } | Self::Outside { .. } => {
                let only = builder.only(&columns);
                let fits = builder.fits(self, &column);
                format!("SELECT DISTINCT {shown} FROM {name}{only} AND NOT COALESCE({fits}, FALSE)")
            }
            Self::Orphans { other, key, .. } => format!(
                "SELECT DISTINCT {shown} FROM {name}{}{} AND obs_key IS NULL",
                joined(table, &column, other, key),
                builder.only(&columns)
            ),
        };
        Some(builder.build(format!("{sql} ORDER BY 1 LIMIT {limit}")))
    }
}

/// Joins the distinct keys of the other table. It adds no name but `obs_key`.
fn joined<T: Table>(table: &T, column: &str, other: &str, key: &str) -> String {
    let key = table.quoted(key);
    format!(
        " LEFT JOIN (SELECT DISTINCT {key} AS obs_key FROM {other} WHERE {key} IS NOT NULL) AS obs_keys \
         ON {column} = obs_key"
    )
}

/// Builds a statement, with values in the order of their `?`.
struct StatementBuilder<'c> {
    conditions: &'c [Condition],
    values: Vec<TableValue>,
}

impl<'c> StatementBuilder<'c> {
    const fn new(conditions: &'c [Condition]) -> Self {
        Self { conditions, values: Vec::new() }
    }

    /// A `WHERE` clause: these columns are not `NULL`, and the conditions hold.
    fn only(&mut self, columns: &[String]) -> String {
        let mut parts: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        for condition in self.conditions {
            parts.push(format!("({})", condition.sql));
            self.values.extend(condition.values.iter().cloned());
        }
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
    }

    /// The condition of a value that passes.
    fn fits(&mut self, subject: &Subject, column: &str) -> String {
        let mut parts = Vec::new();
        let mut bind = |value: &TableValue| self.values.push(value.clone());
        match subject {
            Subject::NotOf { accepted, .. } if accepted.is_empty() => parts.push("FALSE".to_owned()),
            Subject::NotOf { accepted, .. } => {
                accepted.iter().for_each(&mut bind);
                parts.push(format!("{column} IN ({})", vec!["?"; accepted.len()].join(", ")));
            }
            // A value that cannot be compared, such as NaN, does not pass.
            Subject::Outside { range: (start, end), .. } => {
                for (bound, inclusive, exclusive) in [(start, ">=", ">"), (end, "<=", "<")] {
                    let (value, operator) = match bound {
                        Bound::Included(value) => (value, inclusive),
                        Bound::Excluded(value) => (value, exclusive),
                        Bound::Unbounded => continue,
                    };
                    bind(value);
                    parts.push(format!("{column} {operator} ?"));
                }
            }
            _ => {}
        }
        if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }
    }

    fn build(self, sql: String) -> Statement {
        Statement { sql, values: self.values }
    }
}
