//! A real Pushgateway.

use std::process::Command;

use super::Daemon;
use crate::exposition::Samples;
use crate::{http, prometheus_client, tools};

const READY: &str = "/-/ready";

fn command(port: u16) -> Command {
    let mut command = Command::new(tools::program(&["prometheus-pushgateway", "pushgateway"]));
    // Debian's keeps what was pushed to any of them by default.
    command.arg("--persistence.file=").arg(format!("--web.listen-address=127.0.0.1:{port}"));
    command
}

/// A Pushgateway server.
#[derive(Debug)]
pub struct Pushgateway(Daemon);

impl Pushgateway {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self(Daemon::start("pushgateway", READY, |_, port| command(port)))
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Starts it again at its address, without what was pushed.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.0.start_again("pushgateway", READY, |_, port| command(port));
    }

    /// Its URL, as in `PROMETHEUS_PUSHGATEWAY_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url("")
    }

    /// What was pushed to it, and its own metrics, as the Python client reads them.
    #[must_use]
    #[track_caller]
    pub fn samples(&self) -> Samples {
        let text = http::get(&self.0.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.0.log()));
        let families = prometheus_client::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prometheus_client::samples(&families)
    }
}
