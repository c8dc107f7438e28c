//! An async job; the attribute of the runtime stands above.

use obs_runtime::{correlation_id, tracked_command};

#[tokio::main(flavor = "current_thread")]
#[tracked_command(init)]
async fn main() -> Result<(), String> {
    let id = correlation_id();
    tokio::task::yield_now().await;
    assert!(id.is_some() && id == correlation_id());
    assert_eq!(obs_runtime::spawn(async { correlation_id() }).await.map_err(|error| error.to_string())?, id);
    Err("not today".to_owned())
}
