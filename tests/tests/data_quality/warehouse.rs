//! A warehouse of 205,000 rows with planted defects, and 64 checks of it: what each finds, compared with SQL of Python's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use obs_tests::exposition::Samples;
use obs_tests::process::{Finished, Process};
use serde_json::Value;

/// Makes a warehouse and returns what each check has to find.
fn make(file: &Path, scale: u32) -> BTreeMap<String, Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data_quality/warehouse.py");
    let output = Command::new("python3").arg(script).arg(file).arg(scale.to_string()).output().expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_warehouse")).args(arguments).env("LOG_LEVEL", "error");
    environment.iter().fold(process, |process, (name, value)| process.env(name, value)).run()
}

/// The results of a report in JSON, by check.
fn by_check(report: &Value) -> BTreeMap<String, Value> {
    let results = report["results"].as_array().unwrap().iter();
    results.map(|result| (result["check"].as_str().unwrap().to_owned(), result.clone())).collect()
}

fn keys(result: &Value) -> Vec<&str> {
    result["keys"].as_array().into_iter().flatten().filter_map(|key| key["id"].as_str()).collect()
}

/// Compares the results of a run with what was expected.
fn assert_found(results: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>) {
    let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(results), names(expected));
    for (check, expected) in expected {
        let found = &results[check];
        assert_eq!(found["status"], expected["status"], "{check}: {found} {expected}");
        for number in ["value", "count", "of"] {
            let (Some(expected), found) = (expected[number].as_f64(), found[number].as_f64()) else { continue };
            let found = found.unwrap_or_else(|| panic!("{check} has no {number}"));
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{check}: {number} {found}, not {expected}");
        }
        let all: BTreeSet<&str> = expected["keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let shown = keys(found);
        assert!(shown.iter().all(|key| all.contains(key)), "{check}: {shown:?} are not all of {all:?}");
        let has_keys = !shown.is_empty();
        assert!(!has_keys || shown.len() == all.len().min(10), "{check}: {shown:?} of {}", all.len());
        let is_open = !["passed", "skipped", "errored"].contains(&found["status"].as_str().unwrap());
        let wants_keys = is_open && !all.is_empty() && found["status"] != "no_data";
        assert_eq!(has_keys, wants_keys, "{check}: {found}");
    }
}

