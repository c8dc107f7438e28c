//! A crate of checks alone, which the program forgets.

#[obs_runtime::dq_check(dataset = "invoices")]
fn unpaid() -> u64 {
    0
}
