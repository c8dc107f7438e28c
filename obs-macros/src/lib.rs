//! The attributes of obs: one line on a function gives it logs, metrics, errors, cost and checks.
//!
//! Depend on `obs-runtime`, which re-exports them; the code they generate calls it.
//!
//! They work on free functions, methods and default methods of traits, sync and `async`, generic, `unsafe`, `extern` and
//! `-> impl Trait`, together and in any order. The order in which they nest is fixed:
//! `tracked_command` (outermost), `health_check` or `dq_check`, `bq_cost`, `with_error_tracking`, `track_performance`.
//!
//! # Keys of all attributes
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name = "…"` | the operation, command or check | the function's name; of a command in kebab-case |
//! | `tags(k = expr, …)` | labels of the metrics, evaluated once at entry and rendered by `Display` | none |
//! | `args(a, b = expr, c = redact, …)` | arguments to record in logs and errors: `a` by its value, `b` by the value of an expression, `c` by one of the redacting forms `redact`, `hash` and `len`. A name that looks like a secret needs one of these | none |
//! | `ok_if = path`, `error_if = path` | a function `fn(&T) -> bool` that classifies the returned value; not on checks | by type: `Err`, `None` and a failing `ExitCode` are errors |
//! | `level = "…"` | level of the start and finish lines, in any case: `trace`, `debug`, `info`, `warning` or `warn`, `error`, `critical` | `info` for commands, `debug` otherwise |
//! | `crate = path` | the absolute path of `obs_runtime` | `::obs_runtime` |
//!
//! Expressions of `tags`, `args`, `context`, `user` and `dataset` can use the arguments of the function. They are
//! evaluated before the body runs and only borrow the arguments.
//!
//! # `#[track_caller]`
//!
//! It is preserved: a panic in the body reports the caller's line. The attribute moves the body to a function of its own, as
//! a closure does not get the location of its caller. There are three exceptions, in which a panic reports the function's own
//! line:
//! - under `tracked_command` and `bq_cost`;
//! - in a method without `pub` whose return type can hold an error, as it may belong to a trait, where no function can be added;
//! - in a function without `self` and `Self` that seems to name a type parameter of its `impl`: a name of one or two capitals,
//!   a usual one such as `Key`, or an argument of a generic type such as `Table<Key>`. An attribute does not see the `impl`.
//!
//! A function without `self` and `Self` that names a type parameter in another way fails to compile with "can't use generic
//! parameters from outer item" (E0401), for example `fn open(handle: Handle) -> Result<u8, Error>` in `impl<Handle> Store<Handle>`.
//! It compiles if it also names `Self`, for example by `let _: Option<Self> = None;`.
//!
//! # Futures, streams and closures
//!
//! A function that returns a future without being `async` is measured as its `async` form, from the first poll of the
//! future to its end, by its output. A future that is dropped before it is polled counts as cancelled. This holds for
//! `-> impl Future`, with the further bounds `Send`, `Sync`, `Unpin` and lifetimes, and for
//! `-> Pin<Box<dyn Future>>`, `-> BoxFuture`, and aliases and associated types of boxed futures whose name contains `Fut`, or
//! whose function makes the future: its body contains `async`, `pin`, `boxed` or `boxed_local`. A boxed future is boxed once
//! more, unless the body is nothing but `Box::pin(…)`.
//!
//! All other values are measured when the function returns them, also those that do their work later: streams, iterators,
//! closures, and futures of a named type such as `Ready<T>` or `Either<A, B>`, which must stay of that type. To measure their
//! work, annotate the function that awaits or consumes them, or the one that produces an item.
//!
//! The compiler infers the signature of a returned closure from `-> impl Fn…` only if the closure is the last expression of a
//! function. The body of such a function therefore stays in its place, and that of an `async` one moves to a function of its own. In
//! a trait's method, or one without `pub`, that awaits something, write the types of the closure's arguments: `|text: &str| …`.
//!
//! Each attribute on an `async` function adds a future around its body. Where such functions call each other at great depth, the
//! compiler may report that "queries overflow the depth limit"; `#![recursion_limit = "256"]` in the crate raises it.
//!
//! # Errors of generic types
//!
//! An error whose type has a type parameter that need not be `'static`, such as `ReuniteError<S>`, is recorded by `Display` or
//! `Debug`, without its sources: it may implement `Error` for `'static` parameters only. `E: Error + 'static` on the function
//! has it recorded with its sources.
//!
//! # Whole blocks
//!
//! `#[track_performance]` and `#[with_error_tracking]` also go on an `impl`, a `trait` or a `mod { … }`: they are added to
//! each function in it, including those of blocks inside of a module. Not included are functions without a body, `const`
//! and variadic functions, the output of macros inside, and functions that have the attribute themselves. The attribute
//! with `skip` alone excludes a function. An operation is named by its path from the block on: `Csv::read`, or
//! `loader::Csv::read` in a module.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `only(a, b, …)` | includes only these functions, or inner blocks, by their path in the block | all |
//! | `skip(a, b, …)` | excludes these | none |
//! | `public_only` | excludes functions without `pub` | all |
//! | `name = "…"` | the prefix of operation names | the name of the type, trait or module |
//!
//! The keys `tags`, `level` and `crate`, and of `#[with_error_tracking]` also `context`, `severity` and `ignore_if`, apply
//! to each function.
//!
//! # Editors
//!
//! Bodies and expressions keep their tokens and spans, so that completion, go-to-definition and breakpoints work in them.
//! rust-analyzer also completes and documents the keys, by means of `obs_runtime::keys`.
//!
//! # Errors
//!
//! All errors in the arguments of an attribute are reported at once, each on its own token. The function is emitted
//! unchanged, so that its callers do not fail to compile as well.
//!
//! # Features
//!
//! `off`: every attribute validates its arguments and emits the bare function. This includes `fallback`, so the errors
//! that it would swallow are returned.

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

