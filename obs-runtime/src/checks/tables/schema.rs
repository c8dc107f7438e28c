//! Checks of a table's columns: their names, order and types.

use crate::checks::quality::current_table;
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
    let seen = columns(table).await?;
    let named = |columns: &[Column], name: &str| {
        let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        found.map(|column| table.canonical(&column.kind))
    };
    let mut differences = Vec::new();
    for Column { name, kind } in &expected {
        match named(&seen, name) {
            None => differences.push(format!("{name} is missing")),
            Some(other) if other != table.canonical(kind) => {
                differences.push(format!("{name} {}, not {}", typed(&other), table.canonical(kind)));
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

/// Checks that a table has these columns, among others, in any order and case.
///
/// # Errors
/// If the columns cannot be read.
pub async fn has_columns<T: Table, N: Into<String>>(
    table: &T,
    names: impl IntoIterator<Item = N> + Send,
) -> Result<Verdict, TableError> {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    let seen = columns(table).await?;
    let has = |name: &str| seen.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let missing: Vec<String> =
        names.iter().filter(|name| !has(name)).map(|name| format!("{name} is missing")).collect();
    if missing.is_empty() {
        return Ok(Verdict::passed());
    }
    Ok(Verdict::failed(missing.join(", ")).expected(names.join(", ")).seen(listed(&seen)))
}

/// Checks that a table has exactly these columns, in this order, in any case.
///
/// # Errors
/// If the columns cannot be read.
pub async fn column_order<T: Table, N: Into<String>>(
    table: &T,
    names: impl IntoIterator<Item = N> + Send,
) -> Result<Verdict, TableError> {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    let seen: Vec<String> = columns(table).await?.into_iter().map(|column| column.name).collect();
    let pairs = || names.iter().zip(&seen);
    if names.len() == seen.len() && pairs().all(|(name, seen)| name.eq_ignore_ascii_case(seen)) {
        return Ok(Verdict::passed());
    }
    let first = pairs().position(|(name, seen)| !name.eq_ignore_ascii_case(seen));
    let first = first.unwrap_or_else(|| names.len().min(seen.len()));
    let name = |names: &[String]| names.get(first).cloned().unwrap_or_else(|| "none".to_owned());
    let why = format!("column {} is {}, not {}", first + 1, name(&seen), name(&names));
    Ok(Verdict::failed(why).expected(names.join(", ")).seen(seen.join(", ")))
}

/// Checks that a column has one of these types: `column_type(&users, "id", ["INTEGER", "BIGINT"])`.
///
/// # Errors
/// If the columns cannot be read.
pub async fn column_type<T: Table, K: Into<String>>(
    table: &T,
    column: impl Into<String> + Send,
    kinds: impl IntoIterator<Item = K> + Send,
) -> Result<Verdict, TableError> {
    let column = column.into();
    let kinds: Vec<String> = kinds.into_iter().map(|kind| table.canonical(&kind.into())).collect();
    let seen = columns(table).await?.into_iter().find(|seen| seen.name.eq_ignore_ascii_case(&column));
    let Some(seen) = seen.map(|seen| table.canonical(&seen.kind)) else {
        return Ok(Verdict::failed(format!("{column} is missing")));
    };
    if kinds.contains(&seen) {
        return Ok(Verdict::passed());
    }
    Ok(Verdict::failed(format!("{column} {}", typed(&seen))).expected(kinds.join(" or ")).seen(seen))
}

/// The number of columns of a table.
///
/// # Errors
/// If the columns cannot be read.
pub async fn column_count<T: Table>(table: &T) -> Result<usize, TableError> {
    Ok(columns(table).await?.len())
}

fn listed(columns: &[Column]) -> String {
    let column = |Column { name, kind }: &Column| if kind.is_empty() { name.clone() } else { format!("{name} {kind}") };
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// What a type is in a sentence. An expression in a view of `SQLite` has none.
fn typed(kind: &str) -> String {
    if kind.is_empty() { "has no type".to_owned() } else { format!("is {kind}") }
}

async fn columns<T: Table>(table: &T) -> Result<Vec<Column>, TableError> {
    current_table::note(table.source());
    table.columns().await
}
