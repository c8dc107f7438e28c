//! The runtime of obs: what the attributes call, and what a program calls by hand.
//!
//! obs is instrumentation for data engineering. One attribute on a function gives it structured logs with context, metrics
//! in Prometheus and Datadog, captured errors, BigQuery cost, and an entry in a registry of health and data-quality checks
//! that is known when the program is linked.
//!
//! ```
//! use obs_runtime::{Observability, dq_check, track_performance, tracked_command};
//!
//! #[track_performance(tags(table = table))]
//! fn load(table: &str) -> Result<u64, std::io::Error> {
//!     Ok(3)
//! }
//!
//! #[dq_check(dataset = "users", fail_above = 0)]
//! fn null_ids() -> u64 {
//!     0
//! }
//!
//! #[tracked_command]
//! fn nightly() -> Result<u64, std::io::Error> {
//!     load("users")
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let _guard = Observability::builder().prometheus_port(0).init()?;
//! nightly()?;
//! assert!(obs_runtime::run_dq_checks().wait().passed());
//! # Ok(())
//! # }
//! ```
//!
//! Everything begins with [`init_observability`] or [`Observability::builder`]; before it, and after the [`Guard`] it
//! gives is dropped, annotated functions run as if they bore no attribute. No call into obs returns an error to the
//! function that it watches, panics, or waits for the network; what had to be dropped is counted in `obs.dropped`.
//!
//! # Features
//!
//! | feature | brings | default |
//! | --- | --- | --- |
//! | `prometheus` | `/metrics` over HTTP, the textfile of `node_exporter`, a Pushgateway | yes |
//! | `https` | the Pushgateway behind https | no |
//! | `datadog` | metrics, service checks and events to a Datadog agent | yes |
//! | `bigquery` | [`bigquery::Client`], budgets | no |
//! | `bigquery-estimate` | [`bigquery::estimate`]: what a query reads, told from its text | no |
//! | `cli` | [`cli`]: commands to embed in a program's own: `health`, `dq`, `catalogue`, `config`, `status` | no |
//! | `sqlite` | [`tables`] of SQLite for ready-made checks | no |
//! | `sentry` | errors, panics, check-ins and sessions in Sentry | no |
//! | `testing` | `obs_runtime::testing`: what was logged, measured, captured and checked, for tests | no |
//! | `off` | every attribute leaves the bare function and still checks its arguments | no |

extern crate self as obs_runtime;

mod analytics;
#[cfg(unix)]
mod at_exit;
mod audited;
pub mod bigquery;
mod builtin;
mod call;
mod callsite;
mod cardinality;
pub mod catalogue;
mod cells;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
pub mod config;
mod context;
#[cfg(feature = "datadog")]
mod datadog;
mod deliveries;
mod describe;
mod drops;
#[cfg(feature = "prometheus")]
mod endpoint;
mod errors;
mod event;
mod exemplars;
mod failure;
mod flush;
mod frame;
mod global;
mod guard;
mod health;
mod init;
mod inventory;
mod journey;
pub mod keys;
mod layer;
mod level;
mod log_bridge;
mod log_level;
mod outcome;
mod panics;
mod performance;
mod pipeline;
mod quality;
mod recording;
mod redact;
mod registry;
mod room;
mod run;
mod runner;
mod schedule;
mod secret;
#[cfg(feature = "prometheus")]
mod server;
#[cfg(unix)]
mod signals;
mod sinks;
pub mod snapshot;
mod spending;
mod stack;
mod standard_streams;
mod status;
mod subscriber;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
#[cfg(feature = "_user-metrics")]
mod user_metrics;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use analytics::{track_cli_command, track_feature};
pub use bigquery::{
    CostRefused, JobStatistics, QueryStatistics, reserve_cost, track_bigquery_operation, track_cost, track_estimate,
    track_query_performance,
};
pub use context::{
    ClosureInContext, ContextGuard, FutureInContext, InContext, LogContext, child_env, context_headers, correlation_id,
    set_correlation_id, set_user, spawn,
};
#[cfg(feature = "prometheus")]
pub use endpoint::{EndpointError, verify_metrics_endpoint};
pub use errors::{Breadcrumb, add_breadcrumb, capture_error, capture_message};
pub use event::{EventId, Value};
pub use failure::ErrorKind;
pub use health::{
    Health, HealthCheck, HealthReport, HealthResponse, HealthResult, HealthRun, IntoHealth, Status, health_response,
    register_health_check, run_health_checks,
};

/// What [`before_send`](ObservabilityBuilder::before_send) is given.
#[cfg(feature = "sentry")]
pub use ::sentry::protocol as sentry_protocol;
pub use config::{AgentAddress, Config, ConfigError, LogFilter, LogFormat, LogSampling, Problem};
pub use guard::{Guard, exit, metrics, settings};
pub use init::{InitError, Observability, ObservabilityBuilder, init_observability};
pub use inventory::{Catalogue, Entry, catalogue};
pub use level::Level;
pub use log_level::LogLevelHandle;
pub use obs_macros::*;
pub use outcome::Outcome;
pub use performance::{track_performance, track_performance_async, track_performance_result};
pub use quality::{
    IntoMeasure, Measure, Measured, QualityCheck, QualityError, QualityReport, QualityResult, QualityRun,
    QualityStatus, Severity, Verdict, register_dq_check, run_dq_checks, track_data_quality_check,
};
pub use runner::Registration;
pub use schedule::Schedule;
pub use secret::Secret;
#[cfg(feature = "prometheus")]
pub use server::NotOurs;
pub use sinks::log::LogOutput;
pub use status::{RuntimeStatus, SinkStatus, status};
pub use subscriber::layer;
