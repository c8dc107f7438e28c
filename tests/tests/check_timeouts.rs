//! 200 checks of which 60 hang or panic: the run ends after one timeout, and every other result is right.

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
                let broken = || -> bool { panic!("expected by the test") };
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

fn run_all_checks() {
    // A capture has a runner of its own, so that checks which hang do not affect other captures.
    let captured = capture(|| {
        let start = Instant::now();
        let health = std::thread::spawn((|| run_health_checks().wait()).in_current_context());
        let quality = run_dq_checks().wait();
        let health = health.join().unwrap();
        // One after the other, the checks that hang would take 40 timeouts.
        assert!(start.elapsed() < 4 * TIMEOUT, "{:?}", start.elapsed());
        (health, quality)
    });
    let (health, quality) = captured.value;
    assert_eq!((health.checks.len(), quality.results.len()), (CHECKS, CHECKS));
    for (index, (health, quality)) in health.checks.iter().zip(&quality.results).enumerate() {
        assert_eq!((&*health.name, &*quality.check), (&*name(index), &*name(index)), "results are ordered by name");
        let (message, expected) = match index % 10 {
            0 | 2 => ("no answer within 6s", (Status::Unhealthy, QualityStatus::Errored)),
            1 => ("panicked: expected by the test", (Status::Unhealthy, QualityStatus::Errored)),
            _ => ("", (Status::Healthy, QualityStatus::Passed)),
        };
        assert_eq!((health.status, quality.status), expected, "{index}");
        for found in [&health.message, &quality.message] {
            let found = found.as_deref().unwrap_or_default();
            assert!(found.starts_with(message) && found.is_empty() == message.is_empty(), "{index}: {found}");
        }
    }
    assert_eq!(captured.records.health.len(), CHECKS);
}

#[test]
fn a_run_ends_after_one_timeout_in_any_runtime() {
    register();
    std::thread::scope(|scope| {
        scope.spawn(run_all_checks);
        scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { run_all_checks() });
        });
        scope.spawn(|| {
            tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async { run_all_checks() });
        });
    });
    // An awaited run does not block the only worker: another task makes progress meanwhile.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let report = runtime.block_on(async {
        let mut run = tokio::spawn(run_health_checks().timeout(Duration::from_secs(1)).into_future());
        let mut turns = 0;
        loop {
            tokio::select! {
                report = &mut run => {
                    assert!(turns > 2, "{turns}");
                    break report.unwrap();
                }
                () = tokio::time::sleep(Duration::from_millis(5)) => turns += 1,
            }
        }
    });
    assert_eq!(report.status, Status::Unhealthy);
}
