//! `bq-query-cost` with an account: dry runs, the comparison with the catalogue, and snapshots.

use std::path::Path;

use obs_tests::process::{Finished, Process};
use obs_tests::programs;
use obs_tests::servers::BigQueryEmulator;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use serde_json::{Value, json};

const SHAKESPEARE: &str = "SELECT word_count FROM `bigquery-public-data.samples.shakespeare`";
const TIB: u64 = 1 << 40;

fn run(host: &str, folder: &Path, arguments: &[&str]) -> Finished {
    Process::new(programs::program("bq-query-cost"))
        .args(arguments)
        .env("BIGQUERY_EMULATOR_HOST", host)
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("PROMETHEUS_PORT", "0")
        .env("HOME", folder)
        .in_folder(folder)
        .run()
}

fn server(bytes: u64) -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { estimated_bytes: bytes, ..Behaviour::default() })
}

#[test]
fn with_an_account_only_a_dry_run_is_made() {
    let (server, folder) = (server(1_317_248), tempfile::tempdir().unwrap());
    let ended = run(&server.host(), folder.path(), &[SHAKESPEARE]);
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    for expected in ["dry run      1317248 bytes", "billed       at most 10485760 bytes", "reads        p.d.t"] {
        assert!(ended.stdout.contains(expected), "{expected}: {}", ended.stdout);
    }
    assert_eq!((server.requests(Call::DryRun).len(), server.jobs()), (1, 0));
    // `--offline` makes no request.
    let offline = run(&server.host(), folder.path(), &["--offline", SHAKESPEARE]);
    assert!(offline.stdout.contains("1,317,248 bytes") && server.requests(Call::DryRun).len() == 1, "{offline:?}");
}

#[test]
fn compare_shows_dry_run_and_catalogue() {
    let (server, folder) = (server(1_317_248), tempfile::tempdir().unwrap());
    let same = run(&server.host(), folder.path(), &["--compare", SHAKESPEARE]);
    assert_eq!(same.code(), Some(0), "{same:?}");
    assert!(same.stdout.contains("the catalogue has 0 bytes more, 0 less"), "{}", same.stdout);
    server.change(|behaviour| behaviour.estimated_bytes = 1_000_000);
    let more = run(&server.host(), folder.path(), &["--compare", "--format", "json", SHAKESPEARE]).json();
    assert_eq!((&more["processed_bytes"], &more["dry_run"]["processed_bytes"]), (&json!(1_317_248), &json!(1_000_000)));
    assert_eq!((&more["dry_run"]["billed_bytes"], &more["within_limit"]), (&json!(10_485_760), &json!(true)));
}

#[test]
fn the_exit_code_is_3_over_the_limit_and_1_when_the_cost_is_unknown() {
    let (server, folder) = (server(2 * TIB), tempfile::tempdir().unwrap());
    for arguments in [&["--max-usd", "10", SHAKESPEARE][..], &["--compare", "--max-usd", "10", SHAKESPEARE]] {
        let over = run(&server.host(), folder.path(), arguments);
        assert_eq!(over.code(), Some(3), "{over:?}");
        assert!(over.stderr.contains("may cost up to $12.500000, over the limit of $10"), "{}", over.stderr);
    }
    let within = run(&server.host(), folder.path(), &["--max-usd", "12.5", SHAKESPEARE]);
    assert_eq!(within.code(), Some(0), "{within:?}");
    let message = "Syntax error: Unexpected identifier \"SELEC\" at [1:1]";
    server.next(Call::DryRun, Reply::error(400, "invalidQuery", message));
    let wrong = run(&server.host(), folder.path(), &["SELEC 1"]);
    assert_eq!((wrong.code(), wrong.stdout.as_str()), (Some(1), ""), "{wrong:?}");
    assert!(wrong.stderr.contains("invalidQuery") && wrong.stderr.contains("[1:1]"), "{}", wrong.stderr);
    server.next(Call::DryRun, Reply::error(403, "accessDenied", "Access Denied: Project p"));
    let denied = run(&server.host(), folder.path(), &[SHAKESPEARE]);
    assert_eq!(denied.code(), Some(1), "{denied:?}");
    assert!(denied.stderr.contains("accessDenied"), "{}", denied.stderr);
}

