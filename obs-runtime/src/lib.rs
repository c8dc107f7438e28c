//! The runtime of obs: what the attributes call, and the functions for calls without an attribute.
//!
//! obs is instrumentation for data engineering. One attribute on a function gives it structured logs with context, metrics
//! in Prometheus and Datadog, captured errors, BigQuery cost, and an entry in a registry of health and data-quality checks
//! that is known when the program is linked.
//!
//! ```standalone_crate
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
//! gives is dropped, annotated functions run as if they had no attribute. No call into obs returns an error to the
//! function that it watches, panics, or waits for the network; what had to be dropped is counted in `obs.dropped`.
//!
//! # Features
//!
//! | feature | brings | default |
//! | --- | --- | --- |
//! | `prometheus` | `/metrics` over HTTP, the textfile of `node_exporter`, a Pushgateway | yes |
//! | `https` | the Pushgateway behind https | no |
//! | `datadog` | metrics, service checks and events to a Datadog agent | yes |
//! | `datadog-agentless` | the same to Datadog's API, where there is no agent | no |
//! | `bigquery` | [`bigquery::Client`], budgets | no |
//! | `bigquery-estimate` | [`bigquery::estimate`]: what a query reads, told from its text | no |
//! | `cli` | [`cli`]: commands to embed in a program's own: `health`, `dq`, `catalogue`, `config`, `doctor`, `status` | no |
//! | `sqlite` | [`tables`] of SQLite for ready-made checks | no |
//! | `sentry` | errors, panics, check-ins and sessions in Sentry | no |
//! | `otlp` | traces, metrics and log records to a collector or backend of OpenTelemetry, by OTLP over HTTP | no |
//! | `otlp-grpc` | the same over gRPC | no |
//! | `tower` | [`ContextLayer`]: each request of a server in a context of its own, and measured | no |
//! | `testing` | `obs_runtime::testing`: what was logged, measured, captured and checked, for tests | no |
//! | `off` | every attribute leaves the bare function and still checks its arguments | no |

// On docs.rs, items bear the feature that they need.
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate self as obs_runtime;

mod base;
pub mod bigquery;
mod checks;
pub mod config;
mod context;
mod events;
mod exporters;
mod instrument;
mod metrics;
mod pipeline;
mod program;
mod redact;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use bigquery::guard::reserve_cost;
pub use bigquery::refused::CostRefused;
pub use bigquery::report::{track_bigquery_operation, track_cost, track_estimate, track_query_performance};
pub use bigquery::statistics::{JobStatistics, QueryStatistics};
pub use checks::health::check::{HealthCheck, register_health_check};
pub use checks::health::http::{HealthResponse, health_response};
pub use checks::health::report::{HealthReport, HealthResult};
pub use checks::health::run::{HealthRun, run_health_checks};
pub use checks::health::status::{Health, IntoHealth, Status};
pub use checks::tables;
pub use context::current::ContextGuard;
pub use context::extract::extract;
pub use context::in_context::{ClosureInContext, FnInContext, FutureInContext, InContext, StreamInContext, spawn};
pub use context::scope::{LogContext, correlation_id, set_correlation_id, set_user};
pub use context::tasks::{JoinSet, spawn_blocking, spawn_in_context, spawn_thread};
pub use events::error_kind::ErrorKind;
pub use events::event_id::{EventId, ParseEventIdError};
pub use events::field::Value;
pub use events::user::User;
pub use instrument::command::{track_cli_command, track_feature};
pub use instrument::errors::breadcrumb::{Breadcrumb, add_breadcrumb};
pub use instrument::errors::capture::{
    CapturableError, ErrorBox, ErrorCapture, ErrorType, capture_error, capture_message,
};
pub use metrics::callsite::SourceLocation;
pub use metrics::{catalogue, snapshot};
#[cfg(feature = "cli")]
pub use program::cli;
pub use program::guide;
pub use program::keys;
#[cfg(feature = "prometheus")]
pub use program::prometheus::{EndpointError, verify_metrics_endpoint};
#[cfg(feature = "testing")]
pub use program::testing;

/// The types of events that [`before_send`](ObservabilityBuilder::before_send) takes. They are exempt from semver: obs may
/// move to another version of sentry, which is below 1.0, in a minor release.
#[cfg(feature = "sentry")]
pub use ::sentry::protocol as sentry_protocol;
pub use base::declaration::Objective;
pub use base::level::Level;
pub use base::outcome::Outcome;
pub use base::schedule::Schedule;
pub use base::secret::Secret;
pub use checks::quality::bounds::{Bounds, IntoBounds};
pub use checks::quality::check::{QualityCheck, register_dq_check};
pub use checks::quality::current_table::TableName;
pub use checks::quality::manual::track_data_quality_check;
pub use checks::quality::measure::{IntoMeasure, Measure, Measured, Verdict};
pub use checks::quality::partition::{Partition, PartitionUnit};
pub use checks::quality::report::{QualityError, QualityReport, QualityResult};
pub use checks::quality::run::{QualityRun, run_dq_checks};
pub use checks::quality::status::{QualityStatus, Severity};
pub use checks::runner::registry::Registration;
pub use config::agent_address::AgentAddress;
pub use config::filter::LogFilter;
pub use config::log_format::LogFormat;
pub use config::log_layout::{LogLayout, LogTime};
pub use config::problem::{ConfigError, Problem};
pub use config::sampling::LogSampling;
pub use config::signals::Signals;
pub use config::validated::Config;
pub use events::program_trace::SpanContext;
pub use exporters::log::log_output::LogOutput;
pub use exporters::sink;
pub use exporters::sink::definition::Sink;
pub use exporters::sink::event::RedactedEvent;
pub use instrument::performance::{track_performance, track_performance_async, track_performance_result};
pub use instrument::request::{RequestFuture, RequestOutcome, track_request};
pub use obs_macros::*;
pub use pipeline::log_level::LogLevelHandle;
pub use pipeline::outgoing_context::{child_env, context_headers};
pub use pipeline::subscriber::{layer, unfiltered_layer};
#[cfg(feature = "_user-metrics")]
pub use pipeline::user_metrics::install_metrics_recorder;
#[cfg(feature = "tower")]
pub use program::context_layer::{ContextLayer, ContextService};
pub use program::guard::{Guard, exit, metrics, settings};
pub use program::init::init_error::InitError;
pub use program::init::observability::{Observability, ObservabilityBuilder, init_observability};
pub use program::inventory::{Catalogue, Entry, QualityEntry, catalogue};
#[cfg(feature = "prometheus")]
pub use program::server::identity::NotOurs;
pub use program::status::{RuntimeStatus, SinkStatus, status};
