//! The examples as processes: output, exit code, logs and metrics.

mod bq_query_cost;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use obs_tests::exposition::Samples;
use obs_tests::process::{Finished, Process};
use obs_tests::programs;
use serde_json::Value;

fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Finished {
    let process = Process::new(programs::program(program)).args(arguments).env("PROMETHEUS_PORT", "0");
    let mut running = environment.iter().fold(process, |process, (name, value)| process.env(name, value)).start();
    // A program that does not read its input may have closed it.
    let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
    running.finish()
}

fn example_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data")
}

#[test]
fn nightly_load_loads_checks_prices_and_summarises() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let first = run("nightly-load", &["--output", target], &[("SERVICE_NAME", "nightly-load")], "");
    assert_eq!(first.code(), Some(0), "{first:?}");
    let summary = first.stdout.as_str();
    for expected in ["Loaded 344 rows into penguins.", "nightly-load", "load_penguins", "USD"] {
        assert!(summary.contains(expected), "{expected}: {summary}");
    }
    let row = |name: &str| summary.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("missing_body_mass").contains("warned") && row("missing_body_mass").contains("0.0058"), "{summary}");
    assert!(row("repeated_individuals").contains("failed") && row("repeated_individuals").contains("154"), "{summary}");
    assert!(row("enough_rows").contains("passed"), "{summary}");

    let lines = first.log();
    assert!(lines.iter().all(|line| line["correlation_id"] == lines[0]["correlation_id"]), "{lines:?}");
    let checked = |line: &&Value| line["check"] == "repeated_individuals" && line["status"] == "failed";
    assert!(lines.iter().any(|line| checked(&line)), "{lines:?}");
    let finished = lines.iter().find(|line| line["outcome"] == "ok" && line["operation"] == "nightly-load").unwrap();
    assert!(finished["duration_seconds"].as_f64() > Some(0.0), "{finished}");

    let second = run("nightly-load", &["--output", target], &[("SERVICE_NAME", "nightly-load")], "");
    assert_eq!(second.code(), Some(0), "{second:?}");
    assert!(second.stdout.contains(", replacing those of an earlier run."), "{second:?}");
    let metrics = Samples::read(&folder.path().join("nightly-load.prom"));
    let load = [("operation", "load_penguins")];
    assert_eq!(metrics.value("cli_command_success_total", &[]), Some(2.0), "two runs add up");
    assert_eq!(metrics.value("operation_duration_seconds_count", &load), Some(2.0));
    let repeated = [("check", "repeated_individuals")];
    assert_eq!(metrics.value("data_quality_check_value", &repeated), Some(154.0));
}

/// A text without spaces, and with one `#` for each number.
fn without_numbers(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        let is_number = letter.is_ascii_digit() || (letter == '.' && kept.ends_with('#'));
        match is_number {
            true if kept.ends_with('#') => {}
            true => kept.push('#'),
            false => kept.push(letter),
        }
    }
    kept
}