/// What of the planted data must not leave: passwords, addresses.
fn assert_no_secret(text: &str) {
    for secret in ["hunter2-", "@example.org", "=short", "short\""] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn what_was_planted_is_found_and_told_alike_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("warehouse.sqlite");
    let expected = make(&file, 1);
    assert!(expected.len() >= 60, "{}", expected.len());
    let textfile = folder.path().join("metrics");
    std::fs::create_dir(&textfile).unwrap();
    let environment = [("WAREHOUSE", file.to_str().unwrap())];
    let json = program(
        &["dq", "run", "--format", "json"],
        &[environment[0], ("PROMETHEUS_TEXTFILE_DIR", textfile.to_str().unwrap())],
    );
    assert_eq!(json.code(), Some(1), "{json:?}");
    let results = by_check(&json.json());
    assert_found(&results, &expected);
    let status = |check: &str| results[check]["status"].as_str().unwrap();
    let why = |check: &str| results[check].to_string();
    assert!(why("payments_amount_text").contains("as_number"), "{}", why("payments_amount_text"));
    assert!(why("orders_no_column").contains("nosuch"), "{}", why("orders_no_column"));
    assert!(why("customers_fresh").contains("not older than 6h"), "{}", why("customers_fresh"));
    assert!(why("behind_the_gate").contains("skipped, because gate failed"), "{}", why("behind_the_gate"));

    // Samples: the keys are plain, the values of a column with a secret name are not.
    let sample = &results["customers_password_length"]["sample"][0];
    assert!(
        sample.as_str().unwrap().starts_with("id=") && sample.as_str().unwrap().ends_with("password=[REDACTED]"),
        "{sample}"
    );
    let sample = &results["orders_amount"]["sample"][0];
    assert!(sample.as_str().unwrap().ends_with("amount=-5.0"), "{sample}");
    assert_eq!(results["customers_email_null"]["sample"][0], "id=1000");

    // Metrics.
    let written = std::fs::read_dir(&textfile).unwrap().map(|entry| entry.unwrap().path());
    let page = written.into_iter().find(|path| path.extension().is_some_and(|end| end == "prom")).unwrap();
    let metrics = Samples::read(&page);
    for (check, result) in &results {
        let of = |family: &str| metrics.value(&format!("data_quality_check_{family}"), &[("check", check)]);
        let is = |wanted: &str| Some(f64::from(u8::from(status(check) == wanted)));
        let ran = status(check) != "skipped";
        assert_eq!(of("executed_total"), Some(f64::from(u8::from(ran))), "{check}");
        if !ran {
            continue;
        }
        assert_eq!(of("passed_total"), is("passed"), "{check}");
        assert_eq!(of("errored_total"), is("errored"), "{check}");
        let level = match status(check) {
            "passed" => Some(1.0),
            "warned" => Some(0.5),
            "errored" => None,
            _ => Some(0.0),
        };
        assert_eq!(of("status"), level, "{check}");
        if let Some(value) = result["value"].as_f64().filter(|_| !check.contains("fresh") && !check.contains("future"))
        {
            assert_eq!(of("value"), Some(value), "{check}");
        }
    }

    let [text, junit, lineage, markdown] = ["text", "junit", "openlineage", "markdown"].map(|format| {
        let run = program(&["dq", "run", "--format", format], &environment);
        assert_eq!(run.code(), Some(1), "{run:?}");
        run.stdout
    });
    for text in [&json.stdout, &json.stderr, &text, &junit, &lineage, &markdown] {
        assert_no_secret(text);
    }
    assert_junit(&junit, &results);
    assert_lineage(&lineage, &results, &file.canonicalize().unwrap());
    let counted = |wanted: &str| results.keys().filter(|check| status(check) == wanted).count();
    for wanted in ["passed", "warned", "failed", "errored", "skipped"] {
        let count = format!("{} {wanted}", counted(wanted));
        assert!(text.trim_end().lines().last().unwrap().contains(&count), "{count}: {text}");
        assert!(markdown.lines().next().unwrap().contains(&count), "{count}: {markdown}");
    }

    // The exit code follows the checks that are selected.
    for (arguments, code) in [
        (&["*_rows"][..], 0),
        (&["--severity", "info"], 0),
        (&["customers_email_unique", "customers_score", "orders_of_no_day_allowed"], 0),
        (&["orders_of_no_day"], 1),
        (&["payments_amount_text"], 1),
        (&["--dataset", "product*", "--exclude", "products_code"], 0),
        (&["--owner", "warehouse team", "--dataset", "events"], 1),
        (&["--dataset", "invoices"], 3),
    ] {
        let run = program(&[&["dq", "run"], arguments].concat(), &environment);
        assert_eq!(run.code(), Some(code), "{arguments:?}: {run:?}");
    }
}

/// Each check is a test with its status as CI understands it, and its properties.
fn assert_junit(junit: &str, results: &BTreeMap<String, Value>) {
    const SCRIPT: &str = "
import json, sys, xml.etree.ElementTree as tree
cases = {}
for case in tree.parse(sys.stdin).getroot().iter('testcase'):
    properties = {p.get('name'): p.get('value') for p in case.iter('property')}
    kinds = [kind for kind in ('failure', 'error', 'skipped') if case.find(kind) is not None]
    cases[case.get('name')] = {'kinds': kinds, 'class': case.get('classname'), 'properties': properties}
print(json.dumps(cases))
";
    let read = obs_tests::python::run(SCRIPT, &[], junit.as_bytes()).unwrap_or_else(|error| panic!("{error}: {junit}"));
    let cases: BTreeMap<String, Value> = serde_json::from_str(&read).unwrap();
    assert_eq!(cases.keys().collect::<Vec<_>>(), results.keys().collect::<Vec<_>>());
    for (check, case) in &cases {
        let result = &results[check];
        let (status, severity) = (result["status"].as_str().unwrap(), result["severity"].as_str().unwrap());
        let kind = match (status, severity) {
            ("skipped", _) => &["skipped"][..],
            ("errored", "critical" | "warning") => &["error"],
            ("failed" | "no_data", "critical") => &["failure"],
            _ => &[],
        };
        assert_eq!(case["kinds"], serde_json::json!(kind), "{check}");
        let properties = &case["properties"];
        assert_eq!(
            (&properties["status"], &properties["severity"]),
            (&result["status"], &result["severity"]),
            "{check}"
        );
        assert_eq!((&properties["owner"], &properties["dataset"]), (&result["owner"], &result["dataset"]), "{check}");
        if let (Some(value), false) = (result["value"].as_f64(), result["column"].is_null() || check.contains("fresh"))
        {
            assert_eq!(properties["value"], value.to_string(), "{check}");
        }
    }
    assert_eq!(cases["customers_country"]["properties"]["runbook"], "https://wiki.example.org/countries");
    assert!(cases["customers_country"]["properties"]["keys"].as_str().unwrap().starts_with("[{\"id\":"));
}

