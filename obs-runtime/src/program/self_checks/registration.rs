//! Registers the self checks that the configuration calls for.
//!
//! They are not critical: without its telemetry, a program is degraded, not unhealthy.

use std::time::Duration;

use crate::checks::health::check::HealthCheck;
use crate::checks::health::probe::discard_reports;
use crate::checks::health::refresh::Refresh;
use crate::checks::runner::registry::Registration;
use crate::config::validated::Config;
#[cfg(feature = "bigquery")]
use crate::program::self_checks::bigquery;
#[cfg(feature = "datadog")]
use crate::program::self_checks::datadog;
#[cfg(feature = "datadog-agentless")]
use crate::program::self_checks::datadog_api;
use crate::program::self_checks::disk;
#[cfg(feature = "otlp")]
use crate::program::self_checks::otlp;
#[cfg(feature = "prometheus")]
use crate::program::self_checks::pushgateway;
#[cfg(feature = "sentry")]
use crate::program::self_checks::sentry;

/// The group of these checks.
pub const GROUP: &str = "telemetry";

/// The time limit of a local check.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The time limit of a check that calls a remote service.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(10);

/// The registered self checks, and the thread that runs all checks at an interval, until it is dropped.
#[derive(Debug)]
pub struct SelfChecks {
    registered: Vec<Registration>,
    _refresh: Option<Refresh>,
}

impl SelfChecks {
    /// Registers the checks of this configuration, and runs all checks at its interval.
    pub fn new(config: &Config) -> Self {
        if !config.health_check_enabled {
            return Self { registered: Vec::new(), _refresh: None };
        }
        Self { registered: registered(config), _refresh: Refresh::every(config.health_check_interval) }
    }

    /// Registers the checks of this configuration.
    #[cfg(feature = "cli")]
    pub fn without_refresh(config: &Config) -> Self {
        Self { registered: registered(config), _refresh: None }
    }
}

/// Whether the configuration calls for any check.
#[cfg(feature = "cli")]
pub fn are_any(config: &Config) -> bool {
    !local(config).is_empty() || !remote(config).is_empty()
}

fn registered(config: &Config) -> Vec<Registration> {
    let register =
        |(check, timeout): (HealthCheck, _)| check.groups(&[GROUP]).critical(false).timeout(timeout).register();
    let checks = local(config).into_iter().map(|check| (check, TIMEOUT));
    let checks = checks.chain(remote(config).into_iter().map(|check| (check, REMOTE_TIMEOUT)));
    let registered = checks.map(register).collect();
    discard_reports();
    registered
}

/// The checks that are answered on this machine or near it.
fn local(config: &Config) -> Vec<HealthCheck> {
    let mut checks = Vec::new();
    // A device or a pipe has no disk that could be full.
    if let Some(file) = config.log_file.clone().filter(|file| !file.exists() || file.is_file()) {
        checks.push(HealthCheck::new("obs.log_file", move || disk::file(&file)));
    }
    #[cfg(feature = "prometheus")]
    {
        use crate::config::metrics_port::MetricsPort;
        use crate::program::prometheus::verify_metrics_endpoint;

        if let Some(folder) = config.prometheus_textfile_dir.clone().filter(|_| config.metrics_enabled) {
            checks.push(HealthCheck::new("obs.textfile", move || disk::made_folder(&folder)));
        }
        if let Some(url) = config.prometheus_pushgateway_url.clone().filter(|_| config.metrics_enabled) {
            checks.push(HealthCheck::new("obs.pushgateway", move || pushgateway::healthy(&url, TIMEOUT)));
        }
        if config.metrics_enabled && config.prometheus_port != MetricsPort::Off {
            let check = || verify_metrics_endpoint(TIMEOUT / 2).map(drop);
            checks.push(HealthCheck::new("obs.prometheus", check));
        }
    }
    #[cfg(feature = "datadog")]
    if config.datadog_enabled && !uses_datadog_api(config) {
        let agent = config.datadog_agent();
        checks.push(HealthCheck::new("obs.datadog_agent", move || datadog::agent(&agent)));
    }
    #[cfg(feature = "bigquery")]
    if let Some(folder) = config.state_folder().filter(|_| !config.budgets.is_empty()) {
        let file = folder.join(crate::bigquery::budget::resolved::FILE);
        checks.push(HealthCheck::new("obs.budgets", move || bigquery::budgets(&folder, &file)));
    }
    checks
}

/// Whether Datadog's API is used in place of an agent.
#[cfg(feature = "datadog")]
const fn uses_datadog_api(config: &Config) -> bool {
    cfg!(feature = "datadog-agentless") && matches!(config.datadog_agentless, Some(true))
}

/// The checks that call remote services.
#[cfg_attr(
    not(any(feature = "bigquery", feature = "datadog-agentless", feature = "otlp", feature = "sentry")),
    allow(unused_mut, unused_variables, reason = "no remote check")
)]
fn remote(config: &Config) -> Vec<HealthCheck> {
    let mut checks = Vec::new();
    #[cfg(feature = "datadog-agentless")]
    if let Some(client) = crate::program::datadog_api::client(config) {
        checks.push(HealthCheck::new("obs.datadog_api", move || datadog_api::valid(&client, REMOTE_TIMEOUT)));
    }
    #[cfg(feature = "sentry")]
    if let Some(dsn) = config.sentry_dsn.clone().filter(|_| config.sentry_enabled) {
        let connection = crate::program::sentry::connection(config);
        let check = move || sentry::accepts_reports(dsn.expose(), &connection, REMOTE_TIMEOUT);
        checks.push(HealthCheck::new("obs.sentry", check));
    }
    #[cfg(feature = "otlp")]
    checks.extend(otlp::checks(config, REMOTE_TIMEOUT));
    #[cfg(feature = "bigquery")]
    if crate::bigquery::client::environment::is_configured(config) {
        checks.push(HealthCheck::new_async("obs.bigquery", bigquery::reachable));
    }
    checks
}

impl Drop for SelfChecks {
    fn drop(&mut self) {
        self.registered.drain(..).for_each(Registration::unregister);
        discard_reports();
    }
}