/// Instruments a command: a function that a person or a scheduler starts.
///
/// The function runs in the context of a command (a correlation id if there is none, the command's name, the user), with
/// a start and a finish line and the `cli.command.*` metrics. The outermost command flushes every exporter when it ends.
/// The error that it returns is captured, once, also if no function inside has captured it; `ok_if` and `error_if` decide
/// what an error of the command is.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `user = expr` | the user on whose behalf it runs, rendered by `Display` | from the context |
/// | `cron = "0 3 * * *"`, or `every = "6h"` | the schedule: five cron fields or a nickname such as `@daily`, or an interval in whole minutes; `catalogue()` lists it | none |
/// | `timezone = "Europe/Berlin"` | the IANA time zone of the schedule | UTC |
/// | `max_runtime = "30m"`, `margin = "5m"` | the longest run, the latest start | none |
/// | `monitor = "slug"`, `failure_threshold = 3`, `recovery_threshold = 2` | the slug of the Sentry monitor; how many runs in a row must fail or be missed until it opens an issue, and succeed until it resolves it | the command's name, 1, 1 |
/// | `owner = "…"`, `runbook = "https://…"` | the responsible team (a string or a constant), and the page that says what to do: in the catalogue, in Sentry, and in what `generate` makes | none |
/// | `slo = "99.5%"`, `slo_latency = "30s"` | the share of calls that must succeed, and within which time; `generate` makes alerts of it | none |
/// | `init`, `init = "lenient"` | on `main`: initialises obs too, see below | no |
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
///
/// # The flush at the end
///
/// It takes `OBS_FLUSH_TIMEOUT` at most. A sync command returns after it. The future of an async command never blocks its
/// executor:
///
/// - The future of an `async fn`, or of a function that returns `impl Future`, is ready after the flush if its output is `Send`.
///   The outcome is recorded before. A timeout around the future includes the flush: if it expires in between, the command has
///   ended with its outcome, and the output is lost.
/// - If the output is not `Send`, such as `Result<(), Box<dyn Error>>`, the future is ready at once: keeping the output would
///   take `Send` from the future. The same applies to boxed futures. The flush runs in the background.
/// - If the future is dropped before it is ready, the flush runs in the background, too.
///
/// Later flushes, `Guard::flush` and the drop of the guard among them, wait for those in the
/// background. So nothing is lost at the end of the program.
///
/// # On `main`
///
/// `#[tracked_command(init)]` is all that a job needs, sync or with `#[tokio::main]` above or below. It initialises obs from
/// the environment, with the name and version of the crate as defaults for `SERVICE_NAME` and the version; runs the
/// function; flushes; and returns the exit code. The command is named after the program. `main` may return what every `main`
/// may.
///
/// An error is not printed by the standard library, as the finish line of the log has it, and the line on a terminal; it is
/// printed if both are absent. An invalid configuration is printed with all its problems, and the function does not run. With
/// `init = "lenient"` it does: one warning has all problems, and each faulty value becomes the default.
///
/// ```no_run
/// #[obs_runtime::tracked_command(init)]
/// fn main() -> Result<(), std::io::Error> {
///     std::fs::copy("users.csv", "copy.csv").map(drop)
/// }
/// ```
#[proc_macro_attribute]
pub fn tracked_command(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::TrackedCommand, &args.into(), item.into()).into()
}

/// Captures the errors and panics of a function: one log line, one event and `operation.error` for each.
///
/// The error is returned unchanged.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `context(k = expr, …)` | what to record with the error, rendered by `Display`, else by `Debug` | none |
/// | `severity = "…"` | `info`, `warning` or `warn`, `error`, `critical`, in any case | `error` |
/// | `ignore_if = path` | a function `fn(&E) -> bool`: errors for which it returns `true` are not captured here; a command that returns one captures it | none |
/// | `owner = "…"`, `runbook = "https://…"` | the responsible team (a string or a constant), and the page that says what to do: in the catalogue, in Sentry, and in what `generate` makes | none |
/// | `fallback = expr` | swallow the error and return this instead; it cannot use arguments that the body has moved | none |
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

