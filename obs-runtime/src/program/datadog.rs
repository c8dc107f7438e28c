//! The Datadog exporter, as the program configures it: to an agent, or to the API.

use std::sync::Arc;

use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::datadog::exporter::{DatadogExporter, Settings};
use crate::exporters::datadog::names::UnifiedTags;
use crate::exporters::interface::Exporter;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::global;
#[cfg(feature = "datadog-agentless")]
use crate::program::datadog_api;

/// The exporter, if it is enabled.
pub fn exporter(config: &Config, metrics: &Arc<MetricAggregator>) -> Option<Arc<dyn Exporter>> {
    if !config.datadog_enabled {
        return None;
    }
    let measured = config.metrics_enabled.then(|| Arc::clone(metrics));
    let source = move || {
        let mut snapshot = measured.as_ref().map_or_else(Snapshot::default, |metrics| metrics.snapshot());
        // The agent measures processes itself.
        snapshot.families.retain(|found| !found.family.name.starts_with("process."));
        snapshot
    };
    #[cfg(feature = "datadog-agentless")]
    if let Some(client) = datadog_api::client(config) {
        return Some(Arc::new(datadog_api::exporter(config, client, &unified_tags(config), Box::new(source))));
    }
    let settings = Settings {
        agent: config.datadog_agent(),
        interval: config.datadog_interval,
        tags: unified_tags(config),
        entity_id: config.datadog_entity_id.clone(),
        service_checks: config.datadog_service_checks,
        command_events: config.datadog_command_events,
        metrics: config.metrics_enabled,
    };
    Some(Arc::new(DatadogExporter::new(settings, Box::new(source), Box::new(global::warn))))
}

/// The tags of everything.
fn unified_tags(config: &Config) -> UnifiedTags {
    let (unified, others) = tags(&config.dd_tags);
    // By Datadog's own precedence: the variable, then the tag.
    let or = |texts: [&Option<String>; 2], tag: usize, default: &String| {
        let tag = unified[tag].as_ref();
        texts.into_iter().find_map(Option::as_ref).or(tag).unwrap_or(default).clone()
    };
    UnifiedTags {
        service: or([&config.datadog_service, &config.dd_service], 0, &config.service_name),
        env: or([&config.datadog_env, &config.dd_env], 1, &config.environment),
        version: or([&config.datadog_version, &None], 2, &config.version),
        others,
    }
}

/// The values of `service`, `env` and `version` among these tags, and the other tags.
fn tags(tags: &[String]) -> ([Option<String>; 3], Vec<(String, String)>) {
    let mut unified = [const { None }; 3];
    let mut others = Vec::new();
    for (name, value) in tags.iter().filter_map(|tag| tag.split_once(':')) {
        match ["service", "env", "version"].iter().position(|known| *known == name) {
            Some(index) => unified[index] = Some(value.to_owned()),
            None => others.push((name.to_owned(), value.to_owned())),
        }
    }
    (unified, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unified_tags_are_told_from_others() {
        let (unified, others) = tags(&["env:prod", "team:data:eu", "version:2"].map(str::to_owned));
        assert_eq!(unified, [None, Some("prod".to_owned()), Some("2".to_owned())]);
        assert_eq!(others, [("team".to_owned(), "data:eu".to_owned())]);
    }
}
