//! Datadog's own reader of `DogStatsD`: the agent that it ships for functions in the cloud.
//!
//! It binds all addresses and would send on what it gets, so it runs in a network of its own, in which there is nothing but
//! loopback; what is to talk to it is started beside it.

use std::path::Path;

use crate::process::Process;
use crate::tools;

/// What it said of what it was sent.
#[derive(Debug)]
pub struct Heard {
    /// Its log.
    pub log: String,
}

/// Starts the agent, runs a program that sends to it, and ends it once it is silent. `$1` is the agent, `$2` its log; the
/// program and its arguments come after.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
agent=$1 log=$2
shift 2
"$agent" >"$log" 2>&1 &
trap 'kill $!' EXIT
tries=0
until grep --quiet 'starting to listen on port' "$log"; do
    tries=$((tries + 1)); [ $tries -lt 600 ] || exit 97
    sleep 0.05
done
"$@" || true
before=-1 now=0
while [ $now != $before ]; do
    before=$now
    sleep 0.3
    now=$(wc -c <"$log")
done
"#;

/// What it made of what a program sent it. The program is told where it is.
///
/// # Panics
/// Where no network of its own is to be had: that takes the right to make one.
#[must_use]
#[track_caller]
pub fn hears(folder: &Path, program: &str, arguments: &[&str]) -> Heard {
    let log = folder.join("agent.log");
    let agent = tools::datadog_agent(folder);
    let [agent, log_path] = [&agent, &log].map(|path| path.display().to_string());
    let fixed = ["--net", "--map-root-user", "/bin/sh", "-c", SCRIPT, "sh", &agent, &log_path, program];
    let process = Process::new(tools::program(&["unshare"])).args(&fixed).args(arguments);
    // As it takes a function in the cloud to be told, or it does not begin.
    let process = process.env("K_SERVICE", "test").env("FUNCTION_TARGET", "test").env("DD_API_KEY", "0".repeat(32));
    let process = process.env("DD_USE_DOGSTATSD", "true").env("DD_LOG_LEVEL", "trace");
    let ended = process.env("DATADOG_ENABLED", "true").env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "CRITICAL").run();
    assert_eq!(ended.code(), Some(0), "no agent in a network of its own: {ended:?}");
    Heard { log: std::fs::read_to_string(&log).expect("it has a log") }
}

impl Heard {
    /// Lines that it took.
    #[must_use]
    pub fn taken(&self) -> usize {
        let parsed = |line: &str| line.split_once("Parsed ")?.1.split_once(" valid metrics")?.0.parse::<usize>().ok();
        self.log.lines().filter_map(parsed).sum()
    }

    /// Lines that it was sent.
    #[must_use]
    pub fn sent(&self) -> usize {
        let contained = |line: &str| line.split_once("Packet contains ")?.1.split(' ').next()?.parse::<usize>().ok();
        self.log.lines().filter_map(contained).sum()
    }

    /// What it did not like.
    #[must_use]
    pub fn complaints(&self) -> Vec<&str> {
        self.log
            .lines()
            .filter(|line| line.contains("ailed to parse") || line.contains("dogstatsd") && line.contains("ERROR"))
            .collect()
    }
}
