//! Guards that are kept for a moment only.

use obs_runtime::{init_observability, track_performance, tracked_command};

#[track_performance]
fn step() {}

#[tracked_command]
fn command() {}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("dropped") => {
            let _ = init_observability();
            step();
            let _ = init_observability();
        }
        Some("call") => {
            let _guard = init_observability();
            step();
        }
        Some("command") => {
            let _guard = init_observability();
            command();
        }
        Some("line") => {
            let _guard = init_observability();
            tracing::warn!("a line");
        }
        Some("counter") => {
            let _guard = init_observability();
            metrics::counter!("rows").increment(1);
        }
        Some("gauge") => {
            let _guard = init_observability();
            metrics::gauge!("rows").set(1.0);
        }
        Some("histogram") => {
            let _guard = init_observability();
            metrics::histogram!("rows").record(1.0);
        }
        _ => {}
    }
}
