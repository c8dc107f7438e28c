//! The attributes of obs: one line on a function gives it logs, metrics, errors, cost and checks.
//!
//! Depend on `obs-runtime`, which re-exports them; the code they generate calls it.
//!
//! All of them work on free functions, methods and default methods of traits, sync and `async`, generic, `unsafe`,
//! `extern` and `-> impl Trait`, together and in any order. From the outside in they stand as `tracked_command`,
//! `health_check` or `dq_check`, `bq_cost`, `with_error_tracking`, `track_performance`, however they are written.
//!
//! # Keys of all attributes
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name = "…"` | the operation, command or check | the function's name; of a command in kebab-case |
//! | `tags(k = expr, …)` | labels of the metrics, evaluated once at entry, shown by `Display` | none |
//! | `args(a, b = expr, c = redact, …)` | arguments to record in logs and errors: `a` as it is, `b` as the expression gives it, `c` by one of the redacting forms `redact`, `hash` and `len`. Names that look secret need one of these | none |
//! | `ok_if = path`, `error_if = path` | a function `fn(&T) -> bool` that says whether the returned value is an error; not on checks | by type: `Err`, `None` and a failing `ExitCode` are errors |
//! | `level = "…"` | level of the start and finish lines: `trace`, `debug`, `info`, `warning`, `error`, `critical` | `info` for commands, `debug` otherwise |
//! | `crate = path` | where `obs_runtime` is, as an absolute path | `::obs_runtime` |
//!
//! Expressions of `tags`, `args`, `context`, `user` and `dataset` see the arguments of the function. They are
//! evaluated before its body runs and only borrow them.
//!
//! `#[track_caller]` is kept: what panics in the body names the caller's line. Two exceptions: under `tracked_command` and
//! `bq_cost`, and in a method without `pub` whose type does not say that it cannot fail, the line is the function's own.
//!
//! # Whole blocks
//!
//! `#[track_performance]` and `#[with_error_tracking]` also go on an `impl`, a `trait` or a `mod { … }`: each function in
//! it gets the attribute, those of blocks inside of a module too. Left as they are: functions without a body, `const`
//! and variadic ones, what a macro inside makes, and those that bear the attribute themselves; with `skip` alone it leaves a
//! function out. An
//! operation is named by the path from the block on: `Csv::read`, in a module `loader::Csv::read`.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `only(a, b, …)` | these functions, or blocks inside, by their path in the block | all |
//! | `skip(a, b, …)` | all but these | none |
//! | `public_only` | leaves out functions without `pub` | all |
//! | `name = "…"` | stands in the names instead of the block's own | the type, the trait, the module |
//!
//! and `tags`, `level`, `crate`; of `#[with_error_tracking]` also `context`, `severity` and `ignore_if`. They hold for
//! each function.
//!
//! # Editors
//!
//! Bodies are handed on as they are typed, so that completion, go-to-definition and breakpoints work in them as in any
//! function; so do they in the expressions of an attribute. rust-analyzer completes the keys too, and shows what each of
//! them means: it finds them in `obs_runtime::keys`.
//!
//! # Diagnostics
//!
//! All diagnostics of an attribute are reported at once, each on its own token, and the function stays as it was, so
//! that nothing that uses it is an error too.
//!
//! # Features
//!
//! `off`: every attribute checks its arguments and leaves the bare function; that goes for `fallback` too, so the errors
//! that it swallows come back.

mod bq_cost;
mod dq_check;
mod driver;
mod error_kind;
mod expand;
mod grammar;
mod health_check;
mod item;
#[cfg(test)]
mod tests;
mod track_performance;
mod tracked_command;
mod with_error_tracking;

use proc_macro::TokenStream;

use crate::grammar::vocabulary::Attribute;

/// A command of a program: the function that a person or a scheduler starts.
///
/// Around the function it puts the context of a command (a correlation id if there is none, the command's name, the
/// user), a start and a finish line, the `cli.command.*` metrics and, when it is the outermost command, a flush.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `user = expr` | on whose behalf it runs, shown by `Display` | from the surroundings |
/// | `cron = "0 3 * * *"` | when it is scheduled to run, as crontab says it, or `@daily` and the like; `catalogue()` lists it | none |
/// | `timezone = "Europe/Berlin"` | the time zone of the schedule, by the IANA's name | UTC |
/// | `max_runtime = "30m"`, `margin = "5m"` | how long a run may take, how late it may begin | not said |
/// | `monitor = "slug"` | the name of the schedule's monitor | the command's name |
///
/// and the [keys of all attributes](crate#keys-of-all-attributes). The name defaults to the function's in kebab-case.
///
/// ```
/// use obs_runtime::tracked_command;
///
/// #[tracked_command(name = "nightly-load", user = user, args(day, dsn = redact))]
/// fn load(user: &str, day: u32, dsn: &str) -> Result<String, std::io::Error> {
///     std::fs::read_to_string(format!("{dsn}/{day}.csv"))
/// }
/// assert!(load("ada", 7, "/no/such/folder").is_err());
/// ```
#[proc_macro_attribute]
pub fn tracked_command(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::TrackedCommand, &args.into(), item.into()).into()
}

