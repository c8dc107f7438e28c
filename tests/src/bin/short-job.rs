//! A job of a hundred calls that ends according to its first argument.

use std::process::ExitCode;

use obs_runtime::{ClosureInContext as _, track_performance, tracked_command, with_error_tracking};

#[track_performance(tags(parity = if number.is_multiple_of(2) { "even" } else { "odd" }))]
#[with_error_tracking]
fn step(number: u32) -> Result<u32, std::num::ParseIntError> {
    if number % 10 == 9 { "nine".parse() } else { Ok(number) }
}

#[track_performance]
fn give_up() {
    obs_runtime::exit(7)
}

#[tracked_command]
fn short_job(way: &str) -> Result<(), Box<dyn std::error::Error>> {
    for number in 0..100 {
        let _ = step(number);
    }
    tracing::info!(api_key = "AIzaSyA-1234567890abcdefghijklmnopqrstu", way, "a hundred steps are done");
    match way {
        "return" => Ok(()),
        "error" => Err("asked to fail".into()),
        "panic" => panic!("asked to panic"),
        "exit" => obs_runtime::exit(7),
        "exits" => {
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(give_up.in_current_context())).collect();
            for thread in threads {
                let _ = thread.join();
            }
            Ok(())
        }
        other => Err(format!("unknown argument: {other}").into()),
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    if std::env::args().nth(2).is_some() {
        let second = obs_runtime::init_observability().map(drop).map_err(|error| error.to_string());
        println!("{second:?}");
    }
    short_job(&std::env::args().nth(1).unwrap_or_default())?;
    println!("done");
    Ok(ExitCode::SUCCESS)
}
