//! Leaks the whole corpus of secrets into everything that obs writes, then waits until its standard input ends. With two
//! numbers, leaks the samples between them, each sent before the next.

use std::io::{Write as _, stdin, stdout};

use obs_runtime::Observability;
use obs_tests::leaks::{leak_some, leak_the_corpus};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What the standard library says of panics is not obs' doing.
    std::panic::set_hook(Box::new(|_| {}));
    let guard = Observability::builder().init()?;
    let numbers = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<Vec<usize>, _>>()?;
    if let [from, to] = numbers[..] {
        leak_some(from..to, || guard.flush());
        return Ok(());
    }
    leak_the_corpus();
    guard.flush();
    let address = guard.metrics_address().ok_or("no metrics")?;
    writeln!(stdout(), "metrics at {address}")?;
    for line in stdin().lines() {
        line?;
    }
    Ok(())
}
