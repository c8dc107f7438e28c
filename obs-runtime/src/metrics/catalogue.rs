//! The one table of metric families: recording, HELP and TYPE lines, the catalogue and the docs come from it.
#![doc = ""]
#![doc = include_str!("../../METRICS.md")]

use serde::Serialize;

/// What a family's series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by bucket.
    Histogram,
}

/// What a family's values are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things, or a plain number.
    Count,
    /// Seconds of time passed.
    Seconds,
    /// Seconds since 1970-01-01 UTC.
    UnixSeconds,
    /// Bytes.
    Bytes,
    /// Rows of a table.
    Rows,
    /// US dollars.
    Usd,
}

/// Upper bounds of durations: 1 ms to 4 h.
pub const SECONDS: [f64; 22] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1800.0, 3600.0, 7200.0, 14400.0,
];

/// Upper bounds of sizes: 1 KiB to 1 PiB, each 32 times the one before.
pub const BYTES: [f64; 9] = [
    1024.0,
    32_768.0,
    1_048_576.0,
    33_554_432.0,
    1_073_741_824.0,
    34_359_738_368.0,
    1_099_511_627_776.0,
    35_184_372_088_832.0,
    1_125_899_906_842_624.0,
];

/// Upper bounds of row counts: the powers of ten up to ten thousand million.
pub const ROWS: [f64; 11] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/// Upper bounds of prices in US dollars: 0.0001 to 10,000.
pub const USD: [f64; 9] = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];

/// A metric family: everything that is known of it before anything runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Family {
    /// The framework's dotted name; Prometheus gets it with `_`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// What its values are measured in.
    pub unit: Unit,
    /// Names of its labels, in order; a call's own tags come after them.
    pub labels: &'static [&'static str],
    /// One sentence for people.
    pub help: &'static str,
}

impl Family {
    /// Upper bounds of a histogram's buckets, without the infinite one.
    #[must_use]
    pub const fn buckets(&self) -> &'static [f64] {
        match self.unit {
            Unit::Seconds | Unit::UnixSeconds => &SECONDS,
            Unit::Bytes => &BYTES,
            Unit::Rows | Unit::Count => &ROWS,
            Unit::Usd => &USD,
        }
    }
}

