//! A real Prometheus that scrapes every second.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use super::Daemon;
use crate::exposition::Labels;
use crate::{http, tools, wait};

/// A Prometheus server.
#[derive(Debug)]
pub struct Prometheus(Daemon);

/// A target that it scrapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL of its metrics.
    pub url: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// The error of the last scrape; empty when there was none.
    pub last_error: String,
}

/// One series of an answer: its labels, including `__name__`, and its value.
pub type Series = (Labels, f64);

impl Prometheus {
    /// Starts a server that scrapes `/metrics` of these addresses.
    #[must_use]
    #[track_caller]
    pub fn scraping(targets: &[SocketAddr]) -> Self {
        Self::scraping_with(targets, "")
    }

    /// As [`scraping`](Self::scraping), with more lines of configuration.
    #[must_use]
    #[track_caller]
    pub fn scraping_with(targets: &[SocketAddr], more: &str) -> Self {
        let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
        let configuration = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\n{more}scrape_configs:\n- job_name: obs\n  static_configs:\n  \
             - targets: [{}]\n",
            targets.join(", ")
        );
        Self::configured(&configuration)
    }

    /// Starts a server with this configuration.
    #[must_use]
    #[track_caller]
    pub fn configured(configuration: &str) -> Self {
        Self(Daemon::start("Prometheus", "/-/ready", |folder, port| {
            let file = folder.join("prometheus.yml");
            fs::write(&file, configuration).expect("its configuration can be written");
            let mut command = Command::new(tools::program(&["prometheus"]));
            command
                .arg("--enable-feature=exemplar-storage")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        }))
    }

    /// Waits until every target was scraped without an error.
    #[track_caller]
    pub fn wait_until_up(&self) {
        let up = |targets: &[Target]| !targets.is_empty() && targets.iter().all(|target| target.health == "up");
        let all_up = wait::poll(wait::LONG, || Some(self.targets()).filter(|targets| up(targets)));
        let targets = all_up.unwrap_or_else(|| panic!("not all targets are up: {:#?}", self.targets()));
        wait::until("up == 1 of each target", wait::LONG, || {
            Some(self.query("up == 1")).filter(|series| series.len() == targets.len())
        });
    }

    /// Its targets.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let answer = self.ask("/api/v1/targets", &[]);
        let text = |target: &Value, field: &str| target[field].as_str().unwrap_or_default().to_owned();
        let active = answer["activeTargets"].as_array().cloned().unwrap_or_default();
        active
            .iter()
            .map(|target| Target {
                url: text(target, "scrapeUrl"),
                health: text(target, "health"),
                last_error: text(target, "lastError"),
            })
            .collect()
    }

    /// The current result of an expression.
    #[must_use]
    #[track_caller]
    pub fn query(&self, expression: &str) -> Vec<Series> {
        let answer = self.ask("/api/v1/query", &[("query", expression)]);
        let series = answer["result"].as_array().cloned().unwrap_or_default();
        let labels = |series: &Value| serde_json::from_value(series["metric"].clone()).expect("labels are text");
        let value = |series: &Value| series["value"][1].as_str().and_then(|value| value.parse().ok());
        series.iter().map(|series| (labels(series), value(series).expect("a value is a number"))).collect()
    }

    /// The labels of the exemplars that it has for an expression.
    #[must_use]
    #[track_caller]
    pub fn exemplars(&self, expression: &str) -> Vec<Labels> {
        let answer =
            self.ask("/api/v1/query_exemplars", &[("query", expression), ("start", "0"), ("end", "9999999999")]);
        let series = answer.as_array().cloned().unwrap_or_default();
        let exemplars = series.iter().flat_map(|one| one["exemplars"].as_array().cloned().unwrap_or_default());
        exemplars.map(|one| serde_json::from_value(one["labels"].clone()).expect("labels are text")).collect()
    }

    /// The current result of an expression that gives one series.
    #[must_use]
    #[track_caller]
    pub fn value(&self, expression: &str) -> f64 {
        let series = self.query(expression);
        assert_eq!(series.len(), 1, "{expression}: {series:?}");
        series[0].1
    }

    #[track_caller]
    fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let body = http::get(&self.0.url(path), query).unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()));
        let mut answer: Value = serde_json::from_str(&body).expect("it answers in JSON");
        answer["data"].take()
    }
}
