//! What the configuration makes of Prometheus: an endpoint, a textfile, both or neither.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::catalogue::OPERATION_ACTIVE;
use crate::config::Config;
use crate::global;
use crate::pipeline::Pipeline;
use crate::server::{Routes, Server};
use crate::sinks::Sink;
use crate::sinks::metrics::MetricsSink;
use crate::sinks::prometheus::{PrometheusSink, Textfile, render};

/// The labels that stand on every series.
fn constant_labels(config: &Config) -> Vec<(String, String)> {
    let labels =
        [("service", &config.service_name), ("environment", &config.environment), ("version", &config.version)];
    labels.map(|(name, value)| (name.to_owned(), value.clone())).to_vec()
}

/// The sink that writes the textfile at every flush, if there is a folder for it.
pub fn textfile(config: &Config, metrics: &Arc<MetricsSink>) -> Option<Arc<dyn Sink>> {
    let folder = config.prometheus_textfile_dir.as_ref().filter(|_| config.metrics_enabled)?;
    let textfile = Textfile::new(folder, &config.service_name);
    let metrics = Arc::clone(metrics);
    let source = Arc::new(move || {
        let mut snapshot = metrics.snapshot();
        // The file outlives the program, and nobody would count down there what was running when the program ended.
        snapshot.families.retain(|found| found.family.name != OPERATION_ACTIVE.name);
        snapshot
    });
    Some(Arc::new(PrometheusSink::new(source, constant_labels(config), Some(textfile))))
}

/// The endpoint that Prometheus scrapes, if metrics are on. A port that is taken is warned of, and the job goes on.
pub fn serve(pipeline: &Pipeline) -> Option<Server> {
    let config = pipeline.config();
    if !config.metrics_enabled {
        return None;
    }
    let labels = constant_labels(config);
    let metrics = Arc::clone(pipeline.metrics());
    let text = move || {
        let labels: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        render(&metrics.snapshot(), &labels)
    };
    let address = SocketAddr::new(config.prometheus_bind, config.prometheus_port);
    match Server::start(address, Routes::new().metrics(text)) {
        Ok(server) => Some(server),
        Err(error) => {
            global::warn(error.to_string());
            None
        }
    }
}