#[test]
fn the_pictures_of_the_readme_show_what_nightly_load_prints() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pictures");
    let read = |name: &str| std::fs::read_to_string(pictures.join(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ended = run("nightly-load", &["--output", folder.path().to_str().unwrap()], &[("LOG_FORMAT", "text")], "");
    let texts = |picture: &str| -> String {
        let spans = picture.split("<text ").skip(1).filter_map(|rest| rest.split('>').nth(1)?.split('<').next());
        spans.map(|text| text.replace("&#160;", " ")).collect()
    };
    let terminal = without_numbers(&texts(&read("terminal.svg")));
    let message = |line: &str| {
        let rest = line.split_once("  ").map_or(line, |(_, rest)| rest);
        rest.split([' ', '[']).take(2).collect::<Vec<_>>().join(" ")
    };
    let lines = ended.stdout.lines().map(str::to_owned).chain(ended.stderr.lines().map(message));
    for line in lines.map(|line| without_numbers(&line)) {
        assert!(terminal.contains(&line), "{line} is not in the picture, which has {terminal}");
    }
    let trace = texts(&read("trace.svg"));
    for span in ["nightly-load", "load_penguins", "enough_rows", "repeated_individuals", "price_report"] {
        assert!(trace.contains(span), "{span}: {trace}");
    }
}

#[test]
#[cfg(feature = "real")]
fn the_checks_of_nightly_load_measure_what_sql_counts() {
    // Python reads the file and SQLite counts, every value as text.
    const SCRIPT: &str = "
import csv, json, sqlite3, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
rows = [{name: None if value in ('', 'NA') else value for name, value in row.items()} for row in rows]
database = sqlite3.connect(':memory:')
database.execute('CREATE TABLE raw (mass TEXT, island TEXT, individual TEXT)')
database.executemany('INSERT INTO raw VALUES (?, ?, ?)',
    [(row['Body Mass (g)'], row['Island'], row['Individual ID']) for row in rows])
number = lambda sql: database.execute(sql).fetchone()[0]
json.dump({
    'enough_rows': number('SELECT count(*) FROM raw'),
    'missing_body_mass': number('SELECT sum(mass IS NULL) FROM raw') / number('SELECT count(*) FROM raw'),
    'lightest_penguin_grams': number('SELECT CAST(mass AS INTEGER) AS m FROM raw WHERE mass IS NOT NULL ORDER BY m LIMIT 1'),
    'repeated_individuals': number('SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM raw GROUP BY individual)'),
    'unknown_islands': number(\"SELECT avg(island NOT IN ('Biscoe', 'Dream', 'Torgersen')) FROM raw\"),
}, sys.stdout)
";
    let data = example_data().join("penguins_raw.csv");
    let counted = obs_tests::python::run(SCRIPT, &[data.to_str().unwrap()], &[]).unwrap();
    let expected: BTreeMap<String, f64> = serde_json::from_str(&counted).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let ended = run("nightly-load", &["--output", folder.path().to_str().unwrap()], &[], "");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let metrics = Samples::read(&folder.path().join("nightly-load.prom"));
    let values = metrics.iter().filter(|((name, _), _)| name == "data_quality_check_value");
    let measured: BTreeMap<_, _> = values.map(|((_, labels), value)| (labels["check"].clone(), value)).collect();
    assert_eq!(measured, expected);
    let ratio = ended.log().into_iter().find(|line| line["check"] == "missing_body_mass" && line["of"].is_u64());
    assert_eq!(ratio.unwrap()["of"], 344);
}

#[test]
fn nightly_load_fails_by_severity_and_reports_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let strict = run("nightly-load", &["--output", target, "--fail-on", "warning"], &[], "");
    assert_eq!(strict.code(), Some(1), "{strict:?}");
    let missing = run("nightly-load", &["--output", target, "--data", "no/such.csv"], &[], "");
    assert_eq!((missing.code(), missing.stdout.as_str()), (Some(2), ""));
    assert!(missing.stderr.contains("no/such.csv"), "{missing:?}");
}

#[test]
fn bq_query_cost_reads_an_argument_a_file_or_standard_input() {
    let sql = "SELECT word_count FROM `bigquery-public-data.samples.shakespeare`";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("query.sql");
    std::fs::write(&file, sql).unwrap();
    for (arguments, input) in [
        (vec!["--format", "json", sql], ""),
        (vec!["--format", "json", "--file", file.to_str().unwrap()], ""),
        (vec!["--format", "json"], sql),
    ] {
        let output = run("bq-query-cost", &arguments, &[], input);
        assert_eq!(output.code(), Some(0), "{output:?}");
        let estimate = output.json();
        assert_eq!(estimate["processed_bytes"], 1_317_248, "{estimate}");
        assert_eq!(estimate["billed_bytes"], 10_485_760, "{estimate}");
        assert_eq!(estimate["figure"]["kind"], "exact", "{estimate}");
    }
}

#[test]
fn bq_query_cost_exits_with_3_over_the_threshold_and_with_1_when_the_cost_is_unknown() {
    let sql = "SELECT word_count FROM `bigquery-public-data.samples.shakespeare`";
    let over =
        run("bq-query-cost", &[sql], &[("BIGQUERY_USD_PER_TIB", "1000000"), ("COST_ALERT_THRESHOLD_USD", "1")], "");
    assert_eq!(over.code(), Some(3), "{over:?}");
    assert_eq!(over.stderr, "bq-query-cost: this query costs $9.536743, over the limit of $1\n");
    for (argument, error) in [
        ("SELEC nonsense", "cannot be parsed"),
        ("SELECT x FROM `no.such.table`", "the cost of this query is unknown"),
        ("--nonsense", "unexpected argument '--nonsense'"),
    ] {
        let output = run("bq-query-cost", &[argument], &[], "");
        assert_eq!(output.code(), Some(1), "{output:?}");
        assert!(output.stderr.contains(error), "{output:?}");
    }
}

#[test]
fn data_quality_checks_a_folder_of_csv_files_or_an_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "id,name\n1,ada\n1,ada\n2, bob \n").unwrap();
    std::fs::copy(example_data().join("penguins_raw.csv"), folder.path().join("penguins.csv")).unwrap();
    let output = run("data-quality", &[folder.path().to_str().unwrap(), "--format", "json"], &[], "");
    let report = output.json();
    let status = |name: &str| {
        let results = report["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["check"] == name).unwrap();
        (result["status"].as_str().unwrap().to_owned(), result["value"].as_f64())
    };
    assert_eq!(status("tables"), ("passed".to_owned(), Some(2.0)));
    assert_eq!(status("repeated_rows"), ("failed".to_owned(), Some(1.0)));
    assert_eq!(status("values_with_spaces_around").0, "failed");
    assert_eq!(output.code(), Some(0), "no critical check failed: {output:?}");

    let database = folder.path().join("empty.sqlite");
    rusqlite::Connection::open(&database).unwrap().execute_batch("CREATE TABLE t (a); CREATE TABLE u (a)").unwrap();
    let output = run("data-quality", &[database.to_str().unwrap()], &[], "");
    assert_eq!(output.code(), Some(1), "an empty table is critical: {output:?}");
    assert!(output.stdout.lines().any(|line| line.starts_with("empty_tables") && line.contains("failed")));
    assert_eq!(run("data-quality", &["no/such/folder"], &[], "").code(), Some(2));
}

