//! `#[bq_cost]`: accepted forms, then wrong uses.

use obs_runtime::bq_cost;

#[bq_cost]
fn plain() {}

#[bq_cost(query_type = "select", dataset = dataset, alert_over_usd = 5)]
fn select(dataset: &str) {
    let _ = dataset;
}

#[bq_cost(dataset = "analytics", alert_over_usd = 0.5, args(days))]
async fn asynchronous(days: u32) -> Result<u32, std::num::ParseIntError> {
    days.to_string().parse()
}

#[bq_cost(query_type = "")]
fn empty_label() {}

#[bq_cost(query_type = select)]
fn label_without_quotes() {}

#[bq_cost(alert_over_usd = -1)]
fn below_zero() {}

#[bq_cost(alert_over_usd = f64::NAN)]
fn not_a_number() {}

#[bq_cost(alert_over_usd = "5 USD")]
fn text_for_a_number() {}

#[bq_cost(max_dollars = 20.0)]
fn key_of_none() {}

#[bq_cost(severity = "info")]
fn key_of_others() {}

#[bq_cost(tags(operation = 1, a = 2, a = 3, b, 4))]
fn wrong_tags() {}

#[bq_cost(query_type = 1, alert_over_usd = -2, level = "loud", args(x), nmae)]
fn all_at_once() {}

#[bq_cost(max_usd = 20, max_bytes = "1.5 TiB", labels(team = dataset, cost_centre = 7))]
fn limits(dataset: &str) {
    let _ = dataset;
}

#[bq_cost(max_usd = -1, max_bytes = "1 tib", budget = "")]
fn wrong_limits() {}

#[bq_cost(max_bytes = 5, labels(Team = "growth", operation = "x", é_team = 1))]
fn wrong_labels() {}

fn main() {
    plain();
    select("d");
    let _ = asynchronous(3);
}