#[test]
fn the_bytes_of_a_dry_run_are_a_bound_only_if_bigquery_says_so() {
    let (server, folder) = (server(TIB), tempfile::tempdir().unwrap());
    for (accuracy, max_usd, code, shown, told) in [
        ("PRECISE", "10", 0, "at most $6.250000", ""),
        ("UPPER_BOUND", "10", 0, "at most $6.250000", ""),
        ("LOWER_BOUND", "10", 1, "at least $6.250000", "BigQuery says only that it is at least $6.250000"),
        ("LOWER_BOUND", "5", 3, "at least $6.250000", "costs at least $6.250000, over the limit of $5"),
        ("UNKNOWN", "10", 1, "perhaps $6.250000", "the cost of this query is unknown"),
        ("A_VALUE_OF_TOMORROW", "10", 1, "perhaps $6.250000", "the cost of this query is unknown"),
    ] {
        server.change(|behaviour| behaviour.dry_run = json!({"totalBytesProcessedAccuracy": accuracy}));
        let ended = run(&server.host(), folder.path(), &["--max-usd", max_usd, SHAKESPEARE]);
        assert_eq!(ended.code(), Some(code), "{accuracy}: {ended:?}");
        assert!(ended.stdout.contains(shown), "{accuracy}: {}", ended.stdout);
        assert!(ended.stderr.contains(told), "{accuracy}: {}", ended.stderr);
    }
    // A result in the cache is not what a dry run prices.
    for request in server.requests(Call::DryRun) {
        assert_eq!(request.body["configuration"]["query"]["useQueryCache"], false, "{request:?}");
    }
}

#[test]
fn several_files_are_shown_as_a_table_with_a_sum() {
    let (server, folder) = (server(TIB), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("a.sql"), SHAKESPEARE).unwrap();
    std::fs::write(folder.path().join("b.sql"), "SELECT 2").unwrap();
    let ended = run(&server.host(), folder.path(), &["--file", "a.sql", "--file", "b.sql", "--max-usd", "6"]);
    assert_eq!(ended.code(), Some(3), "{ended:?}");
    let row = |start: &str| ended.stdout.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(row("a.sql").contains("1099511627776") && row("a.sql").contains("over the limit"), "{}", ended.stdout);
    assert!(row("sum").contains("$12.500000"), "{}", ended.stdout);
    assert_eq!(ended.stderr.matches("over the limit of $6").count(), 2, "{}", ended.stderr);
    let both = run(&server.host(), folder.path(), &["--file", "a.sql", "--file", "b.sql", "--format", "json"]).json();
    assert_eq!((&both["usd"], both["queries"].as_array().unwrap().len()), (&json!(12.5), 2));
    assert_eq!(both["queries"][0]["file"], "a.sql");
}

#[test]
fn a_snapshot_of_live_tables_is_a_catalogue_for_offline_estimates() {
    let emulator = BigQueryEmulator::start();
    for table in ["log_2023", "log_2024"] {
        emulator.create_table(&json!({
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": table},
            "schema": {"fields": [{"name": "code", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "note", "type": "STRING"}]}
        }));
    }
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["snapshot", "d.log_2023", "d.log_*", "--output", "tables.json"];
    let ended = run(&emulator.host(), folder.path(), &arguments);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let written = std::fs::read_to_string(folder.path().join("tables.json")).unwrap();
    let tables: Value = serde_json::from_str(&written).unwrap();
    let names: Vec<_> = tables["tables"].as_array().unwrap().iter().map(|table| table["name"].clone()).collect();
    assert_eq!(names, ["p.d.log_2023", "p.d.log_2024", "p.d.log_*"], "{written}");
    // The emulator does not report the number of rows, so the cost is unknown.
    let sql = "SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = '2024'";
    let estimated =
        run(&emulator.host(), folder.path(), &["--offline", "--catalogue", "tables.json", "--format", "json", sql]);
    assert_eq!(estimated.code(), Some(1), "{estimated:?}");
    let estimate = estimated.json();
    assert_eq!(
        (&estimate["tables"][0]["table"], estimate["tables"].as_array().unwrap().len()),
        (&json!("p.d.log_2024"), 1)
    );
    assert_eq!(estimate["figure"]["why"], json!(["p.d.log_2024: the number of rows is not in the catalogue"]));
    let missing = run(&emulator.host(), folder.path(), &["snapshot", "d.nowhere"]);
    assert_eq!(missing.code(), Some(1), "{missing:?}");
    assert!(missing.stderr.contains("nowhere"), "{}", missing.stderr);
}