/// Captures the errors and panics of a function: one log line, one event and `operation.error` for each.
///
/// The error is handed on as it is.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `context(k = expr, …)` | what to record with the error, shown by `Display` or else `Debug` | none |
/// | `severity = "…"` | `info`, `warning`, `error` or `critical` | `error` |
/// | `ignore_if = path` | a function `fn(&E) -> bool`: errors for which it says `true` are not captured | none |
/// | `fallback = expr` | swallow the error and return this instead; it does not see the arguments that the body took | none |
///
/// and the [keys of all attributes](crate#keys-of-all-attributes).
///
/// ```
/// use obs_runtime::{ErrorKind, with_error_tracking};
///
/// #[derive(Debug, ErrorKind)]
/// enum LoadError {
///     Duplicate,
///     NoRows,
/// }
///
/// fn is_duplicate(error: &LoadError) -> bool {
///     matches!(error, LoadError::Duplicate)
/// }
///
/// #[with_error_tracking(context(table = table), ignore_if = is_duplicate)]
/// async fn insert(table: &str, rows: Vec<u8>) -> Result<usize, LoadError> {
///     if rows.is_empty() { Err(LoadError::NoRows) } else { Ok(rows.len()) }
/// }
/// ```
#[proc_macro_attribute]
pub fn with_error_tracking(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::WithErrorTracking, &args.into(), item.into()).into()
}

/// A scope of `BigQuery` cost: what the queries inside cost is added up and measured.
///
/// It counts every query run inside through the tracked client or reported by hand, and the job statistics that the
/// returned value carries.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `query_type = "…"` | label of the `bigquery.query.*` metrics | `query` |
/// | `dataset = expr` | label of `bigquery.operation`, shown by `Display` | none |
/// | `alert_over_usd = 5.0` | warn when one call costs more | `COST_ALERT_THRESHOLD_USD` |
/// | `max_usd = 20.0`, `max_bytes = "1 TiB"` | refuse a query by which one call would cost more, or be billed for more | none |
/// | `budget = "name"` | refuse a query by which the budget of that name (`OBS_BUDGETS`) would be passed | none |
/// | `labels(k = expr, …)` | labels of the jobs that run inside, shown by `Display` and made to BigQuery's rules | none |
///
/// and the [keys of all attributes](crate#keys-of-all-attributes).
///
/// ```
/// use obs_runtime::{QueryStatistics, bq_cost};
///
/// #[bq_cost(query_type = "select", dataset = dataset, alert_over_usd = 5)]
/// async fn daily_revenue(dataset: &str) -> Result<QueryStatistics, std::io::Error> {
///     // What BigQuery said of the job, from whichever client ran it.
///     Ok(QueryStatistics { bytes_processed: 1 << 30, bytes_billed: Some(1 << 30), ..QueryStatistics::default() })
/// }
/// ```
#[proc_macro_attribute]
pub fn bq_cost(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::BqCost, &args.into(), item.into()).into()
}

/// Registers a function as a health check, known when the program is linked.
///
/// The function takes no arguments; obs runs it, under its timeout and apart from the other checks. Called by hand it
/// is the bare function. It returns `()`, `bool`, `Health`, or a `Result` of these. One that hangs is reported when its time
/// is over and left behind on its thread; what it holds it keeps. With `std::io::stderr().lock()` in its hands it makes
/// whoever writes there by `eprintln!` wait; log lines go past that lock then (on Unix).
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `timeout = "2s"` | how long it may take: whole numbers with `ms`, `s`, `m` or `h` | 5 s |
/// | `critical = false` | its failure degrades the program instead of making it unhealthy | `true` |
/// | `groups("live", "ready", "startup", …)` | who asks for it: `/livez`, `/readyz`, `/startupz`, or whoever names a group of your own | `ready` |
/// | `cache = "10s"` | how long its result holds before it runs again | it runs each time |
/// | `after("database", …)` | checks that have to be well first: it is skipped when one of them is unhealthy | none |
/// | `failures = 3` | so many failures in a row make what was well unhealthy; until then it is degraded | 1 |
///
/// and of the [keys of all attributes](crate#keys-of-all-attributes) `name`, `tags`, `args(k = expr, …)`, `level` and
/// `crate`.
///
/// ```standalone_crate
/// use obs_runtime::{Status, health_check, run_health_checks};
///
/// #[health_check(timeout = "500ms")]
/// fn hosts_file() -> Result<(), std::io::Error> {
///     std::fs::metadata("/etc/hosts").map(drop)
/// }
/// assert_eq!(run_health_checks().wait().status, Status::Healthy);
/// ```
///
/// On a method with `&self` nothing is registered when the program is linked, as there is no value yet. The method gets a
/// companion, `ping_health_check` for `ping`, which gives the check of a value, to be registered by hand:
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use obs_runtime::{health_check, run_health_checks};
///
/// struct Pool {
///     free: usize,
/// }
///
/// impl Pool {
///     #[health_check(critical = false)]
///     fn has_room(&self) -> bool {
///         self.free > 0
///     }
/// }
///
/// let pool = Arc::new(Pool { free: 3 });
/// pool.has_room_health_check().register();
/// assert_eq!(run_health_checks().wait().checks[0].name, "has_room");
/// ```
#[proc_macro_attribute]
pub fn health_check(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::HealthCheck, &args.into(), item.into()).into()
}

