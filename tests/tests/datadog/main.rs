//! The Datadog exporters against an agent that parses strictly, and against an API that does. `real_datadog` uses real readers.
#![cfg(unix)]

mod agentless;
mod content;
mod delivery;
mod failures;

use std::time::Duration;

use obs_runtime::{Observability, ObservabilityBuilder, track_performance};

/// Sends to this agent, at flushes only.
fn builder(url: &str) -> ObservabilityBuilder {
    Observability::builder()
        .without_environment()
        .service_name("etl")
        .environment("test")
        .version("1.2.3")
        .log_level(obs_runtime::Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agent(url.parse().unwrap())
        .datadog_interval(Duration::from_hours(1))
}

#[track_performance]
fn step(number: u32) -> u32 {
    number
}

const STEP: &[(&str, &str)] = &[("operation", "step")];

fn steps(number: u32) {
    for number in 0..number {
        step(number);
    }
}