/// Declares each family once, as a constant and as a row of [`FAMILIES`].
macro_rules! families {
    ($($constant:ident = $name:literal, $kind:ident of $unit:ident by [$($label:ident),*]: $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family = Family {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit,
                labels: &[$(stringify!($label)),*],
                help: $help,
            };
        )*

        /// Every family that obs has.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    OPERATION_DURATION_SECONDS = "operation.duration.seconds", Histogram of Seconds by [operation, outcome]:
        "How long calls of an operation took, by outcome.";
    OPERATION_SUCCESS = "operation.success", Counter of Count by [operation]:
        "Calls of an operation that ended well.";
    OPERATION_FAILURE = "operation.failure", Counter of Count by [operation, outcome]:
        "Calls of an operation that ended in an error, a panic or were cancelled.";
    OPERATION_ERROR = "operation.error", Counter of Count by [operation, error_type]:
        "Errors captured, by their stable kind.";
    OPERATION_ACTIVE = "operation.active", Gauge of Count by [operation]:
        "Calls of an operation that are running.";
    BIGQUERY_BYTES_PROCESSED = "bigquery.bytes_processed", Histogram of Bytes by [operation]:
        "Bytes that the queries of an operation read.";
    BIGQUERY_BYTES_BILLED = "bigquery.bytes_billed", Histogram of Bytes by [operation]:
        "Bytes that the queries of an operation were billed for.";
    BIGQUERY_COST_USD = "bigquery.cost.usd", Histogram of Usd by [operation, kind]:
        "Price of an operation's queries, estimated before or actual after.";
    BIGQUERY_TOTAL_COST_USD = "bigquery.total_cost.usd", Counter of Usd by [operation]:
        "Money really spent; estimates never count.";
    BIGQUERY_COST_ALERT = "bigquery.cost_alert", Counter of Count by [operation, reason]:
        "Times that a cost was over a threshold, a limit or a budget.";
    BIGQUERY_QUERY_DURATION_SECONDS = "bigquery.query.duration.seconds", Histogram of Seconds by [query_type]:
        "How long queries took.";
    BIGQUERY_QUERY_ROWS_RETURNED = "bigquery.query.rows_returned", Histogram of Rows by [query_type]:
        "Rows that queries returned.";
    BIGQUERY_QUERY_BYTES_PROCESSED = "bigquery.query.bytes_processed", Histogram of Bytes by [query_type]:
        "Bytes that queries read.";
    BIGQUERY_QUERY_SLOT_SECONDS = "bigquery.query.slot_seconds", Histogram of Seconds by [query_type]:
        "Slot time that queries used.";
    BIGQUERY_QUERY_COUNT = "bigquery.query.count", Counter of Count by [query_type, cache_hit]:
        "Queries run.";
    BIGQUERY_OPERATION = "bigquery.operation", Counter of Count by [operation_type, dataset]:
        "Operations on a data set.";
    CLI_COMMAND_STARTED = "cli.command.started", Counter of Count by [command]:
        "Commands begun.";
    CLI_COMMAND_SUCCESS = "cli.command.success", Counter of Count by [command]:
        "Commands that ended well.";
    CLI_COMMAND_FAILURE = "cli.command.failure", Counter of Count by [command, outcome]:
        "Commands that ended in an error, a panic or were cancelled.";
    CLI_COMMAND_DURATION_SECONDS = "cli.command.duration.seconds", Histogram of Seconds by [command, success]:
        "How long commands took.";
    CLI_COMMAND_ARGUMENT = "cli.command.argument", Counter of Count by [command, argument]:
        "Times that an argument of a command was used.";
    CLI_COMMAND_LAST_SUCCESS_TIMESTAMP_SECONDS = "cli.command.last_success.timestamp.seconds", Gauge of UnixSeconds by [command]:
        "When the command last ended well.";
    CLI_COMMAND_LAST_EXIT_CODE = "cli.command.last_exit_code", Gauge of Count by [command]:
        "Exit code of the command's last run.";
    CLI_FEATURE_USAGE = "cli.feature.usage", Counter of Count by [feature]:
        "Times that a feature was used.";
    DATA_QUALITY_CHECK_EXECUTED = "data_quality.check.executed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks run.";
    DATA_QUALITY_CHECK_PASSED = "data_quality.check.passed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks that found nothing.";
    DATA_QUALITY_CHECK_FAILED = "data_quality.check.failed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks whose value was out of bounds.";
    DATA_QUALITY_CHECK_ERRORED = "data_quality.check.errored", Counter of Count by [check, dataset, severity]:
        "Data-quality checks that could not be carried out.";
    DATA_QUALITY_CHECK_DURATION_SECONDS = "data_quality.check.duration.seconds", Histogram of Seconds by [check]:
        "How long data-quality checks took.";
    DATA_QUALITY_CHECK_VALUE = "data_quality.check.value", Gauge of Count by [check]:
        "The value that a data-quality check last measured.";
    HEALTH_CHECK_STATUS = "health_check.status", Gauge of Count by [check]:
        "1 healthy, 0.5 degraded, 0 unhealthy.";
    HEALTH_CHECK_DURATION_SECONDS = "health_check.duration.seconds", Histogram of Seconds by [check]:
        "How long health checks took.";
    OBS_DROPPED = "obs.dropped", Counter of Count by [sink, reason]:
        "What telemetry was dropped, by sink and reason.";
    OBS_FLUSH_DURATION_SECONDS = "obs.flush.duration.seconds", Histogram of Seconds by [sink]:
        "How long it took a sink to bring what it had taken to where it belongs, or to fail to.";
    OBS_QUEUE_LENGTH = "obs.queue.length", Gauge of Count by [sink]:
        "What a sink has taken and not yet brought to where it belongs.";
    OBS_LAST_SUCCESS_TIMESTAMP_SECONDS = "obs.last_success.timestamp.seconds", Gauge of UnixSeconds by [sink]:
        "When a sink last brought everything to where it belongs.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once_and_units_stand_in_them() {
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.name != family.name), "{} twice", family.name);
            let timed = matches!(family.unit, Unit::Seconds | Unit::UnixSeconds);
            assert_eq!(timed, family.name.ends_with("seconds"), "{}", family.name);
        }
    }

    #[test]
    fn buckets_ascend() {
        for buckets in [&SECONDS[..], &BYTES, &ROWS, &USD] {
            assert!(buckets.is_sorted_by(|left, right| left < right));
        }
    }
}
