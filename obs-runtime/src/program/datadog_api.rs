//! Datadog's API in place of an agent: when, and as the program configures it.

use std::env;

use crate::base::text;
use crate::config::validated::Config;
use crate::exporters::datadog::agentless::client::ApiClient;
use crate::exporters::datadog::agentless::exporter::{ApiExporter, Settings, Source};
use crate::exporters::datadog::agentless::points::Common;
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::{EXPORTER, UnifiedTags};
use crate::pipeline::global;

/// A client, if the API is to be used.
pub fn client(config: &Config) -> Option<ApiClient> {
    let key = config.datadog_api_key.clone()?;
    let is_used = config.datadog_enabled && config.datadog_agentless == Some(true);
    is_used.then(|| ApiClient::new(config.datadog_api_url(), key))
}

/// The exporter that uses this client.
pub fn exporter(config: &Config, client: ApiClient, tags: &UnifiedTags, source: Source) -> ApiExporter {
    let host = config.datadog_hostname.clone().or_else(machine);
    let instance = if host.is_none() { instance(|name| env::var(name).ok()) } else { None };
    let tags = names::constant_tags(tags, instance.as_deref().map(|instance| ("instance", instance)));
    let settings = Settings {
        client,
        common: Common { tags, host, interval: config.datadog_interval.as_secs().max(1) },
        interval: config.datadog_interval,
        service_checks: config.datadog_service_checks,
        command_events: config.datadog_command_events,
        metrics: config.metrics_enabled,
    };
    let record = |duration, result| global::record_delivery(EXPORTER, duration, result);
    ApiExporter::new(settings, source, Box::new(record), Box::new(global::warn))
}

/// The name of this machine, if it tells it from others.
fn machine() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = env::var("COMPUTERNAME").unwrap_or_default();
    tells_machines_apart(&name).then_some(name)
}

/// Whether a name is that of one machine. Serverless platforms give the same name to all instances.
fn tells_machines_apart(name: &str) -> bool {
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let is_local = name == "localhost" || name.strip_prefix("localhost.").is_some();
    !(name.is_empty() || is_address || is_local)
}

/// What tells this instance of a program from others where the name of the machine does not. Datadog keeps one point for each
/// second and series: without it, instances would replace each other's counts. A single task of a job needs none.
fn instance(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    match (variable("CLOUD_RUN_TASK_INDEX"), variable("CLOUD_RUN_TASK_COUNT")) {
        (Some(_), Some(count)) if count == "1" => None,
        (Some(index), _) => Some(index),
        // The last digits are random.
        (None, _) => Some(text::from(&uuid::Uuid::now_v7().simple().to_string(), 24).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_all_instances_share_is_no_host() {
        for (name, tells) in [
            ("build-7", true),
            ("ip-10-0-1-5.ec2.internal", true),
            ("localhost", false),
            ("localhost.localdomain", false),
            ("169.254.100.6", false),
            ("", false),
        ] {
            assert_eq!(tells_machines_apart(name), tells, "{name}");
        }
    }

    #[test]
    fn instances_are_told_apart_by_their_task_or_at_random() {
        let of = |variables: &[(&str, &str)]| {
            instance(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let task = |index, count| of(&[("CLOUD_RUN_TASK_INDEX", index), ("CLOUD_RUN_TASK_COUNT", count)]);
        assert_eq!((task("0", "1"), task("3", "10").as_deref()), (None, Some("3")));
        let (one, other) = (of(&[]).unwrap(), of(&[]).unwrap());
        assert!(one.len() == 8 && one != other, "{one} {other}");
    }
}
