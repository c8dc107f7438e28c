//! 200 checks of which 60 misbehave: the run ends in time, and every other result is right.

use std::time::{Duration, Instant};

use obs_runtime::testing::capture;
use obs_runtime::{
    ClosureInContext as _, HealthCheck, QualityCheck, QualityStatus, Status, run_dq_checks, run_health_checks,
};

const CHECKS: usize = 200;
const TIMEOUT: Duration = Duration::from_secs(6);

fn hang() -> bool {
    loop {
        std::thread::park();
    }
}

fn name(index: usize) -> String {
    format!("check {index:03}")
}

fn register() {
    for index in 0..CHECKS {
        let (health, quality) = match index % 10 {
            0 => (HealthCheck::new(name(index), hang), QualityCheck::new(name(index), hang)),
            1 => {
                let broken = || -> bool { panic!("a panic that the test wants") };
                (HealthCheck::new(name(index), broken), QualityCheck::new(name(index), broken))
            }
            // Blocks the thread on which its future is polled.
            2 => {
                let blocks = || async { hang() };
                (HealthCheck::new_async(name(index), blocks), QualityCheck::new_async(name(index), blocks))
            }
            3 => {
                let sleeps = || async {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    true
                };
                (HealthCheck::new_async(name(index), sleeps), QualityCheck::new_async(name(index), sleeps))
            }
            _ => (HealthCheck::new(name(index), || true), QualityCheck::new(name(index), || true)),
        };
        health.timeout(TIMEOUT).register();
        quality.timeout(TIMEOUT).register();
    }
}

fn everything() {
    // A capture runs checks for itself, so what hangs here hangs for nobody else.
    let captured = capture(|| {
        let begun = Instant::now();
        let health = std::thread::spawn((|| run_health_checks().wait()).in_current_context());
        let quality = run_dq_checks().wait();
        let health = health.join().unwrap();
        assert!(begun.elapsed() <= TIMEOUT.mul_f64(1.1), "{:?}", begun.elapsed());
        (health, quality)
    });
    let (health, quality) = captured.value;
    assert_eq!((health.checks.len(), quality.results.len()), (CHECKS, CHECKS));
    for (index, (health, quality)) in health.checks.iter().zip(&quality.results).enumerate() {
        assert_eq!((&*health.name, &*quality.check), (&*name(index), &*name(index)), "the order is that of the names");
        let (message, expected) = match index % 10 {
            0 | 2 => ("no answer within 6s", (Status::Unhealthy, QualityStatus::Errored)),
            1 => ("panicked: a panic that the test wants", (Status::Unhealthy, QualityStatus::Errored)),
            _ => ("", (Status::Healthy, QualityStatus::Passed)),
        };
        assert_eq!((health.status, quality.status), expected, "{index}");
        for said in [&health.message, &quality.message] {
            assert!(said.as_deref().unwrap_or_default().starts_with(message), "{index}: {said:?}");
        }
    }
    assert_eq!(captured.records.health.len(), CHECKS);
}

#[test]
fn the_run_ends_in_time_with_any_runtime_and_without() {
    register();
    std::thread::scope(|scope| {
        scope.spawn(everything);
        scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { everything() });
        });
        scope.spawn(|| {
            tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async { everything() });
        });
    });
    // Awaited, it blocks no worker: the only one there is has time for something else meanwhile.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let report = runtime.block_on(async {
        let mut run = tokio::spawn(run_health_checks().timeout(Duration::from_secs(1)).into_future());
        let mut turns = 0;
        loop {
            tokio::select! {
                report = &mut run => {
                    assert!(turns > 10, "{turns}");
                    break report.unwrap();
                }
                () = tokio::time::sleep(Duration::from_millis(5)) => turns += 1,
            }
        }
    });
    assert_eq!(report.status, Status::Unhealthy);
}
