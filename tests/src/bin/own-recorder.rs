//! Installs a recorder for the macros of the crate `metrics`, and then initialises obs twice.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

struct Own;

#[derive(Debug)]
struct Sum;

static COUNTED: AtomicU64 = AtomicU64::new(0);

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        COUNTED.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        COUNTED.store(value, Ordering::SeqCst);
    }
}

impl Recorder for Own {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(std::sync::Arc::new(Sum))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    metrics::set_global_recorder(Own).map_err(|_| "there is a recorder already")?;
    for _ in 0..2 {
        let _guard = obs_runtime::init_observability()?;
        metrics::counter!("rows").increment(2);
    }
    println!("counted {}", COUNTED.load(Ordering::SeqCst));
    Ok(())
}
