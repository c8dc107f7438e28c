//! Probes under the load of wrk.

use std::process::Command;

use obs_tests::process::Process;
use obs_tests::{programs, tools};

#[test]
fn no_probe_fails_under_load() {
    let service = Process::new(programs::program("service")).env("PROMETHEUS_PORT", "0").start();
    let address = service.wait_for_output("an address", |line| line.parse::<std::net::SocketAddr>().ok());
    let url = format!("http://{address}/readyz");
    let load = ["--threads", "2", "--connections", "64", "--duration", "3s", "--timeout", "20s", &url];
    let output = Command::new(tools::program(&["wrk"])).args(load).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    for failure in ["Non-2xx", "Socket errors"] {
        assert!(!report.contains(failure), "{report}");
    }
    let requests = report.lines().find_map(|line| line.trim().split_once(" requests in ")).unwrap().0;
    // Each connection got several answers.
    assert!(requests.parse::<u64>().unwrap() > 4 * 64, "{report}");
    assert_eq!(service.finish().code(), Some(0));
}