#[test]
fn a_snapshot_has_rows_columns_and_partitioning() {
    let (server, folder) = (server(1), tempfile::tempdir().unwrap());
    // The reply of `tables.get`.
    server.change(|behaviour| {
        behaviour.table = json!({
            "numRows": "1000", "numBytes": "16000", "lastModifiedTime": "1700000000000",
            "schema": {"fields": [{"name": "day", "type": "DATE", "mode": "REQUIRED"},
                                   {"name": "user", "type": "INTEGER", "mode": "REQUIRED"}]},
            "timePartitioning": {"type": "DAY", "field": "day"}, "clustering": {"fields": ["user"]}
        });
    });
    let ended = run(&server.host(), folder.path(), &["snapshot", "d.t", "--output", "tables.json"]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let sql = "SELECT user FROM p.d.t";
    let estimate =
        run(&server.host(), folder.path(), &["--offline", "--catalogue", "tables.json", "--format", "json", sql])
            .json();
    assert_eq!((&estimate["processed_bytes"], &estimate["figure"]["kind"]), (&json!(8000), &json!("upper_bound")));
}

#[test]
fn advice_is_given_for_an_expensive_star_or_a_missing_filter() {
    let (server, folder) = (server(1), tempfile::tempdir().unwrap());
    server.change(|behaviour| {
        behaviour.table = json!({
            "numRows": "100000000", "numBytes": "1600000000", "lastModifiedTime": "1700000000000",
            "schema": {"fields": [{"name": "day", "type": "DATE", "mode": "REQUIRED"},
                                   {"name": "user", "type": "INTEGER", "mode": "REQUIRED"}]},
            "timePartitioning": {"type": "DAY", "field": "day"}
        });
    });
    run(&server.host(), folder.path(), &["snapshot", "d.t", "--output", "tables.json"]);
    let advised =
        run(&server.host(), folder.path(), &["--offline", "--catalogue", "tables.json", "SELECT * FROM p.d.t"]);
    assert_eq!(advised.code(), Some(0), "{advised:?}");
    for expected in ["advice       p.d.t: it is read as a whole", "`*` reads all 2 columns"] {
        assert!(advised.stdout.contains(expected), "{expected}: {}", advised.stdout);
    }
    let filtered = "SELECT user FROM p.d.t WHERE day = '2026-11-26'";
    let advised = run(&server.host(), folder.path(), &["--offline", "--catalogue", "tables.json", filtered]);
    assert!(!advised.stdout.contains("advice"), "{}", advised.stdout);
}

#[test]
fn the_exit_code_is_1_for_invalid_credentials_or_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.json");
    std::fs::write(&garbage, "no JSON").unwrap();
    let run_with = |name: &str, value: &str| {
        Process::new(programs::program("bq-query-cost"))
            .args(&[SHAKESPEARE])
            .env(name, value)
            .env("GOOGLE_CLOUD_PROJECT", "p")
            .env("PROMETHEUS_PORT", "0")
            .env("HOME", folder.path())
            .run()
    };
    let ended = run_with("GOOGLE_APPLICATION_CREDENTIALS", garbage.to_str().unwrap());
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("no credentials for BigQuery") && ended.stderr.contains("garbage.json"), "{ended:?}");
    // A missing credentials file is an error, not a reason to use the catalogue.
    let missing = run_with("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/account.json");
    assert_eq!((missing.code(), missing.stdout.as_str()), (Some(1), ""), "{missing:?}");
    assert!(missing.stderr.contains("/nowhere/account.json"), "{missing:?}");
    for (name, value) in
        [("BIGQUERY_USD_PER_TIB", "abc"), ("OBS_BUDGETS", "a=5"), ("BIGQUERY_EMULATOR_HOST", "http://x:1:2")]
    {
        let wrong = run_with(name, value);
        assert_eq!(wrong.code(), Some(1), "{wrong:?}");
        assert!(wrong.stderr.contains(name) && wrong.stderr.contains(value), "{wrong:?}");
    }
}
