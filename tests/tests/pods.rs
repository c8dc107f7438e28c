//! In a pod, the endpoint must listen on more than loopback: one line at start says so.

use obs_tests::process::Process;

#[test]
fn a_pod_whose_endpoint_listens_on_loopback_is_told_what_to_set() {
    for (kubernetes, bind, warned) in
        [(Some("10.0.0.1"), None, 1), (Some("10.0.0.1"), Some("0.0.0.0"), 0), (None, None, 0)]
    {
        let service = Process::new(env!("CARGO_BIN_EXE_service")).env("PROMETHEUS_PORT", "0");
        let set = [("KUBERNETES_SERVICE_HOST", kubernetes), ("PROMETHEUS_BIND", bind)];
        let set = set.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let ended = set.fold(service, |service, (name, value)| service.env(name, value)).run();
        let advice = "PROMETHEUS_BIND is 127.0.0.1: neither Prometheus nor a probe reaches this pod there; set \
                      PROMETHEUS_BIND=0.0.0.0";
        let lines = ended.log().iter().filter(|line| line["message"] == advice).count();
        assert_eq!(lines, warned, "{kubernetes:?} {bind:?}: {ended:?}");
    }
}
