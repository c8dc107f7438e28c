//! Ten simulated minutes of a Kubernetes-like prober: a probe each ten seconds, whose reports hold no longer than that.

use std::sync::atomic::{AtomicBool, Ordering};

use super::check::HealthCheck;
use super::http::health_response;
use super::probe::forget;

/// A pod as the kubelet sees it: three failures in a row take it out of service, one success brings it back.
#[derive(Default)]
struct Pod {
    failures: u32,
    ready: bool,
}

impl Pod {
    /// Probes once; whether the pod is in service then.
    fn probe(&mut self, path: &str) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Ten seconds have passed since the probe before.
        forget();
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
    // Ten minutes: it fails each third probe, twice in a row each ninth, and is down from the minute 5 to the minute 7.
    let is_down = |second: u32| match second / 10 {
        30..42 => true,
        number => number % 3 == 2 || number % 9 == 1,
    };
    let (mut ready, mut live) = (Pod::default(), Pod::default());
    let mut unready = Vec::new();
    for second in (0..600).step_by(10) {
        DOWN.store(is_down(second), Ordering::SeqCst);
        assert!(live.probe("/livez"), "nothing says that the process is not alive");
        if !ready.probe("/readyz") {
            unready.push(second);
        }
    }
    // It fails at 280 and 290 as well, so that it is unhealthy from 300 on, and the kubelet counts three probes of that.
    assert_eq!((unready.first(), unready.last(), unready.len()), (Some(&320), Some(&410), 10), "{unready:?}");
    registered.unregister();
}