/// Opens a scope of `BigQuery` cost: adds up and records the cost of the queries inside.
///
/// It includes every query that runs through the tracked client or is reported with `track_cost`, and the job statistics
/// of the returned value.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `query_type = "…"` | label of the `bigquery.query.*` metrics | `query` |
/// | `dataset = expr` | label of `bigquery.operation`, rendered by `Display` | none |
/// | `alert_over_usd = 5.0` | warn when one call costs more | `COST_ALERT_THRESHOLD_USD` |
/// | `max_usd = 20.0`, `max_bytes = "1 TiB"` | refuse a query with which one call would cost more, or read more bytes | none |
/// | `max_slot_hours = 2.5` | refuse further queries once those of one call have used this slot time | none |
/// | `budget = "name"` | refuse a query that would exceed the budget of this name (`OBS_BUDGETS`) | none |
/// | `owner = "…"`, `runbook = "https://…"` | the responsible team (a string or a constant), and the page that says what to do: in the catalogue, in Sentry, and in what `generate` makes | none |
/// | `labels(k = expr, …)` | labels of the jobs inside, rendered by `Display` and sanitised to BigQuery's rules | none |
///
/// and the [keys of all attributes](crate#keys-of-all-attributes).
///
/// ```
/// use obs_runtime::{QueryStatistics, bq_cost};
///
/// #[bq_cost(query_type = "select", dataset = dataset, alert_over_usd = 5)]
/// async fn daily_revenue(dataset: &str) -> Result<QueryStatistics, std::io::Error> {
///     // The statistics of the job, as reported by any client.
///     Ok(QueryStatistics { bytes_processed: 1 << 30, bytes_billed: Some(1 << 30), ..QueryStatistics::default() })
/// }
/// ```
#[proc_macro_attribute]
pub fn bq_cost(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::BqCost, &args.into(), item.into()).into()
}

/// Registers a function as a health check at link time.
///
/// The function takes no arguments and returns `()`, `bool`, `Health`, or a `Result` of these. obs runs it with its
/// timeout, isolated from the other checks; a direct call runs the bare function. A check that hangs is reported when its
/// timeout expires and stays behind on its thread, with everything that it holds. If that is `std::io::stderr().lock()`,
/// every `eprintln!` of the program blocks; log lines bypass that lock (on Unix).
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `timeout = "2s"` | the longest run: whole numbers with `ms`, `s`, `m` or `h` | 5 s |
/// | `critical = false` | a failure makes the program degraded instead of unhealthy | `true` |
/// | `groups("live", "ready", "startup", …)` | the probes that run it: `/livez`, `/readyz`, `/startupz`, or a group of your own | `ready` |
/// | `cache = "10s"` | how long its result is reused | it runs each time |
/// | `after("database", …)` | checks that must pass first: it is skipped if one of them is unhealthy | none |
/// | `failures = 3` | the consecutive failures after which a healthy check is unhealthy; until then it is degraded | 1 |
/// | `owner = "…"`, `runbook = "https://…"` | the responsible team (a string or a constant), and the page that says what to do: in the catalogue, and in what `generate` makes | none |
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
/// A method with `&self` cannot be registered at link time, as there is no value yet. The attribute adds a companion,
/// `ping_health_check` for `ping`, which returns the check of a value, to be registered at run time:
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

#[doc = include_str!("dq_check.md")]
#[proc_macro_attribute]
pub fn dq_check(args: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand(Attribute::DqCheck, &args.into(), item.into()).into()
}

/// Measures a function: the `operation.*` metrics, by its name and outcome.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `owner = "…"`, `runbook = "https://…"` | the responsible team (a string or a constant), and the page that says what to do: in the catalogue, in Sentry, and in what `generate` makes | none |
/// | `slo = "99.5%"`, `slo_latency = "30s"` | the share of calls that must succeed, and within which time; `generate` makes alerts of it | none |
///
/// and the [keys of all attributes](crate#keys-of-all-attributes). It can be put on [whole blocks](crate#whole-blocks).
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

/// Gives an error a stable label: that of an enum's variant, `LoadError::HttpTimeout` is `http_timeout`, or of a struct's name.
///
/// The label is the `error_type` of `operation.error` and of log lines, and part of the fingerprint of events. It is the same
/// behind `Box<dyn Error>`, `anyhow::Error`, `eyre::Report`, `Arc` and as the source of another error, if the type implements
/// `Error` and has no generic parameters.
///
/// `#[error_kind(with = path)]` on the type takes the label from a function, `fn(&Self) -> &'static str`, and `crate = path` is
/// where `obs_runtime` is. An `impl ErrorKind` without the derive is found only where the return type names the error.
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
///
/// #[derive(ErrorKind)]
/// #[error_kind(with = label)]
/// struct Answer {
///     status: u16,
/// }
/// fn label(answer: &Answer) -> &'static str {
///     if answer.status < 500 { "refused" } else { "server_failed" }
/// }
/// assert_eq!(Answer { status: 503 }.error_kind(), "server_failed");
/// ```
#[proc_macro_derive(ErrorKind, attributes(error_kind))]
pub fn error_kind(item: TokenStream) -> TokenStream {
    error_kind::expand(item.into()).into()
}
