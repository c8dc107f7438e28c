//! sqlx, whose SQLite connections run queries on threads of their own and log them there.

use obs_runtime::{FutureInContext as _, LogContext, track_performance, with_error_tracking};
use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tracing::Instrument as _;

use crate::Result;
use crate::order::{Nothing, Order, start};
use crate::work::metrics;

const QUERIES: u64 = 400;

#[with_error_tracking]
#[track_performance]
async fn query(pool: &SqlitePool, number: u64) -> std::result::Result<i64, sqlx::Error> {
    tracing::info!(number, "asked");
    let table = if number.is_multiple_of(10) { "nowhere" } else { "(SELECT 1)" };
    // The text tells the lines of queries apart.
    sqlx::query_scalar(&format!("SELECT {number} FROM {table}")).fetch_one(pool).await
}

pub fn run(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().in_memory(true).log_statements(log::LevelFilter::Info);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let asked: Vec<_> = (0..QUERIES)
            .map(|number| {
                let pool = pool.clone();
                let context = LogContext::new().correlation_id(format!("id-{number}")).user(format!("user-{number}"));
                let query = async move { query(&pool, number).await };
                context.scope(|| {
                    let query = query.instrument(tracing::info_span!("job", number));
                    tokio::spawn(query.in_current_context())
                })
            })
            .collect();
        for asked in asked {
            let _ = asked.await?;
        }
        Result::Ok(())
    })?;
    let query = ("operation", "query");
    Ok(metrics(&[
        ("operation.success", &[query]),
        ("operation.failure", &[query, ("outcome", "error")]),
        ("operation.error", &[query, ("error_type", "SqliteError")]),
    ]))
}
