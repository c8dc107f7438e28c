//! Leaks the whole corpus of secrets into everything that obs writes, then waits until its standard input ends.

use std::io::{Write as _, stdin, stdout};

use obs_runtime::Observability;
use obs_tests::leaks::leak_the_corpus;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What the standard library says of panics is not obs' doing.
    std::panic::set_hook(Box::new(|_| {}));
    let guard = Observability::builder().init()?;
    leak_the_corpus();
    guard.flush();
    let address = guard.metrics_address().ok_or("no metrics")?;
    writeln!(stdout(), "metrics at {address}")?;
    for line in stdin().lines() {
        line?;
    }
    Ok(())
}
