//! The port of the metrics endpoint, and who answers there.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use crate::config::metrics_port::MetricsPort;
use crate::config::validated::Config;
use crate::exporters::http;
use crate::program::doctor::finding::Finding;
use crate::program::prometheus::connectable;
use crate::program::server::identity;

const SUBJECT: &str = "metrics endpoint";

/// The most bytes of another process' metrics that are read.
const MAX_METRICS: u64 = 16 * 1024 * 1024;

/// The finding about an endpoint that this process does not have.
pub fn finding(config: &Config, timeout: Duration) -> Finding {
    if !config.metrics_enabled {
        return Finding::off(SUBJECT, "metrics are disabled (METRICS_ENABLED)");
    }
    let MetricsPort::Port(port) = config.prometheus_port else {
        return Finding::off(SUBJECT, "there is none (PROMETHEUS_PORT)");
    };
    let address = SocketAddr::new(config.prometheus_bind, port);
    if address.ip().is_loopback() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        let message =
            format!("PROMETHEUS_BIND is {}: neither Prometheus nor a probe reaches a pod there", address.ip());
        return Finding::warning(SUBJECT, message, "PROMETHEUS_BIND=0.0.0.0");
    }
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(SUBJECT, format!("{address} is free")),
        Err(_) if identity::is_obs(connectable(address), timeout) => neighbour(config, connectable(address), timeout),
        Err(error) => Finding::warning(
            SUBJECT,
            format!("this process cannot be scraped: {address}: {error}"),
            "PROMETHEUS_PORT=0 takes any free port; `off` is for jobs, which are better pushed or written to a textfile",
        ),
    }
}

/// The finding about an endpoint of another process with obs, which may be of another version of this program.
fn neighbour(config: &Config, address: SocketAddr, timeout: Duration) -> Finding {
    let [service, version] = build_info(address, timeout).unwrap_or_default();
    if service != config.service_name {
        let advice = "give one of them another PROMETHEUS_PORT: as long as both run, this one cannot be scraped";
        return Finding::warning(
            SUBJECT,
            format!("another process answers at {address}, of the service `{service}`"),
            advice,
        );
    }
    if version == config.version {
        return Finding::ok(SUBJECT, format!("another process of {service} {version} answers at {address}"));
    }
    let message = format!("{service} {version} answers at {address}, and this program is {}", config.version);
    Finding::warning(SUBJECT, message, "restart the one that is older")
}

/// Service and version, by `obs.build.info`.
fn build_info(address: SocketAddr, timeout: Duration) -> Option<[String; 2]> {
    let url = format!("http://{address}/metrics");
    let mut response = http::agent(&url, Some(timeout), None).get(&url).call().ok()?;
    let metrics = response.body_mut().with_config().limit(MAX_METRICS).read_to_string().ok()?;
    let line = metrics.lines().find(|line| line.starts_with("obs_build_info{"))?;
    let label = |name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    Some([label("service")?, label("version")?])
}
