//! A scheduled job in which many rows fail, and which fails in the end. Prints what was dropped once obs is shut down.

use obs_runtime::{Observability, tracked_command, with_error_tracking};

/// Functions whose rate limits are independent.
macro_rules! checks {
    ($($name:ident)*) => {
        $(
            #[with_error_tracking]
            fn $name(row: u32) -> Result<(), String> {
                Err(format!("row {row} of {} is bad", stringify!($name)))
            }
        )*

        const CHECKS: &[fn(u32) -> Result<(), String>] = &[$($name),*];
    };
}

checks!(users orders invoices payments refunds products shipments returns customers suppliers);

/// Rows of each table.
const ROWS: u32 = 20;

#[tracked_command(cron = "0 3 * * *")]
fn row_errors() -> Result<(), String> {
    for row in 0..ROWS {
        for check in CHECKS {
            // Handled: the job goes on.
            let _ = check(row);
        }
    }
    Err("the load has failed".to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = Observability::builder().version("1.2.3").init()?;
    let failed = row_errors().is_err();
    drop(guard);
    println!("failed {failed}");
    if let Some(sentry) = obs_runtime::status().sink("sentry") {
        println!("dropped {}", serde_json::to_string(&sentry.dropped)?);
    }
    Ok(())
}
