//! Health for probes: concurrent requests share one run, and its report is reused for a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::checks::health::report::HealthReport;
use crate::checks::health::run::run_health_checks;
use crate::checks::health::status::Status;
use crate::events::panics::caught;
use crate::metrics::drop_counters;

/// How long a report is reused.
const MAX_AGE: Duration = Duration::from_secs(1);

static GROUPS: Mutex<BTreeMap<String, Group>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Group {
    last: Option<(Instant, Arc<HealthReport>)>,
    /// The requests that wait for the run in progress.
    waiting: Vec<oneshot::Sender<Arc<HealthReport>>>,
    running: bool,
}

fn groups() -> MutexGuard<'static, BTreeMap<String, Group>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The health of an existing group, or of all checks if it is empty; at most a second old. Does not block the thread and
/// works on any executor.
pub async fn health_of(group: &str) -> Arc<HealthReport> {
    let report = {
        let mut groups = groups();
        let known = groups.entry(group.to_owned()).or_default();
        if let Some((_, report)) = known.last.as_ref().filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return Arc::clone(report);
        }
        let (sender, report) = oneshot::channel();
        known.waiting.push(sender);
        if !known.running {
            let name = group.to_owned();
            known.running = std::thread::Builder::new()
                .name("obs-health".to_owned())
                .spawn(move || run(&name, || run_now(&name)))
                .is_ok();
        }
        if !known.running {
            known.waiting.clear();
        }
        report
    };
    // The sender is gone when no thread could be started.
    report.await.unwrap_or_else(|_| completed(|| run_now(group)).0)
}

fn run_now(group: &str) -> HealthReport {
    let run = run_health_checks();
    if group.is_empty() { run.run() } else { run.group(group).run() }
}

/// The report of a run, and whether it ended. One that panics is unhealthy, as nothing is known of the checks.
fn completed(run: impl FnOnce() -> HealthReport) -> (Arc<HealthReport>, bool) {
    if let Ok(report) = caught(run) {
        return (Arc::new(report), true);
    }
    drop_counters::count("checks", "panic", 1);
    (Arc::new(HealthReport { status: Status::Unhealthy, checks: Vec::new() }), false)
}

/// Runs checks, and sends the report to all requests that wait for it.
fn run(group: &str, checks: impl FnOnce() -> HealthReport) {
    let (report, ended) = completed(checks);
    let waiting = {
        let mut groups = groups();
        let known = groups.entry(group.to_owned()).or_default();
        known.running = false;
        known.last = ended.then(|| (Instant::now(), Arc::clone(&report)));
        std::mem::take(&mut known.waiting)
    };
    for waiting in waiting {
        // Fails when the request was cancelled.
        let _ = waiting.send(Arc::clone(&report));
    }
}

/// Discards all reports, when a pipeline is installed or removed.
pub fn discard_reports() {
    for known in groups().values_mut() {
        known.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_panics_leaves_no_request_waiting_and_the_next_request_runs_again() {
        let group = "a group whose run panics";
        let (sender, waiting) = oneshot::channel();
        groups().insert(group.to_owned(), Group { last: None, waiting: vec![sender], running: true });
        run(group, || panic!("expected by the test"));
        assert_eq!(waiting.blocking_recv().map(|report| report.status), Ok(Status::Unhealthy));
        let mut groups = groups();
        let known = groups.remove(group).unwrap();
        assert!(!known.running && known.waiting.is_empty() && known.last.is_none());
    }
}
