//! Simulates ten minutes of Kubernetes probes: one each ten seconds, with no report reused between them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::check::HealthCheck;
use super::http::health_response;
use super::probe::discard_reports;

/// A pod as the kubelet sees it: three failures in a row take it out of service, one success brings it back.
#[derive(Default)]
struct Pod {
    failures: u32,
    ready: bool,
}

impl Pod {
    /// Probes once. Returns whether the pod is in service afterwards.
    fn probe(&mut self, path: &str) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        discard_reports();
        let answer = runtime.block_on(health_response(path, "")).unwrap();
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        if answer.status == 200 {
            *self = Self { failures: 0, ready: true };
        } else {
            self.failures += 1;
            self.ready &= self.failures < 3;
        }
        self.ready
    }
}

#[test]
fn ten_minutes_of_flapping_take_a_pod_out_of_service_only_when_it_is_down() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    let registered = HealthCheck::new("flapping", || !DOWN.load(Ordering::SeqCst)).failures(3).register();
    // It fails each third probe, two in a row each ninth, and is down from minute 5 to minute 7.
    let is_down = |second: u32| match second / 10 {
        30..42 => true,
        number => number % 3 == 2 || number % 9 == 1,
    };
    let (mut ready, mut live) = (Pod::default(), Pod::default());
    let mut unready = Vec::new();
    for second in (0..600).step_by(10) {
        DOWN.store(is_down(second), Ordering::SeqCst);
        assert!(live.probe("/livez"), "no check of the group live fails");
        if !ready.probe("/readyz") {
            unready.push(second);
        }
    }
    // It also fails at 280 and 290, so it is unhealthy from 300 on, and three failed probes later the pod is out of service.
    assert_eq!((unready.first(), unready.last(), unready.len()), (Some(&320), Some(&410), 10), "{unready:?}");
    registered.unregister();
}
