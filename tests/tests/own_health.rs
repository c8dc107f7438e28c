//! obs checks what it needs itself, as its configuration says, and runs all checks in the background.

use std::time::Duration;

use obs_runtime::{Observability, Status, health_check, run_health_checks};
use obs_tests::{ports, wait};

const SOON: Duration = Duration::from_secs(30);

/// obs is initialised once in a process: one test after the other.
static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[health_check]
fn in_the_background() {}

#[test]
fn what_obs_needs_is_checked_and_gauges_are_kept_up_to_date() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let logs = folder.path().join("logs");
    let textfiles = folder.path().join("textfiles");
    std::fs::create_dir(&textfiles).unwrap();
    let builder = Observability::builder()
        .without_environment()
        .log_file(logs.join("job.log"))
        .prometheus_port(taken.local_addr().unwrap().port())
        .prometheus_textfile_dir(&textfiles)
        .health_check_interval(Duration::from_millis(20))
        .defaults(|config| {
            config.datadog_enabled = true;
            config.datadog_agent_host = "127.0.0.1".to_owned();
            config.datadog_agent_port = ports::free();
        });
    let guard = builder.init().unwrap();
    let gauge = |name| obs_runtime::metrics().value("health_check.status", &[("check", name)]);
    assert_eq!(wait::until("a run in the background", SOON, || gauge("in_the_background")), 1.0);

    let found = || {
        let report = run_health_checks().group("telemetry").wait();
        let found = report.checks.iter().map(|check| (check.name.to_string(), check.status, check.message.clone()));
        (report.status, found.collect::<Vec<_>>())
    };
    let (status, checks) = found();
    let names: Vec<_> = checks.iter().map(|(name, status, _)| (&**name, *status)).collect();
    let expected = [
        ("obs.datadog_agent", Status::Unhealthy),
        ("obs.log_file", Status::Healthy),
        ("obs.prometheus", Status::Unhealthy),
        ("obs.textfile", Status::Healthy),
    ];
    assert_eq!(names, expected, "{checks:?}");
    assert_eq!(status, Status::Degraded, "a program works without its telemetry");
    let message = checks[0].2.as_deref().unwrap();
    assert!(message.starts_with("no Datadog agent listens at udp://127.0.0.1:"), "{message}");

    let agent = std::net::UdpSocket::bind(("127.0.0.1", guard.config().datadog_agent_port)).unwrap();
    std::fs::remove_dir_all(&logs).unwrap();
    std::fs::remove_dir_all(&textfiles).unwrap();
    let expected = [
        ("obs.datadog_agent", Status::Healthy),
        ("obs.log_file", Status::Unhealthy),
        ("obs.prometheus", Status::Unhealthy),
        ("obs.textfile", Status::Unhealthy),
    ];
    // A run may share what began in the background before.
    wait::until("what is gone to be missed", SOON, || {
        let (_, checks) = found();
        let names: Vec<_> = checks.iter().map(|(name, status, _)| (&**name, *status)).collect();
        (names == expected).then_some(())
    });
    drop((guard, agent));
    assert_eq!(run_health_checks().group("telemetry").wait().status, Status::Unknown, "they go with what they check");
}

#[test]
fn sentry_a_pushgateway_and_budgets_are_checked_where_they_are_configured() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let (sentry, refusing, gateway) = (Answers::new(200), Answers::new(403), Answers::new(200));
    let found = |sentry: &str, gateway: &str| {
        let config = |name: &str| match name {
            "SENTRY_ENABLED" => Some("true".into()),
            "SENTRY_DSN" => Some(format!("http://0123456789abcdef@{sentry}/7").into()),
            "PROMETHEUS_PUSHGATEWAY_URL" => Some(format!("http://ada:hunter2@{gateway}/behind").into()),
            "OBS_BUDGETS" => Some("team=5USD/day".into()),
            "OBS_STATE_DIR" => Some(state.clone().into()),
            "HEALTH_CHECK_INTERVAL_SECONDS" => Some("3600".into()),
            "OBS_FLUSH_TIMEOUT" => Some("100ms".into()),
            "PROMETHEUS_PORT" => Some("0".into()),
            _ => None,
        };
        let config = obs_runtime::Config::from_lookup(config).unwrap();
        let guard = Observability::builder().without_environment().defaults(|into| *into = config).init().unwrap();
        let report = run_health_checks().group("telemetry").wait();
        drop(guard);
        report
    };
    let well = found(&sentry.address, &gateway.address);
    let names: Vec<_> = well.checks.iter().map(|check| (&*check.name, check.status)).collect();
    let healthy = |name| (name, Status::Healthy);
    let expected = ["obs.budgets", "obs.prometheus", "obs.pushgateway", "obs.sentry"].map(healthy);
    assert_eq!(names, expected, "{well:?}");
    assert!(sentry.saw("POST /api/7/envelope/") && sentry.saw("sentry_key=0123456789abcdef"), "{sentry:?}");
    assert!(gateway.saw("GET /behind/-/healthy") && gateway.saw("Basic YWRhOmh1bnRlcjI="), "{gateway:?}");

    std::fs::write(state.join("budgets.sqlite3"), "this is no database, whatever else it is").unwrap();
    let ill = found(&refusing.address, &format!("127.0.0.1:{}", ports::free()));
    let said = |name: &str| ill.checks.iter().find(|check| check.name == name).and_then(|check| check.message.clone());
    assert!(said("obs.sentry").unwrap().ends_with(" does not accept the DSN (403)"), "{ill:?}");
    assert!(said("obs.pushgateway").unwrap().contains("cannot be reached"), "{ill:?}");
    assert!(said("obs.budgets").unwrap().contains("budgets.sqlite3"), "{ill:?}");
    let busy = Answers::new(429);
    let full = found(&busy.address, &gateway.address);
    let said = full.checks.iter().find(|check| check.name == "obs.sentry").map(|check| check.status);
    assert_eq!(said, Some(Status::Degraded), "{full:?}");
    let told = format!("{ill:?}");
    assert!(!told.contains("hunter2") && !told.contains("0123456789abcdef"), "{told}");
}

/// A server that gives one answer to everybody, and keeps what it was asked.
#[derive(Debug)]
struct Answers {
    address: String,
    asked: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Answers {
    fn new(status: u16) -> Self {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = std::sync::Arc::<std::sync::Mutex<String>>::default();
        let kept = std::sync::Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mut stream, mut buffer) = (stream, [0; 8192]);
                let read = stream.read(&mut buffer).unwrap_or(0);
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
                let answer = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, asked }
    }

    fn saw(&self, text: &str) -> bool {
        self.asked.lock().unwrap().to_ascii_lowercase().contains(&text.to_ascii_lowercase())
    }
}

#[test]
fn an_interval_is_some_time() {
    let config = |value: &'static str| {
        obs_runtime::Config::from_lookup(|name| (name == "HEALTH_CHECK_INTERVAL_SECONDS").then(|| value.into()))
    };
    assert_eq!(config("2.5").unwrap().health_check_interval, Duration::from_millis(2500));
    for wrong in ["0", "-1", "NaN", "inf", "1e400", "soon"] {
        assert!(config(wrong).is_err(), "{wrong}");
    }
    assert_eq!(config("2m").unwrap().health_check_interval, Duration::from_mins(2));
}
