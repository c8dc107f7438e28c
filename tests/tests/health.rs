//! Health checks: groups, caches, dependencies, failure thresholds and manual registration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use obs_runtime::config::Config;
use obs_runtime::testing::{capture, capture_with};
use obs_runtime::{
    Health, HealthCheck, HealthReport, HealthResult, Status, health_check, register_health_check, run_health_checks,
};
use obs_tests::wait;
use serde_json::json;

static BROKEN: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn broken() -> Result<(), String> {
    if BROKEN.load(Ordering::SeqCst) { Err("connection refused".to_owned()) } else { Ok(()) }
}

#[health_check(groups("flapping"), failures = 3)]
fn flaps() -> Result<(), String> {
    broken()
}

#[health_check(groups("cached"), cache = "1h")]
fn cached() -> usize_health::Count {
    usize_health::Count(CALLS.fetch_add(1, Ordering::SeqCst))
}

mod usize_health {
    use obs_runtime::{Health, IntoHealth};

    /// A user's type can be a result.
    pub struct Count(pub usize);

    impl IntoHealth for Count {
        fn into_health(self) -> Health {
            Health::healthy().with_details(&self.0)
        }
    }
}

#[health_check(groups("base"))]
fn database() -> Result<(), String> {
    Err("connection refused".to_owned())
}

#[health_check(groups("chain"), after("database"))]
fn warehouse() {}

#[health_check(groups("chain"), after("warehouse", "network"))]
fn reports() {}

#[health_check(groups("chain"), critical = false)]
fn network() {}

#[health_check(groups("cycle"), after("tail"))]
fn head() {}

#[health_check(groups("cycle"), after("head"))]
fn tail() {}

#[health_check(groups("details"))]
fn with_details() -> Health {
    let details = json!({"free": 2, "password": "hunter2", "hosts": ["postgres://ada:hunter2@db/queue"]});
    Health::degraded("few connections are free").with_details(&details)
}

fn run(group: &str) -> HealthReport {
    run_health_checks().group(group).wait()
}

fn check<'r>(report: &'r HealthReport, name: &str) -> &'r HealthResult {
    report.checks.iter().find(|check| check.name == name).unwrap()
}

#[test]
fn a_healthy_check_becomes_unhealthy_after_consecutive_failures() {
    capture(|| {
        let status = |broken: bool| {
            BROKEN.store(broken, Ordering::SeqCst);
            run("flapping").status
        };
        assert_eq!(status(true), Status::Unhealthy, "it was never healthy before");
        assert_eq!(status(false), Status::Healthy);
        assert_eq!([status(true), status(true)], [Status::Degraded; 2]);
        assert_eq!(check(&run("flapping"), "flaps").message.as_deref(), Some("connection refused"));
        assert_eq!([status(true), status(true)], [Status::Unhealthy; 2]);
        assert_eq!([status(false), status(true), status(false)], [Status::Healthy, Status::Degraded, Status::Healthy]);
        BROKEN.store(true, Ordering::SeqCst);
        let message = check(&run("flapping"), "flaps").message.clone();
        assert_eq!(message.as_deref(), Some("failure 1 of 3 in a row: connection refused"));
    });
}

#[test]
fn a_result_is_cached_for_the_duration_of_its_check() {
    let captured = capture(|| {
        let first = run("cached");
        assert_eq!((check(&first, "cached").age_seconds, first.status), (None, Status::Healthy));
        let again = run("cached");
        assert!(check(&again, "cached").age_seconds.is_some(), "{again:?}");
        assert_eq!(check(&again, "cached").details, check(&first, "cached").details);
        let uncached = run_health_checks().group("cached").uncached().wait();
        assert_ne!(check(&uncached, "cached").details, check(&first, "cached").details);
    });
    assert_eq!(captured.records.health.len(), 2, "a cached result is not recorded again");
}

#[test]
fn a_check_is_skipped_when_a_dependency_is_unhealthy() {
    let captured = capture(|| run("chain"));
    let report = captured.value;
    let found: Vec<_> = report.checks.iter().map(|check| (&*check.name, check.status)).collect();
    let expected = [
        ("database", Status::Unhealthy),
        ("network", Status::Healthy),
        ("reports", Status::Skipped),
        ("warehouse", Status::Skipped),
    ];
    assert_eq!(found, expected, "a group includes the dependencies of its checks");
    assert_eq!(report.status, Status::Unhealthy);
    assert_eq!(check(&report, "warehouse").message.as_deref(), Some("skipped, because database is unhealthy"));
    assert_eq!(check(&report, "reports").message.as_deref(), Some("skipped, because warehouse is skipped"));
    let gauge = |name| captured.metrics.value("health_check.status", &[("check", name)]);
    assert_eq!([gauge("database"), gauge("network"), gauge("warehouse")], [Some(0.0), Some(1.0), None]);
}

