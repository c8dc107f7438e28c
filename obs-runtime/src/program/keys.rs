//! What the attributes can be told: a module for each attribute, in it an item for each key, with the key's documentation.
//!
//! Nothing here is to be used. An editor finds these items behind the keys of an attribute: it completes a key that is
//! half typed, and shows its documentation. The attributes themselves are described in [`obs_macros`](crate#attributes).

/// Declares the keys, and which attribute takes which.
macro_rules! keys {
    (
        $($(#[$doc:meta])* $key:ident;)*
        ---
        $($(#[$attribute_doc:meta])* $attribute:ident: $($taken:ident)*;)*
    ) => {
        /// Every key, whichever attribute takes it.
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
    /// `name = "…"`: the operation, command or check. The function's name when it is not said; of a command in kebab-case.
    name;
    /// `tags(k = expr, …)`: labels of the metrics, shown by `Display`, evaluated once before the body runs.
    tags;
    /// `args(a, b = expr, c = redact, …)`: arguments to record in logs and errors: `a` as it is, `b` as the expression
    /// gives it, `c` by one of the redacting forms `redact`, `hash` and `len`.
    args;
    /// `ok_if = path`: a function `fn(&T) -> bool` that says whether the returned value is fine.
    ok_if;
    /// `error_if = path`: a function `fn(&T) -> bool` that says whether the returned value is an error.
    error_if;
    /// `level = "…"` of the start and finish lines: `trace`, `debug`, `info`, `warning`, `error` or `critical`.
    level;
    /// `user = expr`: on whose behalf the command runs, shown by `Display`.
    user;
    /// `cron = "0 3 * * *"`: when the command is scheduled to run, as crontab says it, or `@daily` and the like.
    cron;
    /// `timezone = "Europe/Berlin"`: the time zone of the schedule, by the IANA's name. UTC when it is not said.
    timezone;
    /// `max_runtime = "30m"`: how long a scheduled run may take.
    max_runtime;
    /// `margin = "5m"`: how late a scheduled run may begin.
    margin;
    /// `monitor = "slug"`: the name of the schedule's monitor; the command's when it is not said.
    monitor;
    /// `context(k = expr, …)`: what to record with an error, shown by `Display` or else `Debug`.
    context;
    /// `severity = "…"`: `info`, `warning` or `critical`; of an error also `error`.
    severity;
    /// `ignore_if = path`: a function `fn(&E) -> bool`: errors for which it says `true` are not captured.
    ignore_if;
    /// `fallback = expr`: swallow the error and return this instead.
    fallback;
    /// `query_type = "select"`: what kind of queries run inside.
    query_type;
    /// `dataset = …`: the data set that queries work on (an expression), or that a check looks at (text).
    dataset;
    /// `alert_over_usd = 5.0`: the cost of one call, in US dollars, above which there is an alert.
    alert_over_usd;
    /// `max_usd = 20.0`: the cost of one call, in US dollars, above which a query is refused.
    max_usd;
    /// `max_bytes = "1 TiB"`: the bytes billed of one call, above which a query is refused.
    max_bytes;
    /// `budget = "name"`: the budget, one of `OBS_BUDGETS`, by which a query that would pass it is refused.
    budget;
    /// `labels(k = expr, …)`: labels of the jobs that run inside, shown by `Display`.
    labels;
    /// `timeout = "2s"`: how long a check may take.
    timeout;
    /// `critical = false`: a check that fails then degrades only.
    critical;
    /// `groups("live", "ready", "startup", …)`: who asks for the check; `ready` when it is not said.
    groups;
    /// `cache = "10s"`: how long a result holds before the check runs again.
    cache;
    /// `after("database", …)`: checks that have to be well first.
    after;
    /// `failures = 3`: so many failures in a row make what was well unhealthy.
    failures;
    /// `column = "…"`: the column that a check looks at.
    column;
    /// `owner = "…"`: who looks after the data.
    owner;
    /// `warn_above = 0.01`: values above it warn.
    warn_above;
    /// `fail_above = 0.05`: values above it fail.
    fail_above;
    /// `warn_below = 1000`: values below it warn.
    warn_below;
    /// `fail_below = 1`: values below it fail.
    fail_below;
    /// `blocking = true`: the check runs first, and its failure stops what follows.
    blocking;
    /// `for_each = expr`: one check for each item of a list, which the function takes as its argument.
    for_each;
    /// `only(a, b, …)`: of a whole block, these functions, or blocks inside.
    only;
    /// `skip(a, b, …)`: of a whole block, all but these; alone, it leaves a function out of its block.
    skip;
    /// `public_only`: of a whole block, the functions with `pub`.
    public_only;
    ---
    /// Keys of `#[tracked_command]`.
    tracked_command: name tags args ok_if error_if level user cron timezone max_runtime margin monitor;
    /// Keys of `#[with_error_tracking]`.
    with_error_tracking: name tags args ok_if error_if level context severity ignore_if fallback only skip public_only;
    /// Keys of `#[bq_cost]`.
    bq_cost: name tags args ok_if error_if level query_type dataset alert_over_usd max_usd max_bytes budget labels;
    /// Keys of `#[health_check]`.
    health_check: name tags args level timeout critical groups cache after failures;
    /// Keys of `#[dq_check]`.
    dq_check: name tags args level dataset column owner severity warn_above fail_above warn_below fail_below timeout blocking for_each;
    /// Keys of `#[track_performance]`.
    track_performance: name tags args ok_if error_if level only skip public_only;
}
