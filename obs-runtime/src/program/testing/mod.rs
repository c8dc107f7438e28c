//! The test kit: captures what code reports, after the same redaction and aggregation as in production, and asserts it.
//!
//! ```
//! use obs_runtime::testing::capture;
//! use obs_runtime::{track_performance, with_error_tracking};
//!
//! #[track_performance(tags(table = table))]
//! #[with_error_tracking(context(table = table))]
//! fn load(table: &str) -> Result<u64, std::io::Error> {
//!     if table == "users" { Ok(3) } else { Err(std::io::ErrorKind::NotFound.into()) }
//! }
//!
//! let captured = capture(|| (load("users"), load("orders")));
//! captured.counter("operation.success").with("operation", "load").with("table", "users").is(1);
//! captured.counter("operation.error").with("error_type", "io_Error").is(1);
//! captured.errors().operation("load").with("table", "orders").once();
//! captured.logs().is(0);
//! ```
//!
//! A capture is that of one test: tests run in parallel, nothing is installed, nothing is sent, and the environment is not
//! read. What an assertion did not find, its panic says, with what there was.
//!
//! | to test | use |
//! | --- | --- |
//! | a function, a future | [`capture`], [`capture_async`] |
//! | with a configuration | [`capture_with`], [`capture_async_with`]; with a clock too: [`Capture`] |
//! | metrics, also the program's own | [`Captured::counter`], [`gauge`](Captured::gauge), [`histogram`](Captured::histogram) |
//! | log lines, calls, errors, messages, spans | [`Captured::logs`], [`calls`](Captured::calls), [`errors`](Captured::errors), [`messages`](Captured::messages), [`spans`](Captured::spans) |
//! | checks, costs | [`Captured::checks`], [`health`](Captured::health), [`costs`](Captured::costs), [`cost_alerts`](Captured::cost_alerts) |
//! | everything, as a snapshot | [`Captured::stable_text`], for `insta` and the like |
//! | what the program declares | [`declarations`] |
//! | durations, periods, ages | a [`Clock`] that the test sets |
//! | queries, costs, refusals, budgets | `bigquery()` (feature `bigquery`): a server with scripted answers, and budgets in memory |

pub mod assertions;
#[cfg(feature = "bigquery")]
mod bigquery;
mod capture;
mod clock;
mod declarations;
mod series;
mod stable_text;

pub use crate::events::failure_facts::FailureFacts;
pub use crate::exporters::memory::{CallRecord, ErrorRecord, Line, Records, ScopeRecord, SpanRecord};
#[cfg(feature = "bigquery")]
pub use bigquery::{QueryRun, QueryScript, ScriptedBigQuery, bigquery};
pub use capture::{Capture, Captured, capture, capture_async, capture_async_with, capture_with};
pub use clock::Clock;
pub use declarations::{Declarations, declarations};
pub use series::SeriesAssertion;
