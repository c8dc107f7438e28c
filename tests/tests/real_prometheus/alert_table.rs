//! Every alert that `generate prometheus` makes for `frequent-job`: how it is made to fire, and through which ways it is known.

use std::collections::BTreeSet;

use serde_json::Value;

/// The ways to Prometheus, which are the environments of the programs.
pub const WAYS: [&str; 3] = ["textfile", "pushgateway", "scrape"];
pub const ALL: &[&str] = &WAYS;
/// Counters of a Pushgateway are those of the last run: it knows no rate and no growth.
pub const COUNTED: &[&str] = &["textfile", "scrape"];
/// A job writes its metrics before it delivers them.
pub const SCRAPE: &[&str] = &["scrape"];
/// It costs nothing before bad runs, which is unusual if they go on for as long as three days last here.
pub const BEGINS_TO_COST: (&str, &str) = ("ObsCostUnusual", "spend_steadily");

/// Fires as well where the machine is slow: while the runs of `refresh` are made to fail for longer than its interval and margin. Another alert
/// says the same more clearly, so Alertmanager does not send it.
pub const FAILS_FOR_LONG: (&str, &str) = ("ObsCommandWithoutSuccess", "refresh");
/// Nothing is known of a command that has never run.
pub const NOWHERE: &[&str] = &[""];

/// When an alert is made to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Runs are bad and fail, and the sink of the service is stopped.
    Bad,
    /// A check comes to no result, and another one changes at each run.
    Odd,
    /// A run hangs, and is killed.
    Killed,
    /// Commands are not started.
    Idle,
}

/// A row: the kind of declaration, the alert, what it is about, when it fires, how, by which ways, its owner, its runbook.
pub type Row =
    (&'static str, &'static str, &'static str, When, &'static str, &'static [&'static str], &'static str, &'static str);