/// Registers a function as a data-quality check, known when the program is linked.
///
/// The function takes no arguments and returns a verdict or a measurement; obs runs it, holds the measurement against
/// the thresholds and records the result. Called by hand it is the bare function.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `dataset`, `column`, `owner` `= "…"` | what it looks at and who answers for it: text or the path of a constant | none |
/// | `severity = "…"` | how bad a failure is: `info`, `warning` or `critical` | `critical` |
/// | `warn_above`, `fail_above`, `warn_below`, `fail_below` `= number` | the value warns or fails beyond this | none |
/// | `timeout = "30s"` | how long it may take: whole numbers with `ms`, `s`, `m` or `h` | 5 min |
/// | `blocking = true` | it runs first, and its failure stops what follows in the run | `false` |
/// | `for_each = expr` | one check for each item, which the function takes: a list, or a `Result` of one | one check |
///
/// and of the [keys of all attributes](crate#keys-of-all-attributes) `name`, `tags`, `args(k = expr, …)`, `level` and
/// `crate`.
///
/// ```standalone_crate
/// use obs_runtime::{QualityStatus, dq_check, run_dq_checks};
///
/// #[dq_check(dataset = "penguins", column = "sex", warn_above = 0.02, fail_above = 0.10)]
/// fn share_without_sex() -> Result<f64, std::io::Error> {
///     Ok(11.0 / 344.0)
/// }
/// assert_eq!(run_dq_checks().wait().results[0].status, QualityStatus::Warned);
/// ```
///
/// With `for_each` the function takes one argument, an item or a reference to it; the checks are named `rows[users]`,
/// `rows[orders]`. The list is made anew for each run and whenever the checks are listed.
///
/// ```standalone_crate
/// use obs_runtime::{dq_check, run_dq_checks};
///
/// #[dq_check(for_each = ["users", "orders"], fail_below = 1)]
/// fn rows(table: &str) -> usize {
///     table.len()
/// }
/// assert_eq!(run_dq_checks().wait().results[0].check, "rows[orders]");
/// ```
///
/// On a method with `&self` it gets a companion as [`health_check`](macro@health_check)'s does: `nulls_dq_check` for
/// `nulls`.
#[proc_macro_attribute]
pub fn dq_check(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::DqCheck, &args.into(), item.into()).into()
}

/// Measures a function: the `operation.*` metrics, by its name and outcome.
///
/// It takes the [keys of all attributes](crate#keys-of-all-attributes).
///
/// ```
/// use obs_runtime::track_performance;
///
/// #[track_performance(tags(format = format), args(path, rows = rows.len()))]
/// fn write(path: &str, format: &str, rows: &[u8]) -> std::io::Result<()> {
///     std::fs::write(format!("{path}.{format}"), rows)
/// }
/// assert!(write("/no/such/folder/rows", "csv", &[]).is_err());
/// ```
#[proc_macro_attribute]
pub fn track_performance(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::TrackPerformance, &args.into(), item.into()).into()
}

/// Gives each variant of an error enum a stable label: `LoadError::HttpTimeout` is `http_timeout`.
///
/// The label is the `error_type` of `operation.error` and part of what groups errors.
/// `#[error_kind(crate = path)]` on the enum says where `obs_runtime` is.
///
/// ```
/// use obs_runtime::ErrorKind;
///
/// #[derive(ErrorKind)]
/// enum LoadError {
///     HttpTimeout { seconds: u32 },
///     BadRow(u64),
/// }
/// assert_eq!(LoadError::BadRow(7).error_kind(), "bad_row");
/// # let _ = LoadError::HttpTimeout { seconds: 1 };
/// ```
#[proc_macro_derive(ErrorKind, attributes(error_kind))]
pub fn error_kind(item: TokenStream) -> TokenStream {
    error_kind::expand(item.into()).into()
}
