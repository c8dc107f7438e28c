//! The attributes, their nesting order and their keys.

use crate::grammar::message;

/// An attribute of this crate. The variants are in nesting order, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    TrackedCommand,
    HealthCheck,
    DqCheck,
    BqCost,
    WithErrorTracking,
    TrackPerformance,
}

/// A key of an attribute, with an example of its use.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub usage: &'static str,
    /// Whether it may be written without its value.
    alone: bool,
}

impl Key {
    const fn new(name: &'static str, usage: &'static str) -> Self {
        Self { name, usage, alone: false }
    }

    const fn or_alone(name: &'static str, usage: &'static str) -> Self {
        Self { name, usage, alone: true }
    }

    /// Whether it is written `key(…)`.
    pub fn is_list(&self) -> bool {
        self.usage.ends_with(')')
    }

    /// Whether it may be written without a value.
    pub fn may_stand_alone(&self) -> bool {
        self.alone || self.is_flag()
    }

    /// Whether it takes no value.
    pub fn is_flag(&self) -> bool {
        self.usage == self.name
    }
}

const NAME: Key = Key::new("name", "name = \"…\"");
const TAGS: Key = Key::new("tags", "tags(k = expr, …)");
const ARGS: Key = Key::new("args", "args(a, b = expr, c = redact, …)");
const CHECK_ARGS: Key = Key::new("args", "args(k = expr, …)");
const OK_IF: Key = Key::new("ok_if", "ok_if = path");
const ERROR_IF: Key = Key::new("error_if", "error_if = path");
const LEVEL: Key = Key::new("level", "level = \"info\"");
/// The key of every attribute and of the derive.
pub const CRATE: Key = Key::new("crate", "crate = ::path");
/// The function that gives the label, in the derive.
pub const WITH: Key = Key::new("with", "with = path");
const TIMEOUT: Key = Key::new("timeout", "timeout = \"2s\"");
const AFTER: Key = Key::new("after", "after(\"database\", …)");
const OWNER: Key = Key::new("owner", "owner = \"…\"");
const RUNBOOK: Key = Key::new("runbook", "runbook = \"https://…\"");
const SEVERITY: Key = Key::new("severity", "severity = \"warning\"");
const CONTEXT: Key = Key::new("context", "context(k = expr, …)");
const FINGERPRINT: Key = Key::new("fingerprint", "fingerprint(\"…\", expr, …)");
const IGNORE_IF: Key = Key::new("ignore_if", "ignore_if = path");
const SLO: Key = Key::new("slo", "slo = \"99.5%\"");
const SLO_LATENCY: Key = Key::new("slo_latency", "slo_latency = \"30s\"");
const ONLY: Key = Key::new("only", "only(a, b, …)");
/// On a block, excludes functions; without a value, excludes the function or block itself.
pub const SKIP: Key = Key::new("skip", "skip(a, b, …)");
const PUBLIC_ONLY: Key = Key::new("public_only", "public_only");

const TRACKED_COMMAND: &[Key] = &[
    NAME,
    TAGS,
    ARGS,
    OK_IF,
    ERROR_IF,
    LEVEL,
    CRATE,
    Key::new("user", "user = expr"),
    Key::new("cron", "cron = \"0 3 * * *\""),
    Key::new("every", "every = \"10m\""),
    Key::new("timezone", "timezone = \"Europe/Berlin\""),
    Key::new("max_runtime", "max_runtime = \"30m\""),
    Key::new("margin", "margin = \"5m\""),
    Key::new("monitor", "monitor = \"slug\""),
    Key::new("failure_threshold", "failure_threshold = 3"),
    Key::new("recovery_threshold", "recovery_threshold = 2"),
    OWNER,
    RUNBOOK,
    SLO,
    SLO_LATENCY,
    Key::or_alone("init", "init = \"lenient\""),
];

const WITH_ERROR_TRACKING: &[Key] = &[
    NAME,
    TAGS,
    ARGS,
    OK_IF,
    ERROR_IF,
    LEVEL,
    CRATE,
    CONTEXT,
    FINGERPRINT,
    SEVERITY,
    IGNORE_IF,
    Key::new("fallback", "fallback = expr"),
    OWNER,
    RUNBOOK,
];

const BQ_COST: &[Key] = &[
    NAME,
    TAGS,
    ARGS,
    OK_IF,
    ERROR_IF,
    LEVEL,
    CRATE,
    Key::new("query_type", "query_type = \"select\""),
    Key::new("dataset", "dataset = expr"),
    Key::new("alert_over_usd", "alert_over_usd = 5.0"),
    Key::new("max_usd", "max_usd = 20.0"),
    Key::new("max_bytes", "max_bytes = \"1 TiB\""),
    Key::new("max_slot_hours", "max_slot_hours = 2.5"),
    Key::new("budget", "budget = \"name\""),
    Key::new("labels", "labels(k = expr, …)"),
    OWNER,
    RUNBOOK,
];

const HEALTH_CHECK: &[Key] = &[
    NAME,
    TAGS,
    CHECK_ARGS,
    LEVEL,
    CRATE,
    TIMEOUT,
    Key::new("critical", "critical = false"),
    Key::new("groups", "groups(\"live\", \"ready\", …)"),
    Key::new("cache", "cache = \"10s\""),
    AFTER,
    Key::new("failures", "failures = 3"),
    OWNER,
    RUNBOOK,
];

