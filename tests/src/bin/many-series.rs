//! A service with metrics of 4 MB. It writes the address of its metrics and serves them until its standard input ends.

use std::io::{Read as _, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    for metric in 0..16 {
        for series in 0..1000 {
            let label = format!("{series:0>220}");
            metrics::counter!(format!("requests_of_{metric}_total"), "name" => label).increment(1);
        }
    }
    println!("{}", guard.metrics_address().map(|address| address.to_string()).unwrap_or_default());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
