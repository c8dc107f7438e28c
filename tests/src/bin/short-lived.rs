//! A job of a few milliseconds: a hundred annotated calls, and a hundred counts and observations by the macros of the crate
//! `metrics`. Its first argument is the way it ends: `return`, `error`, `panic`, `exit` (by `obs_runtime::exit`), `TERM`, `INT`,
//! or by `std::process::exit` on the main thread (`process-exit`) or on another one (`thread-exit`). With `hang` it says `ready`
//! and does not end.

use obs_runtime::{track_performance, tracked_command};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::raise;

/// How often each of these is done.
const TIMES: u32 = 100;

#[track_performance]
fn step(number: u32) -> u32 {
    number
}

/// Sends itself a signal and waits.
fn end_by(signal: i32) -> Result<(), Box<dyn std::error::Error>> {
    raise(signal)?;
    loop {
        std::thread::park();
    }
}

#[tracked_command]
fn short_lived(way: &str) -> Result<(), Box<dyn std::error::Error>> {
    for number in 0..TIMES {
        step(number);
        metrics::counter!("short_lived.rows", "table" => "users").increment(1);
        metrics::histogram!("short_lived.batch_rows").record(f64::from(number));
    }
    match way {
        "return" => Ok(()),
        "error" => Err("asked to fail".into()),
        "panic" => panic!("asked to panic"),
        "exit" => obs_runtime::exit(7),
        "process-exit" => std::process::exit(7),
        "thread-exit" => std::thread::spawn(|| std::process::exit(7)).join().map_err(|_| "it panicked".into()),
        "TERM" => end_by(SIGTERM),
        "INT" => end_by(SIGINT),
        "hang" => {
            println!("ready");
            loop {
                std::thread::park();
            }
        }
        other => Err(format!("unknown argument: {other}").into()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    short_lived(&std::env::args().nth(1).unwrap_or_default())
}
