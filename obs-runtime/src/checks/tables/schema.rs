//! Comparing a table's columns with the expected ones.

use crate::checks::quality::measure::Verdict;
use crate::checks::tables::error::TableError;
use crate::checks::tables::table::{Column, Table};

/// Checks that a table has exactly these columns, with these types, in any order and case. Types are those of the database:
/// `INTEGER`, `STRING`, `ARRAY<STRING>`.
///
/// # Errors
/// If the columns cannot be read.
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
    let mut differences = Vec::new();
    for Column { name, kind } in &expected {
        match named(&seen, name) {
            None => differences.push(format!("{name} is missing")),
            Some(other) if other != table.canonical(kind) => {
                differences.push(format!("{name} is {other}, not {}", table.canonical(kind)));
            }
            Some(_) => {}
        }
    }
    let extra = seen.iter().filter(|column| named(&expected, &column.name).is_none());
    differences.extend(extra.map(|column| format!("{} is new", column.name)));
    if differences.is_empty() {
        return Ok(Verdict::passed());
    }
    Ok(Verdict::failed(differences.join(", ")).expected(listed(&expected)).seen(listed(&seen)))
}

fn listed(columns: &[Column]) -> String {
    columns.iter().map(|Column { name, kind }| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
}
