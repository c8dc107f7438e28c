//! Whether the program takes requests: not after SIGTERM, and not while it says so.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::status::Status;

/// Whether SIGTERM has come. A signal handler may set it.
pub static STOPPING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether the program has said that it is not ready.
static UNREADY: AtomicBool = AtomicBool::new(false);

/// Sets whether the program is ready. It stays unready after SIGTERM.
pub fn set_ready(ready: bool) {
    UNREADY.store(!ready, Ordering::SeqCst);
}

/// Forgets what was set.
pub fn reset() {
    STOPPING.store(false, Ordering::SeqCst);
    set_ready(true);
}

/// The report of the group `ready` while the program takes no requests.
pub fn refusal() -> Option<HealthReport> {
    let reason = if STOPPING.load(Ordering::SeqCst) {
        "SIGTERM was received"
    } else if UNREADY.load(Ordering::SeqCst) {
        "set_ready(false) was called"
    } else {
        return None;
    };
    let result = HealthResult {
        name: Cow::Borrowed("readiness"),
        status: Status::Unhealthy,
        critical: true,
        duration_seconds: 0.0,
        time: SystemTime::now(),
        age_seconds: None,
        message: Some(reason.to_owned()),
        details: None,
    };
    Some(HealthReport::new(vec![result]))
}