/// Each check that ran is an assertion of its table, in the namespace of its file.
fn assert_lineage(lineage: &str, results: &BTreeMap<String, Value>, file: &Path) {
    let event: Value = serde_json::from_str(lineage).unwrap();
    let mut seen = BTreeSet::new();
    for input in event["inputs"].as_array().unwrap() {
        for assertion in input["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap() {
            let check = assertion["assertion"].as_str().unwrap().to_owned();
            let name = input["name"].as_str().unwrap();
            if check != "gate" {
                assert_eq!(input["namespace"], format!("sqlite://{}", file.display()), "{check}");
                assert!(check.starts_with(name), "{check} is of {name}");
            }
            assert_eq!(assertion["success"], results[&check]["status"] == "passed", "{check}");
            let errored = results[&check]["status"] == "errored";
            let told = assertion["description"].as_str().is_some_and(|text| text.starts_with("errored: "));
            assert_eq!(told, errored, "{check}");
            seen.insert(check);
        }
    }
    let ran = results.iter().filter(|(_, result)| result["status"] != "skipped").map(|(check, _)| check);
    assert_eq!(seen.iter().collect::<Vec<_>>(), ran.collect::<Vec<_>>());
    assert_eq!(event["eventType"], "FAIL");
}

#[test]
#[cfg(feature = "real")]
fn the_same_checks_on_bigquery_find_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("warehouse.sqlite");
    let expected = make(&file, 200);
    let of_sqlite =
        by_check(&program(&["dq", "run", "--format", "json"], &[("WAREHOUSE", file.to_str().unwrap())]).json());
    assert_found(&of_sqlite, &expected);
    let emulator = obs_tests::servers::BigQueryEmulator::start();
    load(&emulator, &file);
    let environment = [("BIGQUERY_EMULATOR_HOST", &*emulator.host()), ("GOOGLE_CLOUD_PROJECT", "p")];
    // The emulator takes one query at a time.
    let report = program(&["dq", "run", "--format", "json", "--at-once", "2"], &environment);
    assert_eq!(report.code(), Some(1), "{report:?}");
    let of_bigquery = by_check(&report.json());
    // The emulator compares text with a number where BigQuery refuses the statement.
    for (check, of_sqlite) in of_sqlite.iter().filter(|(check, _)| *check != "payments_amount_text") {
        let of_bigquery = &of_bigquery[check];
        for field in ["status", "count", "of", "keys", "severity"] {
            assert_eq!(of_bigquery[field], of_sqlite[field], "{check}: {field}: {of_bigquery}");
        }
        if !check.contains("fresh") && !check.contains("future") {
            assert_eq!(of_bigquery["value"], of_sqlite["value"], "{check}: {of_bigquery}");
        }
    }
    let source = &of_bigquery["orders_rows"]["table"];
    assert_eq!((&source["namespace"], &source["name"]), (&"bigquery".into(), &"p.d.orders".into()));
    assert_no_secret(&report.stdout);
}

/// Copies the tables of a file into an emulator.
#[cfg(feature = "real")]
fn load(emulator: &obs_tests::servers::BigQueryEmulator, file: &Path) {
    use rusqlite::types::ValueRef;
    use serde_json::json;
    let connection = rusqlite::Connection::open(file).unwrap();
    for table in ["customers", "orders", "payments", "products", "events"] {
        let mut statement =
            connection.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')")).unwrap();
        let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let columns: Vec<(String, String)> = columns.map(Result::unwrap).collect();
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let fields: Vec<Value> = columns
            .iter()
            .map(|(name, kind)| {
                let kind = match &**kind {
                    "TEXT" => "STRING",
                    "REAL" => "FLOAT",
                    kind => kind,
                };
                json!({"name": name, "type": kind})
            })
            .collect();
        emulator.create_table(&json!({
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": table}, "schema": {"fields": fields},
        }));
        let rows = statement.query_map([], |row| {
            let value = |index| match row.get_ref(index) {
                Ok(ValueRef::Integer(number)) => json!(number),
                Ok(ValueRef::Real(number)) => json!(number),
                Ok(ValueRef::Text(text)) => json!(String::from_utf8_lossy(text)),
                _ => Value::Null,
            };
            let fields = columns.iter().enumerate().map(|(index, (name, _))| (name.clone(), value(index)));
            Ok(json!({ "json": fields.collect::<serde_json::Map<_, _>>() }))
        });
        let rows: Vec<Value> = rows.unwrap().map(Result::unwrap).collect();
        for rows in rows.chunks(500) {
            emulator.insert_rows(table, rows);
        }
    }
}
