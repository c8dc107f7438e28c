//! A job that does a hundred things and then waits to be ended by a signal: as its first argument says, `as-is`, or with
//! signals left to the program (`own`), or with the guard dropped (`unguarded`).

use obs_runtime::{Observability, track_performance, tracked_command};

#[track_performance]
fn step() {}

/// Says it and its process' number on standard output, where a test waits for it.
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

#[tracked_command]
fn interrupted() {
    for _ in 0..100 {
        step();
    }
    let _within = std::thread::spawn(inner).join();
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let way = std::env::args().nth(1).unwrap_or_default();
    let guard = Observability::builder().signals(way != "own").init()?;
    if way == "unguarded" {
        drop(guard);
        ready();
    }
    interrupted();
    Ok(())
}
