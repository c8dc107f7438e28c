//! A program with a health check and a data-quality check that hang while they hold the locks of standard output and standard
//! error.

use std::io;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};

use clap::Parser;
use obs_runtime::{Observability, cli, dq_check, health_check, tracked_command};

#[derive(Parser)]
enum Command {
    #[command(flatten)]
    Obs(cli::Command),
}

/// Whether the locks are held.
static HELD: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn hold() -> bool {
    let (_output, _error) = (io::stdout().lock(), io::stderr().lock());
    *HELD.0.lock().unwrap() = true;
    HELD.1.notify_all();
    loop {
        std::thread::park();
    }
}

fn wait_until_held() {
    drop(HELD.1.wait_while(HELD.0.lock().unwrap(), |held| !*held).unwrap());
}

#[health_check(timeout = "500ms", groups("held"))]
fn holds() -> bool {
    hold()
}

#[health_check(groups("held"))]
fn speaks() {
    wait_until_held();
    tracing::warn!("said while they are held");
}

#[health_check(groups("held"))]
fn panics() -> bool {
    wait_until_held();
    panic!("as the test wants it")
}

#[dq_check(timeout = "500ms", dataset = "held")]
fn holds_too() -> bool {
    hold()
}

#[dq_check(dataset = "held", fail_above = 0)]
fn fails() -> u8 {
    wait_until_held();
    tracing::warn!("said while they are held");
    2
}

/// Logs from the main thread.
#[tracked_command]
fn publish() {}

fn main() -> ExitCode {
    let Command::Obs(command) = Command::parse();
    let _guard = Observability::builder().prometheus_port(0).init();
    let code = command.run();
    publish();
    code
}
