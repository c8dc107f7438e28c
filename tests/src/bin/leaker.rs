//! Leaks the whole corpus of secrets, then waits until its standard input ends. With two numbers as arguments it leaks the
//! samples between them, with a flush after each, and ends.

use std::io::{Write as _, stdin, stdout};

use obs_runtime::Observability;
use obs_tests::leaks::{leak_some, leak_the_corpus};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The standard library would print panic messages unredacted.
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
