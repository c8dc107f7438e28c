//! Are a table's columns those that are expected?

use crate::checks::quality::measure::Verdict;
use crate::checks::tables::error::TableError;
use crate::checks::tables::table::{Column, Table};

/// Whether a table has these columns, of these types, and no others; their order is no matter, and neither is upper or lower
/// case. Types are those of the database: `INTEGER`, `STRING`, `ARRAY<STRING>`.
///
/// # Errors
/// When its columns cannot be told.
pub async fn schema_equality<T, N, K>(
    table: &T,
    expected: impl IntoIterator<Item = (N, K)> + Send,
) -> Result<Verdict, TableError>
where
    T: Table,
    N: Into<String>,
    K: Into<String>,
{
    let expected: Vec<Column> = expected.into_iter().map(|(name, kind)| Column::new(name, kind)).collect();
    let seen = table.columns().await?;
    let named = |columns: &[Column], name: &str| {
        let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        found.map(|column| table.canonical(&column.kind))
    };
    let mut faults = Vec::new();
    for Column { name, kind } in &expected {
        match named(&seen, name) {
            None => faults.push(format!("{name} is missing")),
            Some(other) if other != table.canonical(kind) => {
                faults.push(format!("{name} is {other}, not {}", table.canonical(kind)));
            }
            Some(_) => {}
        }
    }
    let extra = seen.iter().filter(|column| named(&expected, &column.name).is_none());
    faults.extend(extra.map(|column| format!("{} is new", column.name)));
    if faults.is_empty() {
        return Ok(Verdict::passed());
    }
    Ok(Verdict::failed(faults.join(", ")).expected(listed(&expected)).seen(listed(&seen)))
}

fn listed(columns: &[Column]) -> String {
    columns.iter().map(|Column { name, kind }| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
}
