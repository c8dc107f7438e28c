//! What a check reads: a column, or an expression of columns.

use std::borrow::Cow;

use crate::checks::tables::sql::Sql;
use crate::checks::tables::table::Table;
use crate::pipeline::global;

/// A column, or a SQL expression of columns: see [`expr`]. Names of columns convert by `From`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Column(String),
    Sql(String),
}

/// A SQL expression where a check takes a column: `uniqueness(&users, [expr("lower(email)")])`. It becomes part of the statement
/// as it is, so it must not contain values from outside. Its samples are redacted by the names of all columns in it.
///
/// ```
/// use obs_runtime::tables::{Table, TableCheck, expr, uniqueness};
///
/// fn repeated_addresses<T: Table>(users: &T) -> TableCheck<'_, T> {
///     uniqueness(users, [expr("lower(email)")])
/// }
/// ```
pub fn expr(sql: impl Into<String>) -> Expr {
    Expr(Kind::Sql(Sql::written(&sql.into(), Vec::new()).text))
}

macro_rules! names {
    ($($from:ty),+) => {$(
        impl From<$from> for Expr {
            fn from(name: $from) -> Self {
                Self(Kind::Column(name.into()))
            }
        }
    )+};
}
names!(&str, String, &String, Cow<'_, str>, Box<str>, char);

impl Expr {
    /// The SQL: the quoted column, or the expression.
    pub(super) fn sql<T: Table>(&self, table: &T) -> String {
        match &self.0 {
            Kind::Column(name) => table.quoted(name),
            Kind::Sql(sql) => format!("({sql})"),
        }
    }

    /// The column or the expression, for messages.
    pub(super) fn name(&self) -> &str {
        let (Kind::Column(name) | Kind::Sql(name)) = &self.0;
        name
    }

    /// A value of it, redacted by its form and by the names of its columns.
    pub(super) fn redacted(&self, value: String) -> String {
        match &self.0 {
            // A field of a record has the name of its last part.
            Kind::Column(name) => global::redact_named(name.rsplit('.').next().unwrap_or(name), value),
            Kind::Sql(sql) => {
                let words = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let words = words.filter(|word| !word.is_empty());
                words.fold(value, |value, word| global::redact_named(word, value))
            }
        }
    }
}

/// The SQL of each.
pub(super) fn sql_of<'e, T: Table>(columns: impl IntoIterator<Item = &'e Expr>, table: &T) -> Vec<String> {
    columns.into_iter().map(|column| column.sql(table)).collect()
}
