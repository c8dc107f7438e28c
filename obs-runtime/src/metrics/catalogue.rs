//! The table of all metric families. Recording, `# HELP` and `# TYPE` lines, the catalogue and `METRICS.md` are derived
//! from it.
#![doc = ""]
#![doc = include_str!("../../METRICS.md")]

use serde::Serialize;

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A value that only increases.
    Counter,
    /// A value that increases and decreases.
    Gauge,
    /// Observations counted by bucket.
    Histogram,
}

/// The unit of a family's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// A count or a plain number.
    Count,
    /// Seconds.
    Seconds,
    /// Seconds since 1970-01-01T00:00:00Z.
    UnixSeconds,
    /// Bytes.
    Bytes,
    /// Rows.
    Rows,
    /// US dollars.
    Usd,
}

/// Upper bounds of duration buckets in seconds: 1 ms to a day.
pub const SECONDS: [f64; 29] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0,
    600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 10_800.0, 14_400.0, 28_800.0, 86_400.0,
];

/// The bounds of [`SECONDS`] that Prometheus gets of `operation.duration.seconds`, so that a function has at most 40 series
/// with two outcomes: factors of five up to 2.5 s, then those at which jobs differ.
pub const OPERATION_SECONDS: [f64; 14] =
    [0.005, 0.025, 0.1, 0.5, 2.5, 15.0, 20.0, 60.0, 300.0, 900.0, 1200.0, 10_800.0, 28_800.0, 86_400.0];

/// The bounds of [`SECONDS`] that Prometheus gets of `cli.command.duration.seconds`, so that a command has at most 40 series
/// with two outcomes, its gauges and its schedule included. There is none below 15 s: the exact duration of the last run is
/// `cli.command.last_duration.seconds`, and the mean is exact too.
pub const COMMAND_SECONDS: [f64; 10] = [15.0, 20.0, 60.0, 300.0, 900.0, 1200.0, 3600.0, 10_800.0, 28_800.0, 86_400.0];

/// Upper bounds of size buckets in bytes: 1 KiB to 1 PiB, in factors of 32.
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

/// Upper bounds of row-count buckets: powers of ten from 1 to 10^10.
pub const ROWS: [f64; 11] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/// Upper bounds of cost buckets in US dollars: 0.0001 to 10,000.
pub const USD: [f64; 9] = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];

/// The static description of a metric family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Family {
    /// The dotted name; in Prometheus, dots become underscores.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The unit of the values.
    pub unit: Unit,
    /// Names of the labels, in order; the tags of a call follow them.
    pub labels: &'static [&'static str],
    /// One sentence of help.
    pub help: &'static str,
}

