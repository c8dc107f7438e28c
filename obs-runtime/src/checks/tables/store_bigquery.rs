//! A table of `BigQuery` with the keys of failing rows.

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::tracked_client::Client;
use crate::checks::tables::bigquery::{BigQueryTable, quoted};
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::statement::{Statement, TableValue};

/// The most of the keys in one statement, in bytes: a request takes 10 MB.
const MAX_BYTES: usize = 1 << 20;

/// Adds the keys to the table of that name in the data set of the checked one, and deletes the oldest runs.
pub async fn keep(table: &BigQueryTable, name: &str, failing: &FailingKeys) -> Result<(), TableError> {
    let client = table.own_client().await?;
    let kept = write(table, &client, name, failing).await;
    kept.map_err(|error| table.table_error(error))
}

async fn write(table: &BigQueryTable, client: &Client, name: &str, failing: &FailingKeys) -> Result<(), BigQueryError> {
    let [project, dataset, _] = &table.parts;
    let sql_name = [&**project, &**dataset, name].map(quoted).join(".");
    let columns = FailingKeys::COLUMNS;
    let run = async |statement| table.query(client, statement).run().await.map(drop);
    match client.columns(&format!("{project}.{dataset}.{name}")).await {
        Ok(_) => {}
        Err(error) if error.is_not_found() => {
            let list = columns.map(|column| format!("{column} STRING")).join(", ");
            run(Statement::new(format!("CREATE TABLE IF NOT EXISTS {sql_name} ({list})"), [])).await?;
        }
        Err(error) => return Err(error),
    }
    let mut rest = &*failing.json();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|keys| {
            bytes += keys.len() + 1;
            bytes <= MAX_BYTES
        });
        let (batch, others) = rest.split_at(fitting.count().max(1));
        rest = others;
        // JSON has no line break, so one text is the list: an array of values costs more to send.
        let sql = format!(
            "INSERT INTO {sql_name} ({}) SELECT CAST(? AS STRING), CAST(? AS STRING), CAST(? AS STRING), CAST(? AS STRING), \
             obs_keys FROM UNNEST(SPLIT(CAST(? AS STRING), '\\n')) AS obs_keys",
            columns.join(", ")
        );
        let FailingKeys { run_id, time, check, table, .. } = failing;
        run(Statement::new(sql, [run_id, time, check, table, &batch.join("\n")])).await?;
    }
    let (check, checked) = (TableValue::from(&failing.check), TableValue::from(&failing.table));
    let keep = failing.keep.into();
    let values = vec![check.clone(), checked.clone(), check, checked, keep];
    run(Statement::new(FailingKeys::delete_oldest(&sql_name), values)).await
}
