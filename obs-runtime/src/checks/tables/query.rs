//! A query as the subject of checks.

use crate::checks::quality::current_table::TableName;
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::{Statement, TableValue, Values};
use crate::checks::tables::table::{Column, Row, Table};

/// A query in the place of a table: see [`query`].
#[derive(Clone, Debug)]
pub struct QueryTable<'t, T> {
    database: &'t T,
    name: String,
    sql: String,
    values: Vec<TableValue>,
}

/// A query in the place of a table, for every check: `uniqueness(&query(&orders, "SELECT …", []), ["id"])`. It runs in the database
/// of the table, which it need not read. The SQL becomes part of the statement as it is, with a `?` for each value; `[]` is none.
///
/// ```
/// use obs_runtime::tables::{Table, TableError, query, range};
///
/// async fn revenue_falls<T: Table>(orders: &T) -> Result<obs_runtime::Measured, TableError> {
///     let days = query(orders, "SELECT day, SUM(amount) AS revenue FROM orders WHERE shop = ? GROUP BY day", [7]);
///     range(&days, "revenue", 1000..).keys(["day"]).measure().await
/// }
/// ```
pub fn query<T: Table>(database: &T, sql: impl Into<String>, values: impl Values) -> QueryTable<'_, T> {
    let name = format!("query of {}", database.name());
    let Sql { text, values } = Sql::written(&sql.into(), values.into_values());
    QueryTable { database, name, sql: text, values }
}

impl<T: Table> Table for QueryTable<'_, T> {
    fn source(&self) -> Option<TableName> {
        self.database.source()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn sql_name(&self) -> String {
        format!("({}) AS obs_query", self.sql)
    }

    fn values(&self) -> Vec<TableValue> {
        self.values.clone()
    }

    fn quoted(&self, column: &str) -> String {
        self.database.quoted(column)
    }

    fn seconds_since(&self, sql: &str) -> String {
        self.database.seconds_since(sql)
    }

    fn as_text(&self, sql: &str) -> String {
        self.database.as_text(sql)
    }

    fn canonical(&self, kind: &str) -> String {
        self.database.canonical(kind)
    }

    fn as_number(&self, sql: &str) -> String {
        self.database.as_number(sql)
    }

    fn partition_key(&self, sql: &str) -> String {
        self.database.partition_key(sql)
    }

    fn matches(&self, sql: &str) -> String {
        self.database.matches(sql)
    }

    fn length(&self, sql: &str) -> String {
        self.database.length(sql)
    }

    fn mismatch(&self, sql: &str, value: &TableValue) -> Option<String> {
        self.database.mismatch(sql, value)
    }

    fn cannot_read(&self, other: &Self) -> Option<String> {
        self.database.cannot_read(other.database)
    }

    async fn ask(&self, statement: Statement) -> Result<Vec<Row>, TableError> {
        self.database.ask(statement).await
    }

    async fn store(&self, name: &str, failing: &FailingKeys) -> Result<(), TableError> {
        self.database.store(name, failing).await
    }

    async fn columns(&self) -> Result<Vec<Column>, TableError> {
        let why = "the columns of a query are not known".to_owned();
        Err(TableError::Unusable { table: self.name.clone(), why })
    }
}