const DQ_CHECK: &[Key] = &[
    NAME,
    TAGS,
    CHECK_ARGS,
    LEVEL,
    CRATE,
    Key::new("dataset", "dataset = \"…\""),
    Key::new("column", "column = \"…\""),
    OWNER,
    RUNBOOK,
    Key::new("severity", "severity = \"warning\""),
    Key::new("warn_above", "warn_above = 0.01"),
    Key::new("fail_above", "fail_above = 0.05"),
    Key::new("warn_below", "warn_below = 1000"),
    Key::new("fail_below", "fail_below = 1"),
    Key::new("between", "between = 900..=1100"),
    Key::new("warn_rows", "warn_rows = 10"),
    Key::new("fail_rows", "fail_rows = 100"),
    Key::new("warn_share", "warn_share = \"0.5%\""),
    Key::new("fail_share", "fail_share = \"5%\""),
    Key::new("warn_older_than", "warn_older_than = \"2h\""),
    Key::new("fail_older_than", "fail_older_than = \"6h\""),
    Key::new("fail_in_future", "fail_in_future = \"5m\""),
    Key::new("bounds", "bounds = path"),
    Key::new("require_rows", "require_rows = 1"),
    Key::new("allow_no_data", "allow_no_data = true"),
    TIMEOUT,
    Key::new("blocking", "blocking = true"),
    AFTER,
    Key::new("for_each", "for_each = expr"),
    Key::new("partition", "partition = Day"),
];

const TRACK_PERFORMANCE: &[Key] = &[NAME, TAGS, ARGS, OK_IF, ERROR_IF, LEVEL, CRATE, OWNER, RUNBOOK, SLO, SLO_LATENCY];

const WITH_ERROR_TRACKING_ON_A_BLOCK: &[Key] =
    &[NAME, TAGS, LEVEL, CRATE, CONTEXT, SEVERITY, IGNORE_IF, ONLY, SKIP, PUBLIC_ONLY];

const TRACK_PERFORMANCE_ON_A_BLOCK: &[Key] = &[NAME, TAGS, LEVEL, CRATE, ONLY, SKIP, PUBLIC_ONLY];

/// The keys of an attribute in one position.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    pub attribute: Attribute,
    /// Whether the attribute is on a whole `impl`, `trait` or `mod`.
    pub on_block: bool,
}

impl Attribute {
    pub const ALL: [Self; 6] = [
        Self::TrackedCommand,
        Self::HealthCheck,
        Self::DqCheck,
        Self::BqCost,
        Self::WithErrorTracking,
        Self::TrackPerformance,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrackedCommand => "tracked_command",
            Self::HealthCheck => "health_check",
            Self::DqCheck => "dq_check",
            Self::BqCost => "bq_cost",
            Self::WithErrorTracking => "with_error_tracking",
            Self::TrackPerformance => "track_performance",
        }
    }

    /// The attribute of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.name() == name)
    }

    /// The keys on a function.
    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::TrackedCommand => TRACKED_COMMAND,
            Self::HealthCheck => HEALTH_CHECK,
            Self::DqCheck => DQ_CHECK,
            Self::BqCost => BQ_COST,
            Self::WithErrorTracking => WITH_ERROR_TRACKING,
            Self::TrackPerformance => TRACK_PERFORMANCE,
        }
    }

    /// The keys on a whole block; empty if it is allowed on functions only.
    pub fn block_keys(self) -> &'static [Key] {
        match self {
            Self::TrackPerformance => TRACK_PERFORMANCE_ON_A_BLOCK,
            Self::WithErrorTracking => WITH_ERROR_TRACKING_ON_A_BLOCK,
            Self::TrackedCommand | Self::HealthCheck | Self::DqCheck | Self::BqCost => &[],
        }
    }
}

impl Vocabulary {
    /// The allowed keys.
    pub fn keys(self) -> &'static [Key] {
        if self.on_block { self.attribute.block_keys() } else { self.attribute.keys() }
    }

    /// The key of that name.
    pub fn key(self, name: &str) -> Option<&'static Key> {
        find(self.keys(), name)
    }

    /// The message for a key that is not allowed.
    pub fn unknown_key(self, written: &str) -> String {
        let takes = self.takes();
        if self.on_block && find(self.attribute.keys(), written).is_some() {
            return format!("`{written}` goes on a function, not on a whole block; {takes}");
        }
        if !self.on_block && find(self.attribute.block_keys(), written).is_some() {
            let name = self.attribute.name();
            let alone = if written == SKIP.name {
                format!(" (`#[{name}(skip)]` leaves a function out)")
            } else {
                String::new()
            };
            return format!("`{written}` goes on a whole block: `impl`, `trait` or `mod`{alone}; {takes}");
        }
        let has = |other: &Attribute| find(other.keys(), written).or(find(other.block_keys(), written)).is_some();
        let owners: Vec<String> =
            Attribute::ALL.into_iter().filter(has).map(|other| format!("`#[{}]`", other.name())).collect();
        if owners.is_empty() {
            let names = self.keys().iter().map(|key| key.name);
            message::with_suggestion(&format!("unknown key `{written}`"), written, names, '`', &takes)
        } else {
            format!("`{written}` is a key of {}; {takes}", message::list(&owners))
        }
    }

    /// The allowed keys, as part of a message.
    pub fn takes(self) -> String {
        let names: Vec<String> = self.keys().iter().map(|key| format!("`{}`", key.name)).collect();
        let on_block = if self.on_block { " on a whole block" } else { "" };
        format!("`#[{}]`{on_block} takes {}", self.attribute.name(), message::list(&names))
    }
}

fn find(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}
