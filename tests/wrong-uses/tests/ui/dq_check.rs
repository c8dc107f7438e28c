//! `#[dq_check]`: accepted forms, then wrong uses.

use obs_runtime::dq_check;

const OWNER: &str = "growth";
const LIMIT: u8 = 3;

#[dq_check]
fn plain() -> bool {
    true
}

#[dq_check(
    dataset = "penguins",
    column = "sex",
    owner = OWNER,
    severity = "critical",
    warn_above = 1,
    fail_above = 2.5,
    warn_below = -1,
    fail_below = -2.5,
    timeout = "30s"
)]
async fn asynchronous() -> f64 {
    0.5
}

#[dq_check]
fn judged_by_nothing() -> Result<f64, String> {
    Ok(0.5)
}

#[dq_check(fail_above = 1)]
fn limit_of_a_condition() -> bool {
    true
}

#[dq_check(fail_below = 0)]
fn below_every_value() -> u64 {
    1
}

#[dq_check(severity = "warning", blocking = true)]
fn stops_nothing() -> bool {
    true
}

#[dq_check(fail_above = "five")]
fn limit_of_no_number() -> f64 {
    0.5
}

#[dq_check(severity = "error", fail_above = 1)]
fn unknown_severity() -> f64 {
    0.5
}

#[dq_check(dataset = 3, owner = "", column = "a" + "b", fail_above = 1)]
fn wrong_texts() -> f64 {
    0.5
}

#[dq_check(warn_above = "1", fail_above = f64::INFINITY, warn_below = 1e999, fail_below = -"1")]
fn wrong_numbers() -> f64 {
    0.5
}

#[dq_check(warn_above = 3, fail_above = 1)]
fn never_warns_above() -> f64 {
    0.5
}

#[dq_check(warn_below = -3, fail_below = -1)]
fn never_warns_below() -> f64 {
    0.5
}

#[dq_check(fail_below = 10, fail_above = 5)]
fn always_fails() -> f64 {
    0.5
}

#[dq_check(warn_below = 10, warn_above = 5)]
fn always_warns() -> f64 {
    0.5
}

#[dq_check(for_each = ["users", "orders"], blocking = true, fail_above = "5%")]
fn of_items(_table: &str) -> f64 {
    0.5
}

#[dq_check(for_each = Ok::<_, String>(vec![String::from("users")]), fail_above = LIMIT)]
async fn of_items_by_value(_table: String) -> f64 {
    0.5
}

#[dq_check(colour = "green", fail_above = 1)]
fn key_of_none() -> f64 {
    0.5
}

#[dq_check(for_each = ["users"], blocking = 1, fail_above = 1)]
fn no_item() -> f64 {
    0.5
}

#[dq_check(critical = true, fail_above = 1)]
fn key_of_another_attribute() -> f64 {
    0.5
}

#[dq_check(fail_above = 1)]
fn takes_arguments(_table: &str) -> f64 {
    0.5
}

#[dq_check(for_each = 5, fail_above = 1)]
fn no_list(_table: &str) -> u64 {
    0
}

#[dq_check]
static NO_FUNCTION: f64 = 0.5;

fn main() {
    let _ = (plain(), asynchronous());
}
