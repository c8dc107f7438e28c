//! What the configuration makes of Prometheus: an endpoint, a textfile, a Pushgateway, all or none of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::{Exporter, UserMetrics};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::names::CONSTANT;
use crate::exporters::prometheus::pushgateway::PushgatewayExporter;
use crate::exporters::prometheus::textfile::Textfile;
use crate::exporters::prometheus::textfile_exporter::{Source, TextfileExporter};
use crate::exporters::prometheus::user_metrics;
use crate::metrics::catalogue::OPERATION_ACTIVE;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline as _;
use crate::program::server::identity::{NotOurs, verify};
use crate::program::server::listener::Server;
use crate::program::server::routes::Routes;

/// Where this process' metrics are served, or were last.
static SERVED: Mutex<Option<SocketAddr>> = Mutex::new(None);

/// Why this process' metrics cannot be scraped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no endpoint: metrics are off, obs is not initialised, or the port was taken.
    #[error("there is no metrics endpoint: metrics are off, obs is not initialised, or PROMETHEUS_PORT was taken")]
    None,
    /// What answers there is not this process.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
}

/// Whether Prometheus can scrape this process: asks the endpoint over the network, and looks whether it is this process
/// that answers. So no other process at the same address is ever taken for this one.
///
/// Takes no longer than `timeout`; not for async code, as it blocks its thread.
///
/// # Errors
/// When there is no endpoint, nobody answers in time, or another process does.
///
/// ```
/// use std::time::Duration;
///
/// let guard = obs_runtime::Observability::builder().without_environment().prometheus_port(0).init()?;
/// let address = obs_runtime::verify_metrics_endpoint(Duration::from_secs(1))?;
/// assert_eq!(Some(address), guard.metrics_address());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn verify_metrics_endpoint(timeout: Duration) -> Result<SocketAddr, EndpointError> {
    let served = *SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    let address = served.filter(|_| global::is_installed()).ok_or(EndpointError::None)?;
    verify(reachable(address), timeout)?;
    Ok(address)
}

/// An address that can be connected to: who listens on all of them listens on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Everything that is measured, as Prometheus gets it: obs' own metrics, and those that the program counts by itself.
#[derive(Clone)]
struct Everything {
    metrics: Arc<MetricAggregator>,
    constant: [(&'static str, String); 3],
}

impl Everything {
    fn new(config: &Config, metrics: &Arc<MetricAggregator>) -> Self {
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
        let mut exposition = Exposition::new(snapshot, &constant);
        user_metrics::registry().add_to(&mut exposition, &constant);
        for warning in user_metrics::registry().take_warnings() {
            global::warn(warning);
        }
        exposition
    }
}

/// The sinks that bring metrics to where they are configured to go at every flush: a textfile, a Pushgateway.
pub fn sinks(config: &Config, metrics: &Arc<MetricAggregator>) -> Vec<Arc<dyn Exporter>> {
    if !config.metrics_enabled {
        return Vec::new();
    }
    // Both outlive the program, and nobody would count down there what was running when the program ended.
    let source = || -> Source {
        let everything = Everything::new(config, metrics);
        Arc::new(move || everything.now(false))
    };
    let textfile = config.prometheus_textfile_dir.as_ref().map(|folder| -> Arc<dyn Exporter> {
        let textfile = Textfile::new(folder, &config.service_name).with_expiry(config.prometheus_textfile_expiry);
        Arc::new(TextfileExporter::new(source(), textfile))
    });
    let instance = config.prometheus_pushgateway_instance.as_deref();
    let pushgateway = config.prometheus_pushgateway_url.as_ref().and_then(|url| -> Option<Arc<dyn Exporter>> {
        Some(Arc::new(PushgatewayExporter::new(source(), url, &config.service_name, instance)?))
    });
    textfile.into_iter().chain(pushgateway).collect()
}

/// The endpoint that Prometheus scrapes, if metrics are on. A port that is taken is warned of, and the job goes on.
pub fn serve(pipeline: &FanOut) -> Option<Server> {
    let config = pipeline.config();
    *SERVED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    if !config.metrics_enabled {
        return None;
    }
    let everything = Everything::new(config, pipeline.metrics());
    let address = SocketAddr::new(config.prometheus_bind, config.prometheus_port);
    let routes = Routes::new().metrics(move |format| format.render(&everything.now(true))).health();
    match Server::start(address, routes) {
        Ok(server) => {
            *SERVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(server.local_addr());
            Some(server)
        }
        Err(error) => {
            global::warn(error.to_string());
            None
        }
    }
}