impl Family {
    /// The bounds of [`buckets`](Self::buckets) that Prometheus gets. The series of a function with `slo_latency` have one more, if the
    /// first bound of [`buckets`](Self::buckets) that is not below the objective is none of these.
    #[must_use]
    pub fn prometheus_buckets(&self) -> &'static [f64] {
        match self.name {
            "operation.duration.seconds" => &OPERATION_SECONDS,
            "cli.command.duration.seconds" => &COMMAND_SECONDS,
            _ => self.buckets(),
        }
    }

    /// Upper bounds of the buckets of a histogram, without `+Inf`.
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

        /// Every metric family of obs.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    OPERATION_DURATION_SECONDS = "operation.duration.seconds", Histogram of Seconds by [operation, outcome]:
        "Duration of the calls of an operation, by outcome.";
    OPERATION_SUCCESS = "operation.success", Counter of Count by [operation]:
        "Calls of an operation that succeeded.";
    OPERATION_FAILURE = "operation.failure", Counter of Count by [operation, outcome]:
        "Calls of an operation that returned an error, panicked or were cancelled.";
    OPERATION_ERROR = "operation.error", Counter of Count by [operation, error_type]:
        "Captured errors, by stable error type.";
    OPERATION_ACTIVE = "operation.active", Gauge of Count by [operation]:
        "Calls of an operation in progress.";
    BIGQUERY_BYTES_PROCESSED = "bigquery.bytes_processed", Histogram of Bytes by [operation]:
        "Bytes processed by the queries of an operation.";
    BIGQUERY_BYTES_BILLED = "bigquery.bytes_billed", Histogram of Bytes by [operation]:
        "Bytes billed for the queries of an operation.";
    BIGQUERY_COST_USD = "bigquery.cost.usd", Histogram of Usd by [operation, kind]:
        "Cost of the queries of an operation, estimated before they ran or actual.";
    BIGQUERY_TOTAL_COST_USD = "bigquery.total_cost.usd", Counter of Usd by [operation]:
        "Actual cost of the queries of an operation; estimates are not included.";
    BIGQUERY_COST_ALERT = "bigquery.cost_alert", Counter of Count by [operation, reason]:
        "Times that a cost exceeded a threshold, a limit or a budget, or that a budget could not be used.";
    BIGQUERY_QUERY_DURATION_SECONDS = "bigquery.query.duration.seconds", Histogram of Seconds by [query_type]:
        "Duration of queries.";
    BIGQUERY_QUERY_ROWS_RETURNED = "bigquery.query.rows_returned", Histogram of Rows by [query_type]:
        "Rows returned by queries.";
    BIGQUERY_QUERY_BYTES_PROCESSED = "bigquery.query.bytes_processed", Histogram of Bytes by [query_type]:
        "Bytes processed by queries.";
    BIGQUERY_QUERY_SLOT_SECONDS = "bigquery.query.slot_seconds", Histogram of Seconds by [query_type]:
        "Slot time used by queries.";
    BIGQUERY_QUERY_COUNT = "bigquery.query.count", Counter of Count by [query_type, cache_hit]:
        "Queries that ran.";
    BIGQUERY_OPERATION = "bigquery.operation", Counter of Count by [operation_type, dataset]:
        "Operations on a data set.";
    CLI_COMMAND_STARTED = "cli.command.started", Counter of Count by [command]:
        "Commands that started.";
    CLI_COMMAND_SUCCESS = "cli.command.success", Counter of Count by [command]:
        "Commands that succeeded.";
    CLI_COMMAND_FAILURE = "cli.command.failure", Counter of Count by [command, outcome]:
        "Commands that returned an error, panicked or were cancelled.";
    CLI_COMMAND_DURATION_SECONDS = "cli.command.duration.seconds", Histogram of Seconds by [command, outcome]:
        "Duration of commands, by outcome.";
    CLI_COMMAND_ARGUMENT = "cli.command.argument", Counter of Count by [command, argument]:
        "Times that an argument of a command was given.";
    CLI_COMMAND_LAST_SUCCESS_TIMESTAMP_SECONDS = "cli.command.last_success.timestamp.seconds", Gauge of UnixSeconds by [command]:
        "Time of the command's last success.";
    CLI_COMMAND_LAST_EXIT_CODE = "cli.command.last_exit_code", Gauge of Count by [command]:
        "Exit code of the command's last run; -1 while it runs, and after a run that was killed.";
    CLI_COMMAND_LAST_START_TIMESTAMP_SECONDS = "cli.command.last_start.timestamp.seconds", Gauge of UnixSeconds by [command]:
        "Time at which the command's last run started.";
    CLI_COMMAND_LAST_DURATION_SECONDS = "cli.command.last_duration.seconds", Gauge of Seconds by [command]:
        "Duration of the command's last run that ended.";
    CLI_COMMAND_CONSECUTIVE_FAILURES = "cli.command.consecutive_failures", Gauge of Count by [command]:
        "Runs of the command that have failed since its last success.";
    CLI_COMMAND_RUNNING = "cli.command.running", Gauge of Count by [command]:
        "Runs of the command in progress in the process that reported last.";
    CLI_COMMAND_SCHEDULE_INFO = "cli.command.schedule.info", Gauge of Count by [command, cron, timezone]:
        "Schedule of the command; always 1.";
    CLI_COMMAND_NEXT_RUN_TIMESTAMP_SECONDS = "cli.command.next_run.timestamp.seconds", Gauge of UnixSeconds by [command]:
        "Time at which the run after the last one is due, by the schedule of the command.";
    CLI_COMMAND_MAX_RUNTIME_SECONDS = "cli.command.max_runtime.seconds", Gauge of Seconds by [command]:
        "Declared maximum duration of a run of the command.";
    CLI_FEATURE_USAGE = "cli.feature.usage", Counter of Count by [feature]:
        "Times that a feature was used.";
    DATA_QUALITY_CHECK_EXECUTED = "data_quality.check.executed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks that ran.";
    DATA_QUALITY_CHECK_PASSED = "data_quality.check.passed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks that passed.";
    DATA_QUALITY_CHECK_FAILED = "data_quality.check.failed", Counter of Count by [check, dataset, severity]:
        "Data-quality checks whose value was out of bounds.";
    DATA_QUALITY_CHECK_ERRORED = "data_quality.check.errored", Counter of Count by [check, dataset, severity]:
        "Data-quality checks that did not complete.";
    DATA_QUALITY_CHECK_DURATION_SECONDS = "data_quality.check.duration.seconds", Histogram of Seconds by [check]:
        "Duration of data-quality checks.";
    DATA_QUALITY_CHECK_VALUE = "data_quality.check.value", Gauge of Count by [check, dataset, severity]:
        "Last value measured by a data-quality check.";
    DATA_QUALITY_CHECK_STATUS = "data_quality.check.status", Gauge of Count by [check, dataset, severity]:
        "Status of a data-quality check: 1 passed, 0.5 warned, 0 failed; absent if its last run did not complete.";
    DATA_QUALITY_CHECK_LAST_RUN_TIMESTAMP_SECONDS = "data_quality.check.last_run.timestamp.seconds", Gauge of UnixSeconds by [check, dataset, severity]:
        "Time of the last run of a data-quality check.";
    HEALTH_CHECK_STATUS = "health_check.status", Gauge of Count by [check]:
        "Status of a health check: 1 healthy, 0.5 degraded, 0 unhealthy.";
    HEALTH_CHECK_DURATION_SECONDS = "health_check.duration.seconds", Histogram of Seconds by [check]:
        "Duration of health checks.";
    BIGQUERY_BUDGET_LIMIT_USD = "bigquery.budget.limit.usd", Gauge of Usd by [budget]:
        "Limit of a budget in its current period.";
    BIGQUERY_BUDGET_USED_USD = "bigquery.budget.used.usd", Gauge of Usd by [budget]:
        "What is spent of a budget in its current period.";
    BIGQUERY_BUDGET_HELD_USD = "bigquery.budget.held.usd", Gauge of Usd by [budget]:
        "What running queries hold of a budget in its current period.";
    BIGQUERY_BUDGET_PERIOD_END_TIMESTAMP_SECONDS = "bigquery.budget.period_end.timestamp.seconds", Gauge of UnixSeconds by [budget]:
        "Time at which the current period of a budget ends.";
    PROCESS_CPU_SECONDS = "process.cpu.seconds", Counter of Seconds by []:
        "CPU time that the process has used.";
    PROCESS_RESIDENT_MEMORY_BYTES = "process.resident_memory.bytes", Gauge of Bytes by []:
        "Resident memory of the process.";
    PROCESS_OPEN_FDS = "process.open_fds", Gauge of Count by []:
        "Open file descriptors of the process.";
    PROCESS_THREADS = "process.threads", Gauge of Count by []:
        "Threads of the process.";
    PROCESS_START_TIME_SECONDS = "process.start_time.seconds", Gauge of UnixSeconds by []:
        "Time at which the process started.";
    OBS_BUILD_INFO = "obs.build.info", Gauge of Count by [version, commit]:
        "Version and commit of the program; always 1.";
    OBS_CATALOGUE_INFO = "obs.catalogue.info", Gauge of Count by [kind, name, owner, schedule, timezone, slo, runbook]:
        "A declared command, operation or check of the program; always 1.";
    OBS_DROPPED = "obs.dropped", Counter of Count by [sink, reason, metric]:
        "Telemetry items lost, by sink and reason; a metric at its limit of series has its name from the second time on.";
    OBS_FLUSH_FAILED = "obs.flush.failed", Counter of Count by [sink]:
        "Deliveries of a sink that failed or were skipped; a later one delivers what was not lost.";
    OBS_FLUSH_LAST_DURATION_SECONDS = "obs.flush.last_duration.seconds", Gauge of Seconds by [sink]:
        "Duration of a sink's last delivery, successful or failed.";
    OBS_FLUSH_MAX_DURATION_SECONDS = "obs.flush.max_duration.seconds", Gauge of Seconds by [sink]:
        "Duration of a sink's longest delivery, successful or failed.";
    OBS_QUEUE_LENGTH = "obs.queue.length", Gauge of Count by [sink]:
        "Items that a sink has accepted and not yet delivered.";
    OBS_LAST_SUCCESS_TIMESTAMP_SECONDS = "obs.last_success.timestamp.seconds", Gauge of UnixSeconds by [sink]:
        "Time of a sink's last successful delivery.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_match_their_unit() {
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.name != family.name), "{} twice", family.name);
            let timed = matches!(family.unit, Unit::Seconds | Unit::UnixSeconds);
            assert_eq!(timed, family.name.ends_with("seconds"), "{}", family.name);
        }
    }

    #[test]
    fn buckets_ascend() {
        for buckets in [&SECONDS[..], &OPERATION_SECONDS, &COMMAND_SECONDS, &BYTES, &ROWS, &USD] {
            assert!(buckets.is_sorted_by(|left, right| left < right));
        }
        for family in FAMILIES {
            let of_family = |bound: &&f64| family.buckets().contains(bound);
            assert!(family.prometheus_buckets().iter().all(|bound| of_family(&bound)), "{}", family.name);
        }
    }
}
