//! A real Alertmanager.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

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
