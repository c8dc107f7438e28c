//! Owners, runbooks and objectives: accepted forms, then wrong uses.

use obs_runtime::{bq_cost, health_check, track_performance, tracked_command, with_error_tracking};

const TEAM: &str = "data-platform";

#[tracked_command(owner = TEAM, runbook = "https://wiki.example/nightly#top", slo = "99.5%", slo_latency = "30s")]
fn everything() {}

#[track_performance(owner = "growth", slo = "99.9999%")]
#[with_error_tracking(runbook = "http://wiki/errors")]
#[bq_cost(owner = "growth", runbook = "https://wiki.example/cost")]
fn on_functions() -> Result<(), String> {
    Ok(())
}

#[tracked_command(owner = "")]
fn no_owner() {}

#[tracked_command(owner = 3)]
fn a_number_is_no_owner() {}

#[tracked_command(runbook = "wiki.example/nightly")]
fn no_scheme() {}

#[tracked_command(runbook = "https://ada:hunter2@wiki.example/nightly")]
fn credentials() {}

#[tracked_command(runbook = TEAM)]
fn no_literal() {}

#[tracked_command(slo = 99.5)]
fn a_number() {}

#[tracked_command(slo = "99.5")]
fn no_percentage() {}

#[tracked_command(slo = "100%")]
fn nothing_may_fail() {}

#[tracked_command(slo = "99.99999%")]
fn too_many_decimals() {}

#[tracked_command(slo_latency = "30s")]
fn no_share() {}

#[tracked_command(slo = "99%", slo_latency = "25h")]
fn longer_than_a_day() {}

#[track_performance(slo = "99%", slo_latency = "soon")]
fn no_duration() {}

#[with_error_tracking(slo = "99%")]
fn errors_are_not_all_calls() -> Result<(), String> {
    Ok(())
}

#[health_check(slo = "99%")]
fn checks_have_none() {}

#[tracked_command(sol = "99%", runbok = "https://wiki")]
fn misspelt() {}

#[track_performance(owner = "growth")]
mod block {}

fn main() {
    everything();
    on_functions().unwrap();
}