#[test]
fn the_gauge_of_a_skipped_check_is_removed() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    let registered = [
        HealthCheck::new("store", || !DOWN.load(Ordering::SeqCst)).groups(&["going"]).register(),
        HealthCheck::new("index", || true).groups(&["going"]).after(&["store"]).register(),
    ];
    let captured = capture(|| {
        assert_eq!(run("going").status, Status::Healthy);
        DOWN.store(true, Ordering::SeqCst);
        assert_eq!(run("going").status, Status::Unhealthy);
    });
    let gauge = |name| captured.metrics.value("health_check.status", &[("check", name)]);
    assert_eq!([gauge("store"), gauge("index")], [Some(0.0), None]);
    registered.into_iter().for_each(obs_runtime::Registration::unregister);
}

#[test]
fn a_dependency_cycle_is_reported_and_does_not_hang() {
    let captured = capture(|| run("cycle"));
    assert_eq!(captured.value.status, Status::Unhealthy);
    let message = check(&captured.value, "head").message.clone().unwrap();
    assert_eq!(message, "never runs: it comes after itself, through tail");
    let problems = obs_runtime::catalogue().problems;
    assert!(problems.iter().any(|problem| problem.contains("`head`") && problem.contains("cycle")), "{problems:?}");
    assert!(captured.records.logs.iter().any(|line| line.message.contains("`tail`")), "{:?}", captured.records.logs);
}

#[test]
fn disabled_checks_are_skipped_and_an_empty_selection_is_unknown() {
    let off = Config::default().with(|config| config.health_check_enabled = false);
    let captured = capture_with(off, || run("chain"));
    assert_eq!(captured.value.status, Status::Skipped);
    assert!(captured.value.checks.iter().all(|check| check.status == Status::Skipped));
    assert_eq!(captured.metrics.value("health_check.status", &[("check", "network")]), None);
    let captured = capture(|| run("no such group"));
    assert_eq!(captured.value.status, Status::Unknown);
    let message = &captured.records.logs[0].message;
    assert!(message.starts_with("no health check is in the group `no such group`; the groups are base, "), "{message}");
    assert_eq!([Status::Unknown, Status::Skipped].map(Status::exit_code), [3, 3]);
}

#[test]
fn details_are_redacted() {
    let report = capture(|| run("details")).value;
    let details = check(&report, "with_details").details.clone().unwrap();
    assert_eq!(details["free"], 2);
    assert!(!details.to_string().contains("hunter2"), "{details}");
    let listed = serde_json::to_value(&report).unwrap();
    assert_eq!((&listed["status"], &listed["checks"][0]["status"]), (&json!("degraded"), &json!("degraded")));
    let time = listed["checks"][0]["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000000Z".len(), "{time}");
}

struct Pool {
    free: AtomicUsize,
}

impl Pool {
    #[health_check(groups("pools"), critical = false, timeout = "30s")]
    fn has_room(&self) -> bool {
        self.free.load(Ordering::SeqCst) > 0
    }

    #[health_check(name = "answers", groups("pools"))]
    async fn ping(&self) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[test]
fn methods_and_closures_can_be_registered_and_unregistered() {
    let pool = Arc::new(Pool { free: AtomicUsize::new(1) });
    let registered = [
        pool.has_room_health_check().register(),
        pool.ping_health_check().register(),
        HealthCheck::new_async("remote", || async { Ok::<_, String>(()) }).groups(&["pools"]).register(),
    ];
    assert_eq!(run("pools").status, Status::Healthy);
    pool.free.store(0, Ordering::SeqCst);
    let report = run("pools");
    assert_eq!(report.status, Status::Degraded);
    assert_eq!(report.checks.iter().map(|check| &*check.name).collect::<Vec<_>>(), ["answers", "has_room", "remote"]);
    registered.into_iter().for_each(obs_runtime::Registration::unregister);
    assert_eq!(run("pools").status, Status::Unknown);
    // A thread that ran a check may not have ended yet.
    wait::until_true("unregistered checks release their value", || Arc::strong_count(&pool) == 1);
    register_health_check("inbox", || std::fs::read_dir("/no/such/folder").map(drop));
    assert!(run_health_checks().wait().checks.iter().any(|check| check.name == "inbox"));
}

#[test]
fn a_duplicate_name_is_reported_with_both_locations() {
    let first = HealthCheck::new("twin", || ()).groups(&["twins"]).register();
    let second = HealthCheck::new("twin", || ()).groups(&["twins"]).register();
    let problems = obs_runtime::catalogue().problems;
    let problem = problems.iter().find(|problem| problem.contains("`twin`")).unwrap();
    let line = line!();
    for place in [line - 4, line - 3] {
        assert!(problem.contains(&format!("health.rs:{place}")), "{problem}");
    }
    [first, second].into_iter().for_each(obs_runtime::Registration::unregister);
}
