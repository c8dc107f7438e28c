//! A crate of checks that the program does not link by default.

#[obs_runtime::dq_check(dataset = "invoices", fail_above = 0)]
fn unpaid() -> u64 {
    0
}
