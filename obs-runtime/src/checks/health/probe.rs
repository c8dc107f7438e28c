//! Health for probes: concurrent requests share one run, and its report is reused for a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::checks::health::report::HealthReport;
use crate::checks::health::run::run_health_checks;

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
            known.running = std::thread::Builder::new().name("obs-health".to_owned()).spawn(move || run(&name)).is_ok();
        }
        if !known.running {
            known.waiting.clear();
        }
        report
    };
    // The sender is gone when no thread could be started.
    report.await.unwrap_or_else(|_| Arc::new(run_now(group)))
}

fn run_now(group: &str) -> HealthReport {
    let run = run_health_checks();
    if group.is_empty() { run.run() } else { run.group(group).run() }
}

fn run(group: &str) {
    let report = Arc::new(run_now(group));
    let waiting = {
        let mut groups = groups();
        let known = groups.entry(group.to_owned()).or_default();
        known.running = false;
        known.last = Some((Instant::now(), Arc::clone(&report)));
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
