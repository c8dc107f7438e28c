//! Health as probes ask for it: many at a time share one run, and a result holds for a moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::checks::health::report::HealthReport;
use crate::checks::health::run::run_health_checks;

/// How long a report holds for probes.
const HOLDS: Duration = Duration::from_secs(1);

static GROUPS: Mutex<BTreeMap<String, Group>> = Mutex::new(BTreeMap::new());

/// What is known of a group's health.
#[derive(Default)]
struct Group {
    last: Option<(Instant, Arc<HealthReport>)>,
    /// Who waits for the run that is under way.
    waiting: Vec<oneshot::Sender<Arc<HealthReport>>>,
    running: bool,
}

fn groups() -> MutexGuard<'static, BTreeMap<String, Group>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The health of a group that there is, of all when it is empty; at most a second old. Waits without blocking the thread, on
/// any executor.
pub async fn health_of(group: &str) -> Arc<HealthReport> {
    let report = {
        let mut groups = groups();
        let known = groups.entry(group.to_owned()).or_default();
        if let Some((_, report)) = known.last.as_ref().filter(|(at, _)| at.elapsed() < HOLDS) {
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
    // Without a thread, nothing waits for us but this.
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
        // Whoever asked may have gone.
        let _ = waiting.send(Arc::clone(&report));
    }
}

/// Forgets every report: a pipeline has come or gone.
pub fn forget() {
    for known in groups().values_mut() {
        known.last = None;
    }
}
