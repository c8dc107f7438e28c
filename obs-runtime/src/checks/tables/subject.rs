//! What a check measures, and its SQL.

use std::ops::Bound;
use std::panic::Location;

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
    Orphans { column: String, other: OtherTable },
}

/// The table with the keys of `referential_integrity`.
#[derive(Clone, Debug)]
pub struct OtherTable {
    pub name: String,
    /// The quoted name.
    pub sql: String,
    pub key: String,
    /// Why it cannot be read in the same statement.
    pub unreadable: Option<String>,
}

/// How a check reads its column, and what it says of failing rows.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Where the check was made.
    pub place: &'static Location<'static>,
    pub conditions: Vec<Condition>,
    /// Whether values are compared as numbers.
    pub as_number: bool,
    /// The columns that identify a row.
    pub keys: Vec<String>,
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

    /// A query that returns one row: the measured number, the total and, if the database would not refuse to compare values
    /// of different types, how many there are.
    pub fn measure<T: Table>(&self, table: &T, reading: &Reading) -> Statement {
        let mut builder = StatementBuilder::new(reading);
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
                let fits = builder.fits(self, &compared(table, &column, reading));
                let mismatch = self.bounds().next().filter(|_| !reading.as_number);
                let mismatch = mismatch.and_then(|value| table.mismatch(&column, value));
                let mismatch = mismatch
                    .map_or_else(String::new, |sql| format!(", COALESCE(SUM(CASE WHEN {sql} THEN 1 ELSE 0 END), 0)"));
                format!(
                    "SELECT COALESCE(SUM(CASE WHEN {fits} THEN 0 ELSE 1 END), 0), COUNT(*){mismatch} FROM {name}{}",
                    builder.only(&columns)
                )
            }
            Self::Orphans { other, .. } => format!(
                "SELECT COALESCE(SUM(CASE WHEN obs_key IS NULL THEN 1 ELSE 0 END), 0), COUNT(*) FROM {name}{}{}",
                joined(table, &column, other),
                builder.only(&columns)
            ),
        };
        builder.build(sql)
    }

    /// The values that the column is compared with.
    pub fn bounds(&self) -> impl Iterator<Item = &TableValue> {
        let (accepted, range) = match self {
            Self::NotOf { accepted, .. } => (&**accepted, None),
            Self::Outside { range, .. } => (&[][..], Some(range)),
            _ => (&[][..], None),
        };
        let ends = range.map(|(start, end)| [start, end]).into_iter().flatten();
        accepted.iter().chain(ends.filter_map(|end| match end {
            Bound::Included(value) | Bound::Excluded(value) => Some(value),
            Bound::Unbounded => None,
        }))
    }

    /// The columns of a sample: the keys, then those that are read.
    pub fn sampled_columns<'s>(&'s self, reading: &'s Reading) -> Vec<&'s str> {
        let keys: Vec<&str> = reading.keys.iter().map(String::as_str).collect();
        let read = self.columns().into_iter().filter(|column| !keys.contains(column));
        // A failing `NULL` says nothing.
        let read: Vec<&str> = read.filter(|_| !matches!(self, Self::Nulls { .. })).collect();
        keys.iter().copied().chain(read).collect()
    }

    /// A query for some of the failing rows, or of the failing values if no column identifies a row; none if there cannot be
    /// any.
    pub fn sample<T: Table>(&self, table: &T, reading: &Reading, limit: usize) -> Option<Statement> {
        let mut builder = StatementBuilder::new(reading);
        let (name, keyed) = (table.sql_name(), !reading.keys.is_empty());
        let columns: Vec<String> = self.columns().into_iter().map(|column| table.quoted(column)).collect();
        let column = columns.join(", ");
        let quoted: Vec<String> =
            self.sampled_columns(reading).into_iter().map(|column| table.quoted(column)).collect();
        let shown = quoted.iter().map(|column| table.as_text(column)).collect::<Vec<_>>().join(", ");
        let select = if keyed { "SELECT" } else { "SELECT DISTINCT" };
        let sql = match self {
            Self::Rows | Self::Age { .. } => return None,
            Self::Nulls { .. } if !keyed => return None,
            Self::Nulls { .. } => format!("SELECT {shown} FROM {name}{} AND {column} IS NULL", builder.only_or_true()),
            Self::Repeated { .. } if keyed => {
                let inner = quoted.join(", ");
                format!(
                    "SELECT {shown} FROM (SELECT {inner}, COUNT(*) OVER (PARTITION BY {column}) AS obs_rows \
                     FROM {name}{}) AS obs_counted WHERE obs_rows > 1",
                    builder.only(&columns)
                )
            }
            Self::Repeated { .. } => {
                format!("SELECT {shown} FROM {name}{} GROUP BY {column} HAVING COUNT(*) > 1", builder.only(&columns))
            }
            Self::NotOf { .. } | Self::Outside { .. } => {
                let only = builder.only(&columns);
                let fits = builder.fits(self, &compared(table, &column, reading));
                format!("{select} {shown} FROM {name}{only} AND NOT COALESCE({fits}, FALSE)")
            }
            Self::Orphans { other, .. } => format!(
                "{select} {shown} FROM {name}{}{} AND obs_key IS NULL",
                joined(table, &column, other),
                builder.only(&columns)
            ),
        };
        Some(builder.build(format!("{sql} ORDER BY 1 LIMIT {limit}")))
    }
}

/// The column as it is compared.
fn compared<T: Table>(table: &T, column: &str, reading: &Reading) -> String {
    if reading.as_number { table.as_number(column) } else { column.to_owned() }
}

/// Joins the distinct keys of the other table. It adds no name but `obs_key`.
fn joined<T: Table>(table: &T, column: &str, other: &OtherTable) -> String {
    let (key, other) = (table.quoted(&other.key), &other.sql);
    format!(
        " LEFT JOIN (SELECT DISTINCT {key} AS obs_key FROM {other} WHERE {key} IS NOT NULL) AS obs_keys \
         ON {column} = obs_key"
    )
}

/// Builds a statement, with values in the order of their `?`.
struct StatementBuilder<'c> {
    place: &'static Location<'static>,
    conditions: &'c [Condition],
    values: Vec<TableValue>,
}

impl<'c> StatementBuilder<'c> {
    const fn new(reading: &'c Reading) -> Self {
        let Reading { place, conditions, .. } = reading;
        Self { place, conditions: conditions.as_slice(), values: Vec::new() }
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

    /// As [`only`](Self::only), without columns and never empty.
    fn only_or_true(&mut self) -> String {
        let only = self.only(&[]);
        if only.is_empty() { " WHERE TRUE".to_owned() } else { only }
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
        let mut statement = Statement::new(sql, self.values);
        statement.place = self.place;
        statement
    }
}
