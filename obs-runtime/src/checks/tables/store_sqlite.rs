//! A table of `SQLite` with the keys of failing rows.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::sqlite_connection::{Access, interruptible, quoted};

/// Adds the keys to the table of that name, and deletes the oldest runs.
pub async fn keep(file: &Path, name: &str, failing: &FailingKeys) -> rusqlite::Result<()> {
    let (name, failing) = (quoted(name), failing.clone());
    interruptible(file, Access::Write, move |connection| write(connection, &name, &failing)).await
}

fn write(connection: &mut Connection, name: &str, failing: &FailingKeys) -> rusqlite::Result<()> {
    let [run_id, found_at, check, table, keys] = FailingKeys::COLUMNS;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        &format!(
            "CREATE TABLE IF NOT EXISTS {name} ({run_id} TEXT, {found_at} TEXT, {check} TEXT, {table} TEXT, {keys} TEXT)"
        ),
        [],
    )?;
    let insert = format!("INSERT INTO {name} ({run_id}, {found_at}, {check}, {table}, {keys}) VALUES (?, ?, ?, ?, ?)");
    {
        let mut insert = transaction.prepare(&insert)?;
        for keys in failing.json() {
            insert.execute(params![failing.run_id, failing.time, failing.check, failing.table, keys])?;
        }
    }
    let keep = i64::try_from(failing.keep).unwrap_or(i64::MAX);
    transaction.execute(
        &FailingKeys::delete_oldest(name),
        params![failing.check, failing.table, failing.check, failing.table, keep],
    )?;
    transaction.commit()
}
