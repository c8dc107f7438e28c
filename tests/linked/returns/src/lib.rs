//! A crate of checks alone.

#[obs_runtime::dq_check(dataset = "returns", for_each = ["shop", "web"])]
fn late(_channel: &str) -> u64 {
    0
}

#[obs_runtime::health_check(timeout = "1s")]
fn carrier() -> bool {
    true
}

/// One more of a name that the crate `orders` has given.
#[cfg(feature = "more")]
#[obs_runtime::dq_check(dataset = "returns")]
fn null_ids() -> u64 {
    0
}
