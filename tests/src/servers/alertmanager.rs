//! A real Alertmanager.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::Daemon;
use crate::{http, tools};

/// An Alertmanager.
#[derive(Debug)]
pub struct Alertmanager(Daemon);

impl Alertmanager {
    /// Starts one with this configuration.
    #[must_use]
    #[track_caller]
    pub fn start(configuration: &Path) -> Self {
        Self(Daemon::start("Alertmanager", "/-/ready", |folder, port| {
            let mut command = Command::new(tools::program(&["prometheus-alertmanager", "alertmanager"]));
            command
                .arg(format!("--config.file={}", configuration.display()))
                .arg(format!("--storage.path={}", folder.join("data").display()))
                .arg("--cluster.listen-address=")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        }))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Gives it alerts, as Prometheus does.
    #[track_caller]
    pub fn receive(&self, alerts: &Value) {
        let url = self.0.url("/api/v2/alerts");
        let request = http::agent(Duration::from_secs(30)).post(&url).header("Content-Type", "application/json");
        let answer = request.send(alerts.to_string()).unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()));
        assert_eq!(answer.status(), 200, "{}", self.0.log());
    }

    /// The active alerts of this name.
    #[must_use]
    #[track_caller]
    pub fn alerts(&self, name: &str) -> Vec<Value> {
        self.active().into_iter().filter(|alert| alert["labels"]["alertname"] == name).collect()
    }

    /// The active alerts, also those that others inhibit.
    #[must_use]
    #[track_caller]
    pub fn active(&self) -> Vec<Value> {
        let body = http::get(&self.0.url("/api/v2/alerts"), &[("active", "true")]);
        let body = body.unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()));
        serde_json::from_str(&body).expect("it answers in JSON")
    }
}
