//! A job of a program in which panics do not unwind: what happened has to leave from within the panic's hook.

use obs_runtime::{track_performance, tracked_command, with_error_tracking};

#[track_performance]
#[with_error_tracking(context(row = 7))]
fn load(elsewhere: bool) {
    let fails = || panic!("asked to panic");
    if elsewhere { drop(std::thread::spawn(fails).join()) } else { fails() }
}

#[tracked_command(name = "aborts", cron = "@daily")]
fn command(elsewhere: bool) {
    load(elsewhere);
}

fn main() -> Result<(), obs_runtime::InitError> {
    let _guard = obs_runtime::init!()?;
    command(std::env::args().nth(1).is_some());
    Ok(())
}
