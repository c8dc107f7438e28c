//! For each line of its standard input it records every family of the catalogue and metrics of its own, flushes, and prints
//! `done` and the line. Before that it prints the address of its metrics.

use std::io::Write as _;

use metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram};

#[path = "../../tests/real_prometheus/all_families.rs"]
mod all_families;

use all_families::{HOSTILE, always_fails, work};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    println!("{}", guard.metrics_address().map(|address| address.to_string()).unwrap_or_default());
    describe_counter!("rows.loaded", Unit::Count, "Rows that were loaded.");
    describe_histogram!("load.seconds", Unit::Seconds, "How long it took.");
    for line in std::io::stdin().lines() {
        let number: u32 = line?.parse()?;
        work(HOSTILE);
        let _ = always_fails();
        counter!("rows.loaded", "table" => "users", "job" => "nightly", "empty" => "").increment(number.into());
        counter!("rows.loaded", "table" => HOSTILE).increment(2);
        gauge!("queue-depth", "service" => "other").set(4.5 - f64::from(number));
        histogram!("load.seconds", "zone" => HOSTILE).record(0.3 * f64::from(number));
        histogram!("batch_rows").record(1e9);
        histogram!("share").record(0.07 * f64::from(number));
        // The second flush sends what the first one counts.
        guard.flush();
        guard.flush();
        println!("done {number}");
        std::io::stdout().flush()?;
    }
    Ok(())
}
