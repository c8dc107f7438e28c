//! A job of a hundred calls that then waits for a signal. Its first argument is `as-is`, `own` (obs leaves signals to the
//! program) or `unguarded` (the guard is dropped before).

use obs_runtime::{Observability, track_performance, tracked_command};

#[track_performance]
fn step() {}

/// Writes its process id to standard output and waits.
fn ready() {
    println!("ready {}", std::process::id());
    loop {
        std::thread::park();
    }
}

#[tracked_command]
fn inner() {
    ready();
}

#[tracked_command(user = "ada", args(table))]
fn interrupted(table: &str) {
    for _ in 0..100 {
        step();
    }
    tracing::info!(table, "a hundred steps are done");
    let _within = std::thread::spawn(inner).join();
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let guard = Observability::builder().signals(mode != "own").init()?;
    if mode == "unguarded" {
        drop(guard);
        ready();
    }
    interrupted("users");
    Ok(())
}
