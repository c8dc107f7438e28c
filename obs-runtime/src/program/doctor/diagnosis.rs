//! All findings.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::pipeline::global;
use crate::program::doctor::finding::{Finding, Grade};
use crate::program::doctor::{backends, configuration, inventory, machine, sending};
use crate::program::guard::Guard;
use crate::program::init::failed_init;
use crate::program::init::observability::Observability;

/// What `doctor` has found.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The worst of all findings.
    pub status: Grade,
    /// Whether the program has initialised obs.
    pub initialised: bool,
    /// The version of obs-runtime.
    pub obs_version: &'static str,
    /// The features of obs-runtime that are linked.
    pub features: Vec<&'static str>,
    pub service: String,
    pub environment: String,
    pub version: String,
    pub findings: Vec<Finding>,
}

/// Looks at everything, and asks each backend for no longer than the timeout; sends it a test event if that is wanted.
pub fn diagnose(timeout: Duration, sends: bool) -> Diagnosis {
    let initialised = global::is_installed();
    let (config, settings, problems) = current();
    // Backends get the test event as the program would send it, also if its configuration has problems.
    let guard = (sends && !initialised).then(|| initialise(&config));
    let mut findings = vec![configuration::build()];
    findings.extend(configuration::findings(&config, &settings, &problems));
    if !initialised && problems.is_empty() && config.enabled {
        findings.push(Finding::warning(
            "initialisation",
            "obs was not initialised before this command: what the program sets by its builder is not known here",
            "call `init` before the command",
        ));
    }
    findings.extend(inventory::findings());
    let answers = backends::ask(&config, timeout);
    #[cfg(feature = "prometheus")]
    findings.push(if answers.is_scrapable {
        Finding::ok("metrics endpoint", "this process answers")
    } else {
        crate::program::doctor::endpoint::finding(&config, timeout)
    });
    findings.push(machine::clock(SystemTime::now(), &answers.clock_offsets));
    findings.extend(machine::time_zones(&config));
    #[cfg(feature = "bigquery")]
    findings.extend(machine::state_folder(&config));
    findings.push(machine::tls(&config));
    findings.extend(answers.findings);
    if sends {
        findings.extend(sending::send());
    }
    drop(guard);
    let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Grade::Ok).max(Grade::Ok);
    let Config { service_name: service, environment, version, .. } = config;
    let (obs_version, features) = (env!("CARGO_PKG_VERSION"), configuration::features());
    Diagnosis { status, initialised, obs_version, features, service, environment, version, findings }
}

/// The configuration, the settings and the problems: those of the initialised obs, of the initialisation that failed, or of the
/// environment, each faulty value at its default.
pub fn current() -> (Config, Vec<Setting>, Vec<String>) {
    if let Some(pipeline) = global::pipeline() {
        return (pipeline.config().clone(), pipeline.settings().to_vec(), Vec::new());
    }
    if let Some(failed) = failed_init::last() {
        return (failed.config, failed.settings, failed.problems);
    }
    Observability::builder().resolved()
}

fn initialise(config: &Config) -> Option<Guard> {
    let config = config.clone();
    Observability::builder().without_environment().defaults(|into| *into = config).lenient().init().ok()
}
