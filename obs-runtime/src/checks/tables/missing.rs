//! Which of the required values no row has.

use std::collections::BTreeSet;

use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::expr::sql_of;
use crate::checks::tables::measure_sql::{Source, compared, is_one_of};
use crate::checks::tables::sql::Sql;
use crate::checks::tables::statement::Statement;
use crate::checks::tables::subject::{Reading, Subject};
use crate::checks::tables::table::{Row, Table};

/// How many missing values a message names.
const MAX_NAMED: usize = 10;

impl Subject {
    /// A query for which of the required values are there, each as its place in the list; none for other checks and for groups.
    pub(super) fn present_values<T: Table>(&self, table: &T, reading: &Reading) -> Option<Statement> {
        let Self::Absent { required, .. } = self else { return None };
        if required.is_empty() || !reading.groups.is_empty() {
            return None;
        }
        let source = Source { table, reading, columns: sql_of(self.columns(), table) };
        let value = compared(table, &source.columns.join(", "), reading);
        let places = (0..required.len()).map(|place| format!(" WHEN {value} = ? THEN {place}"));
        let mut sql = Sql::new(format!("SELECT DISTINCT CASE{} END", places.collect::<String>()), required.clone());
        sql.append(&source.restricted(&self.name(table), &[is_one_of(&value, required)]));
        Some(sql.at(reading.place))
    }
}

impl<T: Table> TableCheck<'_, T> {
    /// The values that are missing, in words. The rows are those of [`Subject::present_values`].
    pub(super) fn missing_values(&self, rows: &[Row]) -> Result<String, TableError> {
        let Subject::Absent { column, required } = &self.subject else { return Ok(String::new()) };
        let mut present = BTreeSet::new();
        for row in rows {
            let [Some(place)] = &**row else { return Err(self.unexpected(format!("{} columns", row.len()))) };
            let place: usize = place.parse().map_err(|_| self.unexpected(format!("`{place}` is not a number")))?;
            present.insert(place);
        }
        let missing = required.iter().enumerate().filter(|(place, _)| !present.contains(place));
        let missing: Vec<String> = missing.map(|(_, value)| column.redacted(value.shown())).collect();
        let named = missing.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
        Ok(match missing.len().saturating_sub(MAX_NAMED) {
            0 => format!("missing: {named}"),
            more => format!("missing: {named} and {more} more"),
        })
    }
}
