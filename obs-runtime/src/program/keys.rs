//! The keys of the attributes: a module for each attribute, with an item and its documentation for each key.
//!
//! Editors resolve the keys of an attribute to these items, for completion and documentation. There is nothing else to use
//! here. The attributes themselves are described in [`obs_macros`](crate#attributes).

/// Declares the keys, and the keys of each attribute.
macro_rules! keys {
    (
        $($(#[$doc:meta])* $key:ident;)*
        ---
        $($(#[$attribute_doc:meta])* $attribute:ident: $($taken:ident)*;)*
    ) => {
        /// Every key of any attribute.
        pub mod all {$(
            $(#[$doc])*
            pub mod $key {}
        )*}

        $(
            $(#[$attribute_doc])*
            pub mod $attribute {
                pub use super::all::{$($taken),*};
            }
        )*
    };
}

keys! {
    /// `name = "…"`: the operation, command or check. The default is the function's name; in kebab-case for a command.
    name;
    /// `tags(k = expr, …)`: labels of the metrics, formatted by `Display`, evaluated once before the body runs.
    tags;
    /// `args(a, b = expr, c = redact, …)`: arguments to record in logs and errors: `a` as it is, `b` as the value of the
    /// expression, `c` in one of the redacted forms `redact`, `hash` and `len`.
    args;
    /// `ok_if = path`: a function `fn(&T) -> bool` that returns whether the return value is a success.
    ok_if;
    /// `error_if = path`: a function `fn(&T) -> bool` that returns whether the return value is an error.
    error_if;
    /// `level = "…"` of the start and finish lines: in any case: `trace`, `debug`, `info`, `warning` or `warn`, `error`,
    /// `critical`.
    level;
    /// `user = expr`: the user on whose behalf the command runs, formatted by `Display`.
    user;
    /// `cron = "0 3 * * *"`: the schedule of the command, as in crontab, or a shorthand such as `@daily`.
    cron;
    /// `every = "6h"`: the interval between runs, in whole minutes, instead of `cron`.
    every;
    /// `timezone = "Europe/Berlin"`: the IANA time zone of the schedule. The default is UTC.
    timezone;
    /// `max_runtime = "30m"`: the longest duration of a scheduled run.
    max_runtime;
    /// `margin = "5m"`: how late a scheduled run may start.
    margin;
    /// `monitor = "slug"`: the name of the schedule's monitor. The default is the command's name.
    monitor;
    /// `failure_threshold = 3`: how many runs in a row must fail or be missed until Sentry opens an issue. The default is 1.
    failure_threshold;
    /// `recovery_threshold = 2`: how many runs in a row must succeed until Sentry resolves the issue. The default is 1.
    recovery_threshold;
    /// `init` on `main`: initialises obs with the crate's name and version, prints why the program failed, and returns the exit
    /// code. `init = "lenient"` goes on when the configuration is invalid, with a warning.
    init;
    /// `context(k = expr, …)`: values to record with an error, formatted by `Display` or else `Debug`.
    context;
    /// `fingerprint("…", expr, …)`: what errors of the function are grouped by in Sentry, formatted by `Display` before the body
    /// runs. A part `"{{ default }}"` stands for what obs would group by.
    fingerprint;
    /// `severity = "…"`, in any case: `info`, `warning` or `warn`, `critical`; for errors also `error`.
    severity;
    /// `ignore_if = path`: a function `fn(&E) -> bool`: errors for which it says `true` are not captured.
    ignore_if;
    /// `fallback = expr`: return this value instead of the error.
    fallback;
    /// `query_type = "select"`: the kind of queries that run inside.
    query_type;
    /// `dataset = …`: the data set that queries read (an expression), or that is checked (a string).
    dataset;
    /// `alert_over_usd = 5.0`: the cost of one call, in US dollars, above which an alert is logged.
    alert_over_usd;
    /// `max_usd = 20.0`: the cost of one call, in US dollars, above which a query is refused.
    max_usd;
    /// `max_bytes = "1 TiB"`: the bytes billed of one call, above which a query is refused.
    max_bytes;
    /// `max_slot_hours = 2.5`: the slot hours of one call, after which further queries are refused.
    max_slot_hours;
    /// `budget = "name"`: one of `OBS_BUDGETS`; a query that would exceed it is refused.
    budget;
    /// `labels(k = expr, …)`: labels of the jobs that run inside, formatted by `Display`.
    labels;
    /// `timeout = "2s"`: the time limit of the check.
    timeout;
    /// `critical = false`: a failure makes the report degraded instead of unhealthy.
    critical;
    /// `groups("live", "ready", "startup", …)`: the groups of the check. The default is `ready`.
    groups;
    /// `cache = "10s"`: how long a result is reused before the check runs again.
    cache;
    /// `after("database", …)`: checks that run first and must not be unhealthy.
    after;
    /// `failures = 3`: how many failures in a row make a healthy check unhealthy.
    failures;
    /// `column = "…"`: the column that is checked.
    column;
    /// `owner = "…"`: the team that is responsible for the function, or that owns the data; a string or a constant.
    owner;
    /// `runbook = "https://…"`: the page that says what to do when the function or check fails.
    runbook;
    /// `slo = "99.5%"`: the share of calls that must succeed, above 0 and below 100, with at most 4 decimals.
    slo;
    /// `slo_latency = "30s"`: how long a call may take, for the share that `slo` gives; at most a day.
    slo_latency;
    /// `warn_above = 0.01`: values above it warn.
    warn_above;
    /// `fail_above = 0.05`: values above it fail.
    fail_above;
    /// `warn_below = 1000`: values below it warn.
    warn_below;
    /// `fail_below = 1`: values below it fail.
    fail_below;
    /// `between = 900..=1100`: values outside of this range fail; also `900..` and `..=1100`.
    between;
    /// `warn_rows = 10`: this many failing rows or more warn.
    warn_rows;
    /// `fail_rows = 100`: this many failing rows or more fail.
    fail_rows;
    /// `warn_share = "0.5%"`: this part of the rows or more warns.
    warn_share;
    /// `fail_share = "5%"`: this part of the rows or more fails.
    fail_share;
    /// `warn_older_than = "2h"`: an age in seconds above this warns.
    warn_older_than;
    /// `fail_older_than = "6h"`: an age in seconds above this fails.
    fail_older_than;
    /// `fail_in_future = "5m"` or `true`: a time that lies further in the future, which is a negative age, fails.
    fail_in_future;
    /// `bounds = path`: a function that gives further bounds for each run.
    bounds;
    /// `require_rows = 1`: with fewer rows in the total, the check fails.
    require_rows;
    /// `allow_no_data = true`: the check passes when there is nothing to check.
    allow_no_data;
    /// `blocking = true`: the check runs before the others of its data set, and its failure skips them.
    blocking;
    /// `for_each = expr`: one check for each item of a list, which is passed to the function.
    for_each;
    /// `partition = Day`: it runs for a part of the data, an `Hour`, a `Day` or a `Month`, that `dq run --partition` names.
    partition;
    /// `only(a, b, …)`: in a block, only these functions or inner blocks.
    only;
    /// `skip(a, b, …)`: in a block, all but these; on a function, `skip` leaves it out of its block.
    skip;
    /// `public_only`: in a block, only functions with `pub`.
    public_only;
    ---
    /// Keys of `#[tracked_command]`.
    tracked_command: name tags args ok_if error_if level user cron every timezone max_runtime margin monitor failure_threshold recovery_threshold owner runbook slo slo_latency init;
    /// Keys of `#[with_error_tracking]`.
    with_error_tracking: name tags args ok_if error_if level context fingerprint severity ignore_if fallback owner runbook only skip public_only;
    /// Keys of `#[bq_cost]`.
    bq_cost: name tags args ok_if error_if level query_type dataset alert_over_usd max_usd max_bytes max_slot_hours budget labels owner runbook;
    /// Keys of `#[health_check]`.
    health_check: name tags args level timeout critical groups cache after failures owner runbook;
    /// Keys of `#[dq_check]`.
    dq_check: name tags args level dataset column owner runbook severity warn_above fail_above warn_below fail_below between warn_rows fail_rows warn_share fail_share warn_older_than fail_older_than fail_in_future bounds require_rows allow_no_data timeout blocking after for_each partition;
    /// Keys of `#[track_performance]`.
    track_performance: name tags args ok_if error_if level owner runbook slo slo_latency only skip public_only;
}
