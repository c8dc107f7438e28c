//! A crate that has only checks.

#[obs_runtime::dq_check(dataset = "returns", for_each = ["shop", "web"], fail_above = 0)]
fn late(_channel: &str) -> u64 {
    0
}

#[obs_runtime::health_check(timeout = "1s")]
fn carrier() -> bool {
    true
}

/// A duplicate of the name of a check of the same data set, in the crate `orders`.
#[cfg(feature = "more")]
#[obs_runtime::dq_check(dataset = "orders", fail_above = 0)]
fn null_ids() -> u64 {
    0
}
