//! A job that initialises obs inside of its command: a sync one, or an async one with any argument.

use obs_runtime::tracked_command;

#[tracked_command]
async fn asynchronous() -> Result<(), obs_runtime::InitError> {
    let _guard = obs_runtime::init!()?;
    tokio::task::yield_now().await;
    tracing::info!("inside");
    Ok(())
}

#[tracked_command]
fn main() -> Result<(), obs_runtime::InitError> {
    if std::env::args().nth(1).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        return runtime.map_or(Ok(()), |runtime| runtime.block_on(asynchronous()));
    }
    let _guard = obs_runtime::init!()?;
    tracing::info!("inside");
    Ok(())
}
