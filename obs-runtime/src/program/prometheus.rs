//! The Prometheus exporters, as the program configures them: an endpoint, a textfile, a Pushgateway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::metrics_port::MetricsPort;
use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::{Exporter, UserMetrics};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::names::CONSTANT;
use crate::exporters::prometheus::pushgateway::{GroupKey, PushgatewayExporter};
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

/// The address of the endpoint of this process, also after it was closed.
static SERVED: Mutex<Option<SocketAddr>> = Mutex::new(None);

/// The metrics of this process cannot be scraped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no endpoint: metrics are disabled, obs is not initialised, or the port is off or was in use.
    #[error(
        "there is no metrics endpoint: metrics are disabled, obs is not initialised, or PROMETHEUS_PORT is off or was in use"
    )]
    None,
    /// This process does not answer at the address.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
}

/// Verifies that Prometheus can scrape this process: sends a request to the endpoint and checks that this process answers,
/// not another one on the same port. Returns the address.
///
/// Blocks the thread for at most `timeout`; do not call it from async code.
///
/// # Errors
/// If there is no endpoint, no response arrives in time, or another process answers.
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
    verify(connectable(address), timeout)?;
    Ok(address)
}

/// An address to connect to: loopback for an unspecified address.
pub fn connectable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Renders all metrics for Prometheus: those of obs, and those of the program's own macros.
#[derive(Clone)]
struct MetricSource {
    metrics: Arc<MetricAggregator>,
    constant: [(&'static str, String); 2],
    version: String,
    /// When the counters were zero, in seconds since 1970.
    created: f64,
}

impl MetricSource {
    fn new(config: &Config, metrics: &Arc<MetricAggregator>) -> Self {
        let [service, environment] = CONSTANT;
        let constant = [(service, config.service_name.clone()), (environment, config.environment.clone())];
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self { metrics: Arc::clone(metrics), constant, version: config.version.clone(), created }
    }

    /// The current metrics. Those of running calls and of the process are meaningless once it has ended, so they are optional.
    fn exposition(&self, with_active: bool) -> Exposition {
        let mut snapshot = self.metrics.snapshot();
        if !with_active {
            let ends_with_it = |name: &str| name == OPERATION_ACTIVE.name || name.starts_with("process.");
            snapshot.families.retain(|found| !ends_with_it(found.family.name));
        }
        let constant: Vec<_> = self.constant.iter().map(|(name, value)| (*name, &**value)).collect();
        let [(_, service), (_, environment)] = &self.constant;
        let target = [
            ("service_name", &**service),
            ("service_version", &*self.version),
            ("deployment_environment_name", &**environment),
        ];
        let mut exposition = Exposition::new(snapshot, &constant).with_origin(self.created, &target);
        user_metrics::registry().add_to(&mut exposition, &constant);
        for warning in user_metrics::registry().take_warnings() {
            global::warn(warning);
        }
        exposition
    }
}

/// The exporters that write metrics at each flush: to a textfile, to a Pushgateway.
pub fn exporters(config: &Config, metrics: &Arc<MetricAggregator>) -> Vec<Arc<dyn Exporter>> {
    if !config.metrics_enabled {
        return Vec::new();
    }
    // Both keep the values after the process has ended.
    let source = || -> Source {
        let metrics = MetricSource::new(config, metrics);
        Arc::new(move || metrics.exposition(false))
    };
    let textfile = config.prometheus_textfile_dir.as_ref().map(|folder| -> Arc<dyn Exporter> {
        let textfile = Textfile::new(folder, &config.service_name).with_expiry(config.prometheus_textfile_expiry);
        Arc::new(TextfileExporter::new(source(), textfile))
    });
    let key = GroupKey {
        job: &config.service_name,
        environment: &config.environment,
        instance: config.prometheus_pushgateway_instance.as_deref(),
    };
    let pushgateway = config.prometheus_pushgateway_url.as_ref().and_then(|url| -> Option<Arc<dyn Exporter>> {
        Some(Arc::new(PushgatewayExporter::new(source(), url, &key)?))
    });
    textfile.into_iter().chain(pushgateway).collect()
}

/// Starts the endpoint, unless metrics are disabled or `PROMETHEUS_PORT` is off. A port in use is logged as a warning.
pub fn serve(pipeline: &FanOut) -> Option<Server> {
    let config = pipeline.config();
    *SERVED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    if !config.metrics_enabled {
        return None;
    }
    let MetricsPort::Port(port) = config.prometheus_port else { return None };
    let metrics = MetricSource::new(config, pipeline.metrics());
    let address = SocketAddr::new(config.prometheus_bind, port);
    if address.ip().is_loopback() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        global::warn_with_help(
            "probes-fail",
            format!(
                "PROMETHEUS_BIND is {}: neither Prometheus nor a probe reaches this pod there; set PROMETHEUS_BIND=0.0.0.0",
                address.ip()
            ),
        );
    }
    let routes = Routes::new().metrics(move |format| format.render(&metrics.exposition(true))).health();
    match Server::start(address, routes) {
        Ok(server) => {
            *SERVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(server.local_addr());
            Some(server)
        }
        Err(error) => {
            global::warn_with_help("port-in-use", error.to_string());
            None
        }
    }
}
