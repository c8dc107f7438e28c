//! The configuration that a builder describes.

use crate::config::filter::LogFilterError;
use crate::config::problem::Problem;
use crate::config::read::ReadVariables;
use crate::config::settings::Setting;
use crate::config::validated::Config;
#[cfg(feature = "datadog")]
use crate::program::datadog_route;
use crate::redact::redactor::Redactor;

/// A change that the builder makes to the configuration.
pub type Override = Box<dyn FnOnce(&mut Config)>;

/// The configuration, with what was replaced in it.
pub struct Resolved {
    pub config: Config,
    pub settings: Vec<Setting>,
    /// What is not allowed; each such value is replaced by its default.
    pub problems: Vec<Problem>,
    /// Variables of OpenTelemetry that are not valid.
    pub warnings: Vec<Problem>,
    /// `RUST_LOG`, if it applies, and what is wrong with it.
    pub rust_log: Option<(String, Vec<LogFilterError>)>,
    /// How Datadog gets its data, where the configuration leaves it open.
    pub datadog_route: Option<String>,
}

/// Reads the environment over the defaults, then applies the overrides of the builder. Replaces faulty values.
pub fn resolve(defaults: &Config, overrides: Vec<Override>, environment: bool) -> Resolved {
    let mut config = defaults.clone();
    let ReadVariables { set, mut problems, warnings, rust_log } =
        if environment { config.read(|name| std::env::var_os(name)) } else { ReadVariables::default() };
    let with_environment = config.clone();
    let log_level = config.log_level.clone();
    for change in overrides {
        change(&mut config);
    }
    // A variable with an invalid value is not reported a second time for its missing value.
    for found in config.repair(defaults) {
        if problems.iter().all(|known| known.variable != found.variable) {
            problems.push(found);
        }
    }
    let settings = config.settings(defaults, &with_environment, &set);
    // These names are in every line and on every series.
    let redactor = Redactor::new(&config.redact_names, None).with_patterns(&config.redact_patterns);
    let own = [&mut config.service_name, &mut config.environment, &mut config.version];
    let datadogs = [&mut config.datadog_service, &mut config.datadog_env, &mut config.datadog_version];
    let others = [
        &mut config.sentry_environment,
        &mut config.sentry_release,
        &mut config.sentry_dist,
        &mut config.commit,
        &mut config.dd_service,
        &mut config.dd_env,
        &mut config.otel.service_name,
    ];
    let optional = datadogs.into_iter().chain(others).flatten().chain(&mut config.dd_tags);
    for name in own.into_iter().chain(optional) {
        *name = redactor.text(std::mem::take(name).into()).into_owned();
    }
    for (name, value) in &mut config.otel.resource_attributes.0 {
        *value = redactor.named(name, std::mem::take(value).into()).into_owned();
    }
    // The builder may have set another level.
    let rust_log = rust_log.filter(|_| config.log_level == log_level);
    #[cfg(feature = "datadog")]
    let datadog_route = datadog_route::choose(&mut config, |name| environment && std::env::var_os(name).is_some());
    #[cfg(not(feature = "datadog"))]
    let datadog_route = None;
    Resolved { config, settings, problems, warnings, rust_log, datadog_route }
}
