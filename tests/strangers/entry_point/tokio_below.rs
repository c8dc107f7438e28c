//! An async job; the attribute of the runtime stands below.

use obs_runtime::{correlation_id, tracked_command, with_error_tracking};

#[tracked_command(init)]
#[with_error_tracking]
#[tokio::main]
async fn main() -> Result<(), String> {
    let id = correlation_id();
    tokio::task::yield_now().await;
    assert!(id.is_some() && id == correlation_id());
    assert_eq!(obs_runtime::spawn(async { correlation_id() }).await.map_err(|error| error.to_string())?, id);
    Err("not today".to_owned())
}