#[rustfmt::skip]
pub const ALERTS: &[Row] = &[
    ("schedule", "ObsCommandFailed", "refresh", When::Bad, "runs end with exit code 1", ALL, "data-platform", "refresh"),
    ("schedule", "ObsObjectiveBurnsFast", "refresh", When::Bad, "one run after the other fails", ALL, "data-platform", "refresh"),
    ("schedule", "ObsObjectiveBurns", "refresh", When::Bad, "more than 1 % of the runs fail", ALL, "data-platform", "refresh"),
    ("schedule", "ObsLatencyObjectiveBurnsFast", "refresh", When::Bad, "runs take 1.3 s instead of 0.5", ALL, "data-platform", "refresh"),
    ("schedule", "ObsLatencyObjectiveBurns", "refresh", When::Bad, "more than 1 % of the runs take 1.3 s", ALL, "data-platform", "refresh"),
    ("schedule", "ObsSlowerThanUsual", "refresh", When::Bad, "a run takes longer than all before", ALL, "data-platform", "refresh"),
    ("schedule", "ObsCommandRunsTooLong", "refresh", When::Killed, "a run hangs", ALL, "data-platform", "refresh"),
    ("schedule", "ObsCommandKilled", "refresh", When::Killed, "a run is killed, and the next one ends", COUNTED, "data-platform", "refresh"),
    ("schedule", "ObsCommandMissed", "sync", When::Idle, "it runs once and not again", ALL, "data-platform", "sync"),
    ("schedule", "ObsCommandWithoutSuccess", "sync", When::Idle, "it runs once and not again", ALL, "data-platform", "sync"),
    ("schedule", "ObsCommandNeverRan", "late", When::Idle, "it does not run", NOWHERE, "data-platform", "late"),
    ("calls", "ObsCommandFailed", "ad-hoc", When::Bad, "the last call fails", ALL, "growth", "ad-hoc"),
    ("calls", "ObsCommandKilled", "ad-hoc", When::Killed, "it is killed, and the next one ends", COUNTED, "growth", "ad-hoc"),
    ("calls", "ObsObjectiveBurnsFast", "ad-hoc", When::Bad, "all calls fail", COUNTED, "growth", "ad-hoc"),
    ("calls", "ObsObjectiveBurns", "ad-hoc", When::Bad, "all calls fail", COUNTED, "growth", "ad-hoc"),
    ("calls", "ObsLatencyObjectiveBurnsFast", "ad-hoc", When::Bad, "calls take 1 s instead of 0.5", COUNTED, "growth", "ad-hoc"),
    ("calls", "ObsLatencyObjectiveBurns", "ad-hoc", When::Bad, "calls take 1 s instead of 0.5", COUNTED, "growth", "ad-hoc"),
    ("calls", "ObsSlowerThanUsual", "ad-hoc", When::Bad, "calls take longer than all before", COUNTED, "growth", "ad-hoc"),
    ("operation", "ObsObjectiveBurnsFast", "request", When::Bad, "all calls fail", COUNTED, "web", "request"),
    ("operation", "ObsObjectiveBurns", "request", When::Bad, "all calls fail", COUNTED, "web", "request"),
    ("operation", "ObsLatencyObjectiveBurnsFast", "request", When::Bad, "calls take 0.3 s instead of 0.25", COUNTED, "web", "request"),
    ("operation", "ObsLatencyObjectiveBurns", "request", When::Bad, "calls take 0.3 s instead of 0.25", COUNTED, "web", "request"),
    ("operation", "ObsSlowerThanUsual", "request", When::Bad, "calls take longer than all before", COUNTED, "web", "request"),
    ("check", "ObsCheckFailed", "null_ids", When::Bad, "a value is out of bounds", ALL, "growth", "null-ids"),
    ("check", "ObsCheckErrored", "readable", When::Odd, "the check returns an error", ALL, "growth", "readable"),
    ("check", "ObsCheckStopped", "stale_ids", When::Idle, "its command runs once and not again", ALL, "growth", "stale-ids"),
    ("health", "ObsUnhealthy", "database", When::Bad, "the check returns an error at each run", ALL, "storage", "database"),
    ("health", "ObsHealthFlaps", "replica", When::Odd, "the check changes at each run", ALL, "operators", "operate"),
    ("cost", "ObsCostAlert", "query", When::Bad, "queries cost 12.50 USD, 10 are allowed", COUNTED, "finance", "query"),
    ("cost", "ObsCostUnusual", "query", When::Bad, "queries cost 200 times as much", COUNTED, "finance", "query"),
    ("budgets", "ObsBudgetUsedUp", "all", When::Bad, "a query costs the whole budget", ALL, "operators", "operate"),
    ("budgets", "ObsBudgetNearlyUsedUp", "nearly", When::Bad, "a query costs 89 % of the budget", ALL, "operators", "operate"),
    ("budgets", "ObsBudgetBurns", "burning", When::Bad, "each run draws on the budget", ALL, "operators", "operate"),
    ("telemetry", "ObsTelemetryDropped", "cardinality", When::Bad, "a metric has more series than allowed", COUNTED, "operators", "operate"),
    ("telemetry", "ObsSinkWithoutSuccess", "pushgateway", When::Bad, "the sink is stopped", SCRAPE, "operators", "operate"),
];

/// Alert, subject and environment.
pub type Key = (String, String, String);

pub fn keys(when: Option<When>) -> BTreeSet<Key> {
    let rows = ALERTS.iter().filter(|(_, _, _, of, ..)| when.is_none_or(|when| when == *of));
    rows.flat_map(|(_, alert, subject, _, _, ways, ..)| {
        ways.iter().map(|way| ((*alert).to_owned(), (*subject).to_owned(), (*way).to_owned()))
    })
    .collect()
}

/// What an alert is about. Series of a Pushgateway have the command that pushed them.
pub fn key(alert: &Value) -> Key {
    let label = |name: &str| alert["labels"][name].as_str().map(str::to_owned);
    let subject = ["check", "budget", "operation", "command"].into_iter().find_map(label);
    let subject = subject.or_else(|| {
        let sink = label("sink")?;
        Some(if label("alertname")? == "ObsTelemetryDropped" { label("reason")? } else { sink })
    });
    (label("alertname").unwrap(), subject.unwrap_or_default(), label("environment").unwrap_or_default())
}
