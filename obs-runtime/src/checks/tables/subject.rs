//! What is asked of a table, as a statement.

use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::table::Table;

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Subject {
    Rows,
    Age { column: String },
    Nulls { column: String },
    Repeated { columns: Vec<String> },
    NotOf { column: String, accepted: Vec<TableValue> },
    Outside { column: String, least: Option<TableValue>, most: Option<TableValue> },
    Orphans { column: String, other: String, key: String },
}

/// A condition that rows must meet to be looked at.
#[derive(Clone, Debug)]
pub struct Condition {
    pub sql: String,
    pub values: Vec<TableValue>,
}

impl Subject {
    /// The columns that it looks at.
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

    /// One row of two numbers: how many, or how old, and of how many.
    pub fn measure<T: Table>(&self, table: &T, conditions: &[Condition]) -> Statement {
        let mut text = Text::new(conditions);
        let name = table.sql_name();
        let columns: Vec<String> = self.columns().into_iter().map(|column| table.quoted(column)).collect();
        let column = columns.join(", ");
        let sql = match self {
            Self::Rows => format!("SELECT COUNT(*), COUNT(*) FROM {name}{}", text.only(&[])),
            Self::Age { .. } => {
                let age = table.seconds_since(&column);
                format!("SELECT MIN({age}), COUNT({column}) FROM {name}{}", text.only(&[]))
            }
            Self::Nulls { .. } => {
                format!("SELECT COUNT(*) - COUNT({column}), COUNT(*) FROM {name}{}", text.only(&[]))
            }
            Self::Repeated { .. } => format!(
                "SELECT COALESCE(SUM(obs_rows - 1), 0), COALESCE(SUM(obs_rows), 0) FROM \
                 (SELECT COUNT(*) AS obs_rows FROM {name}{} GROUP BY {column}) AS obs_groups",
                text.only(&columns)
            ),
            Self::NotOf { .. } | Self::Outside { .. } => {
                let fits = text.fits(self, &column);
                format!(
                    "SELECT COALESCE(SUM(CASE WHEN {fits} THEN 0 ELSE 1 END), 0), COUNT(*) FROM {name}{}",
                    text.only(&columns)
                )
            }
            Self::Orphans { other, key, .. } => format!(
                "SELECT COALESCE(SUM(CASE WHEN obs_key IS NULL THEN 1 ELSE 0 END), 0), COUNT(*) FROM {name}{}{}",
                joined(table, &column, other, key),
                text.only(&columns)
            ),
        };
        text.ready(sql)
    }

    /// Some of the values that are not as they should be; none when there is nothing to show.
    pub fn sample<T: Table>(&self, table: &T, conditions: &[Condition], most: usize) -> Option<Statement> {
        let mut text = Text::new(conditions);
        let name = table.sql_name();
        let columns: Vec<String> = self.columns().into_iter().map(|column| table.quoted(column)).collect();
        let column = columns.join(", ");
        let shown: Vec<String> = columns.iter().map(|column| table.as_text(column)).collect();
        let shown = shown.join(", ");
        let sql = match self {
            Self::Rows | Self::Age { .. } | Self::Nulls { .. } => return None,
            Self::Repeated { .. } => {
                format!("SELECT {shown} FROM {name}{} GROUP BY {column} HAVING COUNT(*) > 1", text.only(&columns))
            }
            Self::NotOf { .. } | Self::Outside { .. } => {
                let only = text.only(&columns);
                let fits = text.fits(self, &column);
                format!("SELECT DISTINCT {shown} FROM {name}{only} AND NOT COALESCE({fits}, FALSE)")
            }
            Self::Orphans { other, key, .. } => format!(
                "SELECT DISTINCT {shown} FROM {name}{}{} AND obs_key IS NULL",
                joined(table, &column, other, key),
                text.only(&columns)
            ),
        };
        Some(text.ready(format!("{sql} ORDER BY 1 LIMIT {most}")))
    }
}

/// The other table's keys, each once, beside the rows: no name but `obs_key` comes in.
fn joined<T: Table>(table: &T, column: &str, other: &str, key: &str) -> String {
    let key = table.quoted(key);
    format!(
        " LEFT JOIN (SELECT DISTINCT {key} AS obs_key FROM {other} WHERE {key} IS NOT NULL) AS obs_keys \
         ON {column} = obs_key"
    )
}

/// A statement that is being written, its values in the order of their `?`.
struct Text<'c> {
    conditions: &'c [Condition],
    values: Vec<TableValue>,
}

impl<'c> Text<'c> {
    const fn new(conditions: &'c [Condition]) -> Self {
        Self { conditions, values: Vec::new() }
    }

    /// ` WHERE` these columns have a value and the conditions hold.
    fn only(&mut self, columns: &[String]) -> String {
        let mut parts: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        for condition in self.conditions {
            parts.push(format!("({})", condition.sql));
            self.values.extend(condition.values.iter().cloned());
        }
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
    }

    /// What holds of a value that is as it should be.
    fn fits(&mut self, subject: &Subject, column: &str) -> String {
        let mut parts = Vec::new();
        let mut bind = |value: &TableValue| self.values.push(value.clone());
        match subject {
            Subject::NotOf { accepted, .. } if accepted.is_empty() => parts.push("FALSE".to_owned()),
            Subject::NotOf { accepted, .. } => {
                accepted.iter().for_each(&mut bind);
                parts.push(format!("{column} IN ({})", vec!["?"; accepted.len()].join(", ")));
            }
            // What cannot be compared, as a number that is none, does not fit.
            Subject::Outside { least, most, .. } => {
                for (value, operator) in [(least, ">="), (most, "<=")] {
                    if let Some(value) = value {
                        bind(value);
                        parts.push(format!("{column} {operator} ?"));
                    }
                }
            }
            _ => {}
        }
        if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }
    }

    fn ready(self, sql: String) -> Statement {
        Statement { sql, values: self.values }
    }
}
