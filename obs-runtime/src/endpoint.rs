//! What the configuration makes of Prometheus: an endpoint, a textfile, both or neither.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::catalogue::OPERATION_ACTIVE;
use crate::config::Config;
use crate::global;
use crate::pipeline::Pipeline;
use crate::server::{Routes, Server};
use crate::sinks::metrics::MetricsSink;
use crate::sinks::prometheus::{CONSTANT, Exposition, Textfile, TextfileSink, render, users};
use crate::sinks::{Sink, UserMetrics};

/// Everything that is measured, as Prometheus gets it: obs' own metrics, and those that the program counts by itself.
#[derive(Clone)]
struct Everything {
    metrics: Arc<MetricsSink>,
    constant: [(&'static str, String); 3],
}

impl Everything {
    fn new(config: &Config, metrics: &Arc<MetricsSink>) -> Self {
        let [service, environment, version] = CONSTANT;
        let constant = [
            (service, config.service_name.clone()),
            (environment, config.environment.clone()),
            (version, config.version.clone()),
        ];
        Self { metrics: Arc::clone(metrics), constant }
    }

    /// All of it at this moment; what will be of no use once the process has ended only where it is asked for.
    fn now(&self, momentary: bool) -> Exposition {
        let mut snapshot = self.metrics.snapshot();
        if !momentary {
            snapshot.families.retain(|found| found.family.name != OPERATION_ACTIVE.name);
        }
        let constant: Vec<_> = self.constant.iter().map(|(name, value)| (*name, &**value)).collect();
        let mut exposition = Exposition::new(&snapshot, &constant);
        users().add_to(&mut exposition, &constant);
        for warning in users().take_warnings() {
            global::warn(warning);
        }
        exposition
    }
}

/// The sink that writes the textfile at every flush, if there is a folder for it.
pub fn textfile(config: &Config, metrics: &Arc<MetricsSink>) -> Option<Arc<dyn Sink>> {
    let folder = config.prometheus_textfile_dir.as_ref().filter(|_| config.metrics_enabled)?;
    let textfile = Textfile::new(folder, &config.service_name);
    let everything = Everything::new(config, metrics);
    // The file outlives the program, and nobody would count down there what was running when the program ended.
    Some(Arc::new(TextfileSink::new(Arc::new(move || everything.now(false)), textfile)))
}

/// The endpoint that Prometheus scrapes, if metrics are on. A port that is taken is warned of, and the job goes on.
pub fn serve(pipeline: &Pipeline) -> Option<Server> {
    let config = pipeline.config();
    if !config.metrics_enabled {
        return None;
    }
    let everything = Everything::new(config, pipeline.metrics());
    let address = SocketAddr::new(config.prometheus_bind, config.prometheus_port);
    match Server::start(address, Routes::new().metrics(move || render(&everything.now(true)))) {
        Ok(server) => Some(server),
        Err(error) => {
            global::warn(error.to_string());
            None
        }
    }
}