#[test]
fn the_exit_code_of_health_check_is_the_status() {
    let healthy = run("health-check", &["--format", "json"], &[], "");
    assert_eq!(healthy.code(), Some(0), "{healthy:?}");
    let report = healthy.json();
    assert_eq!((&report["status"], report["checks"].as_array().unwrap().len()), (&"healthy".into(), 4));

    let degraded = run("health-check", &[], &[("HEALTH_CATALOGUE", "/no/such/catalogue.json")], "");
    assert_eq!(degraded.code(), Some(1), "{degraded:?}");
    assert!(degraded.stdout.starts_with("degraded\n"), "{degraded:?}");
    let unhealthy = run("health-check", &["--timeout", "5s"], &[("HEALTH_DATABASE", "/no/such/database")], "");
    assert_eq!(unhealthy.code(), Some(2), "{unhealthy:?}");
    assert!(unhealthy.stdout.contains("/no/such/database"), "{unhealthy:?}");
    assert_eq!(run("health-check", &[], &[("HEALTH_CHECK_ENABLED", "false")], "").code(), Some(3));
    for wrong in [["--format", "xml"], ["--timeout", "5 minuts"], ["--timeout", "0s"]] {
        assert_eq!(run("health-check", &wrong, &[], "").code(), Some(3), "{wrong:?}");
    }
    assert_eq!(run("health-check", &["--help"], &[], "").code(), Some(0));
}
