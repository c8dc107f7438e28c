//! A program that lists the registered checks: the name, module and location of each.
#![warn(unused_crate_dependencies)]

use std::process::ExitCode;

// Links the crate, to which nothing else refers.
use returns as _;

#[cfg(feature = "with-billing")]
use billing as _;

#[obs_runtime::health_check]
fn of_the_program() {}

fn main() -> ExitCode {
    let catalogue = obs_runtime::catalogue();
    println!("{} orders", orders::number());
    for check in catalogue.health_checks.iter().chain(&catalogue.dq_checks) {
        println!("{} {} {}:{}", check.name, check.place.module, check.place.file, check.place.line);
    }
    for problem in &catalogue.problems {
        eprintln!("error: {problem}");
    }
    if catalogue.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}
