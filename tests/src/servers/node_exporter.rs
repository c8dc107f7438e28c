//! A real `node_exporter` with its textfile collector alone.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Daemon;
use crate::{http, tools};

/// A `node_exporter`.
#[derive(Debug)]
pub struct NodeExporter(Daemon);

impl NodeExporter {
    /// Starts one that reads the textfiles of this folder.
    #[must_use]
    #[track_caller]
    pub fn reading(textfiles: &Path) -> Self {
        Self(Daemon::start("node_exporter", "/metrics", |_, port| {
            let mut command = Command::new(tools::program(&["prometheus-node-exporter", "node_exporter"]));
            command
                .args(["--collector.disable-defaults", "--collector.textfile"])
                .arg(format!("--collector.textfile.directory={}", textfiles.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        }))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its metrics. It reads the folder at each request.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> String {
        http::get(&self.0.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()))
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }
}
