//! Datadog's own `DogStatsD` server: the agent that it ships for cloud functions.
//!
//! It binds all addresses and would forward what it gets, so it runs in a network namespace that has nothing but loopback,
//! together with the program that sends to it.

use std::path::Path;

use crate::process::Process;
use crate::tools;

/// The log of an agent after a program sent to it.
#[derive(Debug)]
pub struct DatadogAgentLog(String);

/// Starts the agent, runs a program that sends to it, and ends the agent once its log has not grown for two seconds. `$1` is the
/// agent, `$2` its log; the program and its arguments follow.
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
before=-1 unchanged=0
while [ $unchanged -lt 10 ]; do
    sleep 0.2
    now=$(wc -c <"$log")
    if [ $now = $before ]; then unchanged=$((unchanged + 1)); else unchanged=0; fi
    before=$now
done
"#;

impl DatadogAgentLog {
    /// Runs a program that sends to an agent. Panics where network namespaces cannot be created.
    #[must_use]
    #[track_caller]
    pub fn of(folder: &Path, program: &str, arguments: &[&str]) -> Self {
        let log = folder.join("agent.log");
        let agent = tools::datadog_agent(folder);
        let [agent, log_path] = [&agent, &log].map(|path| path.display().to_string());
        let fixed = ["--net", "--map-root-user", "/bin/sh", "-c", SCRIPT, "sh", &agent, &log_path, program];
        let process = Process::new(tools::program(&["unshare"])).args(&fixed).args(arguments);
        // The variables by which the agent recognises a cloud function; it does not start without them.
        let process = process.env("K_SERVICE", "test").env("FUNCTION_TARGET", "test").env("DD_API_KEY", "0".repeat(32));
        let process = process.env("DD_USE_DOGSTATSD", "true").env("DD_LOG_LEVEL", "trace");
        let ended =
            process.env("DATADOG_ENABLED", "true").env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "CRITICAL").run();
        assert_eq!(ended.code(), Some(0), "no agent in a network namespace: {ended:?}");
        Self(std::fs::read_to_string(&log).expect("it has a log"))
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// How many lines it accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        let parsed = |line: &str| line.split_once("Parsed ")?.1.split_once(" valid metrics")?.0.parse::<usize>().ok();
        self.0.lines().filter_map(parsed).sum()
    }

    /// How many lines it received.
    #[must_use]
    pub fn received(&self) -> usize {
        let contained = |line: &str| line.split_once("Packet contains ")?.1.split(' ').next()?.parse::<usize>().ok();
        self.0.lines().filter_map(contained).sum()
    }

    /// Its errors and warnings about what it received.
    #[must_use]
    pub fn errors(&self) -> Vec<&str> {
        self.0
            .lines()
            .filter(|line| line.contains("ailed to parse") || line.contains("dogstatsd") && line.contains("ERROR"))
            .collect()
    }
}
