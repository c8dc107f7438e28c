//! Samples of failing rows: what they show, what they hide, and when they are read.

use obs_runtime::tables::{
    SqliteTable, TableError, accepted_values, null_ratio, range, referential_integrity, uniqueness,
};
use obs_runtime::testing::{capture, capture_with};
use obs_runtime::{Config, Measured, QualityReport, QualityStatus, dq_check, run_dq_checks};

use super::{database, now, table};

/// More than a sample keeps of a row, then a token that only its whole form tells.
const LONG: &str = "CREATE TABLE accounts (id INTEGER, password TEXT, iban TEXT, note TEXT);
    INSERT INTO accounts VALUES (1, 'correct horse', 'DE12', 'x'), (2, 'correct horse', 'DE12', 'x');
    UPDATE accounts SET note = printf('%.190c', 'x') || ' eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';";

fn accounts() -> SqliteTable {
    database("accounts", LONG)
}

#[dq_check(dataset = "samples", fail_above = 0)]
async fn repeated_passwords() -> Result<Measured, TableError> {
    uniqueness(&accounts(), ["password"]).sampled().measure().await
}

#[dq_check(dataset = "samples", fail_above = 0)]
async fn repeated_ibans() -> Result<Measured, TableError> {
    uniqueness(&accounts(), ["iban"]).sampled().measure().await
}

#[dq_check(dataset = "samples", fail_above = 0)]
async fn repeated_notes() -> Result<Measured, TableError> {
    uniqueness(&accounts(), ["note"]).sampled().measure().await
}

#[dq_check(dataset = "samples", column = "password", fail_above = 0)]
fn own_sample() -> Measured {
    Measured::ratio(1, 2).with_sample(["battery staple"])
}

#[dq_check(dataset = "passing", fail_above = 0.9)]
async fn mostly_in_range() -> Result<Measured, TableError> {
    range(&table("orders"), "amount", 0..=1000).sampled().measure().await
}

fn samples(report: &QualityReport) -> String {
    serde_json::to_string(report).unwrap()
}

#[test]
fn a_sample_is_redacted_by_the_name_of_its_column_and_as_a_whole() {
    let config = Config::default().with(|config| config.redact_names = vec!["iban".to_owned()]);
    let captured = capture_with(config, || run_dq_checks().dataset("samples").wait());
    let report = samples(&captured.value);
    for secret in ["horse", "DE12", "eyJ", "staple"] {
        assert!(!report.contains(secret), "{secret}: {report}");
        assert!(captured.records.logs.iter().all(|line| !format!("{line:?}").contains(secret)), "{secret}");
    }
    assert!(report.contains("[REDACTED]"), "{report}");
}

#[test]
fn a_check_that_passes_reads_no_sample() {
    let report = capture(|| run_dq_checks().dataset("passing").wait()).value;
    assert!(report.passed() && report.results[0].sample.is_empty(), "{report:?}");
    let outside_of_a_check = now(range(&table("orders"), "amount", 0..=1000).sampled().measure()).unwrap();
    assert_eq!(outside_of_a_check.sample, ["-3.0", "1000.5"]);
}

#[dq_check(dataset = "misspelt", severity = "warning", fail_above = 0)]
async fn with_a_misspelt_key() -> Result<Measured, TableError> {
    range(&table("orders"), "amount", 0..=1000).keys(["idd"]).measure().await
}

#[test]
fn a_sample_that_cannot_be_read_leaves_the_result_as_it_is() {
    let report = capture(|| run_dq_checks().dataset("misspelt").wait()).value;
    let result = &report.results[0];
    assert_eq!((result.status, result.count), (QualityStatus::Failed, Some(2.0)), "{result:?}");
    assert!(report.passed(), "a warning that failed does not reject the data");
    let message = result.message.as_deref().unwrap();
    assert!(message.starts_with("its failing rows could not be read: orders: no such column: "), "{message}");
}

#[test]
fn a_failing_row_is_found_by_its_keys() {
    let orders = table("orders");
    let state = accepted_values(&orders, "state", ["open", "paid"]).keys(["id"]);
    let measured = now(state.measure()).unwrap();
    assert_eq!(measured.sample, ["id=2, state=lost", "id=3, state=[REDACTED]"]);
    assert_eq!(measured.keys.iter().map(|keys| &*keys["id"]).collect::<Vec<_>>(), ["2", "3"]);
    let nulls = now(null_ratio(&orders, "customer").keys(["id", "day"]).measure()).unwrap();
    assert_eq!(nulls.sample, ["id=3, day=NULL"]);
    let repeated = now(uniqueness(&accounts(), ["password"]).keys(["id"]).measure()).unwrap();
    assert_eq!(repeated.sample, ["id=1, password=[REDACTED]", "id=2, password=[REDACTED]"]);
    let orphans = referential_integrity(&orders, "customer", &table("customers"), "id").keys(["id"]);
    assert_eq!(now(orphans.measure()).unwrap().sample, ["id=2, customer=9", "id=3, customer=8", "id=3, customer=8"]);
    let of_a_secret = now(range(&accounts(), "id", 2..).keys(["password"]).measure()).unwrap();
    assert_eq!(of_a_secret.keys[0]["password"], "[REDACTED]");
}
