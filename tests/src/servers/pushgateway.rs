//! A real Pushgateway.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::Daemon;
use crate::{http, prometheus_client, tools};

/// A Pushgateway.
#[derive(Debug)]
pub struct Pushgateway(Daemon);

/// Series by name and labels, and their values.
pub type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

impl Pushgateway {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self(Daemon::start("pushgateway", "/-/ready", |_, port| {
            let mut command = Command::new(tools::program(&["prometheus-pushgateway", "pushgateway"]));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        }))
    }

    /// Its URL, as `PROMETHEUS_PUSHGATEWAY_URL` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url("")
    }

    /// Everything that was pushed to it, and what it counts of itself.
    ///
    /// # Panics
    /// When its answer cannot be read by the Python client.
    #[must_use]
    #[track_caller]
    pub fn series(&self) -> Series {
        let text = http::get(&self.0.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()));
        let families = prometheus_client::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let samples = families.iter().flat_map(|family| family["samples"].as_array().into_iter().flatten());
        let read = |sample: &Value| {
            let labels = serde_json::from_value(sample["labels"].clone()).ok()?;
            Some(((sample["name"].as_str()?.to_owned(), labels), sample["value"].as_str()?.parse().ok()?))
        };
        samples.filter_map(read).collect()
    }
}

/// The sum of a metric's series under a job.
#[must_use]
pub fn sum(series: &Series, job: &str, name: &str) -> f64 {
    let of_job = |labels: &BTreeMap<String, String>| labels.get("job").is_some_and(|known| known == job);
    series.iter().filter(|((known, labels), _)| known == name && of_job(labels)).map(|(_, value)| value).sum()
}
