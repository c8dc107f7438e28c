use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use metrics::Level;

use super::*;
use crate::exporters::prometheus::exposition::Sample;

const THREADS: usize = 4;
const EACH: usize = 20_000;

/// The observations of a histogram that are rendered.
fn observed(registry: &UserMetricRegistry, name: &str) -> u64 {
    let mut exposition = Exposition::default();
    registry.add_to(&mut exposition, &[]);
    let series = exposition.metrics.get(name).into_iter().flat_map(|metric| metric.series.values());
    let counts = series.map(|sample| match sample {
        Sample::Histogram { counts, .. } => counts.iter().sum(),
        Sample::Number(_) => 0,
    });
    counts.sum()
}

#[test]
fn no_observation_is_lost_while_metrics_are_rendered_and_kept_up() {
    let registry = UserMetricRegistry::new();
    let metadata = Metadata::new("tests", Level::INFO, None);
    for round in 0..60 {
        let name = format!("latency_{round}");
        let histogram = registry.register_histogram(&Key::from_name(name.clone()), &metadata);
        let recorded = AtomicBool::new(false);
        let begin = Barrier::new(THREADS + 2);
        let until_recorded = |drain: &dyn Fn()| {
            begin.wait();
            while !recorded.load(Ordering::SeqCst) {
                drain();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| until_recorded(&|| registry.upkeep()));
            scope.spawn(|| until_recorded(&|| registry.add_to(&mut Exposition::default(), &[])));
            let recording: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        begin.wait();
                        for _ in 0..EACH {
                            histogram.record(1.0);
                        }
                    })
                })
                .collect();
            for thread in recording {
                thread.join().unwrap();
            }
            recorded.store(true, Ordering::SeqCst);
        });
        assert_eq!(observed(&registry, &name), (THREADS * EACH) as u64, "round {round}");
    }
}
