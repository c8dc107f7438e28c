//! obs in real programs with other servers, clients, executors and layers: those of `tests/beside`. Each line, error and metric is
//! where it belongs, wherever the layer of obs is and whenever `init` is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use obs_tests::logs;
use obs_tests::process::{Finished, Process};
use serde_json::{Value, json};

const REQUESTS: usize = 10_000;
/// The layer of obs is the first one of the program's subscriber, and obs is initialised before it; it is the last one, and obs is
/// initialised after it; or obs has the program's layer.
const ORDERS: [&str; 3] = ["first", "last", "builder"];

/// The program with all scenes, which is built once.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("beside");
        let own = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = own.unwrap_or_else(|| folder.join("../../target")).join("beside");
        // The compiler flags are those of its own configuration.
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()))
            .args(["build", "--quiet", "--locked"])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("debug/obs-beside")
    })
}

fn run(scene: &str, order: &str) -> (Finished, Vec<Value>) {
    let process = Process::new(program()).args(&[scene, order]).env("PROMETHEUS_PORT", "off");
    let finished = process.run();
    assert_eq!(finished.code(), Some(0), "{scene} {order}: {}", finished.stdout);
    let lines = finished.log();
    (finished, lines)
}

/// The lines with this message.
fn with_message<'l>(lines: &'l [Value], message: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

/// The request that a line of the program or of obs is about, if it is about one.
fn number(line: &Value) -> Option<u64> {
    let of_error = || line["error"].as_str()?.strip_suffix(" is rejected")?.parse().ok();
    line["number"].as_u64().or_else(of_error)
}

/// Each request has its lines, and each line the id, the user and the operation of its request. Returns how many lines there are of
/// each message.
fn requests_have_their_own_fields(lines: &[Value], operation: Option<&str>) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::<String, usize>::new();
    for line in lines {
        let Some(number) = number(line) else { continue };
        let id = format!("id-{number}");
        assert_eq!(line["correlation_id"], id, "{line}");
        let message = line["message"].as_str().unwrap().replace(&number.to_string(), "N");
        if message != "rate" {
            assert_eq!((&line["user"], &line["operation"]), (&json!(format!("user-{number}")), &json!(operation)));
        }
        assert!(message != "ended" || line["id"] == id, "{line}");
        *seen.entry(message).or_default() += 1;
    }
    seen
}

fn counted(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(message, count)| ((*message).to_owned(), *count)).collect()
}

const HANDLED: [(&str, usize); 3] =
    [("begun", REQUESTS), ("ended", REQUESTS), ("handle failed: N is rejected", REQUESTS / 10)];

#[test]
fn ten_thousand_requests_of_axum_and_reqwest_have_their_own_fields() {
    for order in ["first", "last"] {
        let (finished, lines) = run("axum", order);
        let seen = requests_have_their_own_fields(&lines, Some("GET /users/{number}"));
        assert_eq!(seen, counted(&[&HANDLED[..], &[("rate", REQUESTS / 5)]].concat()), "{order}");
        let mut traces = BTreeMap::new();
        for line in lines.iter().filter(|line| number(line).is_some() && line["message"] != "rate") {
            let uri = format!("/users/{}", number(line).unwrap());
            assert_eq!((&line["span"], &line["uri"]), (&json!("request"), &json!(uri)), "{order}: {line}");
            traces.insert(line["correlation_id"].to_string(), line["trace_id"].clone());
        }
        // The other server is part of the caller's trace.
        for line in with_message(&lines, "rate") {
            assert_eq!(line["operation"], "GET /rates/{number}");
            assert!(line["trace_id"].is_string(), "{line}");
            assert_eq!(traces[&line["correlation_id"].to_string()], line["trace_id"], "{order}: {line}");
        }
        // The lines of tower-http: in the context, if that is outside.
        let failed = with_message(&lines, "response failed");
        assert_eq!(failed.len(), REQUESTS / 10, "{order}");
        for line in failed {
            let number = line["uri"].as_str().unwrap().strip_prefix("/users/").unwrap();
            let id = if order == "first" { json!(format!("id-{number}")) } else { Value::Null };
            assert_eq!(line["correlation_id"], id, "{order}: {line}");
        }
        // Requests that succeeded and failed, those of the other server, errors, requests under way, and the program's counter.
        assert_eq!(finished.json(), json!([9000.0, 1000.0, 2000.0, 1000.0, 0.0, 10000.0]), "{order}");
    }
}

#[test]
fn ten_thousand_requests_of_tonic_have_their_own_fields() {
    for order in ["first", "last"] {
        let (finished, lines) = run("tonic", order);
        let export = "POST /opentelemetry.proto.collector.logs.v1.LogsService/Export";
        assert_eq!(requests_have_their_own_fields(&lines, Some(export)), counted(&HANDLED), "{order}");
        for line in lines.iter().filter(|line| number(line).is_some()) {
            assert_eq!(line["span"], "request", "{order}: {line}");
        }
        // Requests that succeeded and failed: those that end with the client's mistake have succeeded.
        assert_eq!(finished.json(), json!([9000.0, 1000.0, 1000.0, 0.0, 10000.0]), "{order}");
    }
}

#[test]
fn ten_thousand_requests_of_actix_have_their_own_fields() {
    for order in ["first", "last"] {
        let (finished, lines) = run("actix", order);
        assert_eq!(requests_have_their_own_fields(&lines, Some("GET /users/{number}")), counted(&HANDLED), "{order}");
        // Records of the crate `log`: actix writes them when a body has ended, which is after the request's context.
        let access = lines.iter().filter(|line| line["logger"] == "access");
        let mut answered: Vec<_> = access
            .map(|line| {
                assert_eq!(line["correlation_id"], Value::Null, "{order}: {line}");
                line["message"].as_str().unwrap().to_owned()
            })
            .collect();
        answered.sort();
        let status = |number: usize| if number.is_multiple_of(10) { 503 } else { 200 };
        let mut expected: Vec<_> =
            (0..REQUESTS).map(|number| format!("answered {} to id-{number}", status(number))).collect();
        expected.sort();
        assert!(answered == expected, "{order}");
        assert_eq!(finished.json(), json!([9000.0, 1000.0, 1000.0, 0.0, 10000.0]), "{order}");
    }
}

/// A connection to SQLite has a thread of its own, which is in the caller's span and in no context.
#[test]
fn queries_of_sqlx_have_the_fields_of_their_callers() {
    for order in ORDERS {
        let (finished, lines) = run("sqlx", order);
        let mut queries = 0;
        for line in lines.iter().filter(|line| line["number"].is_u64()) {
            let number = &line["number"];
            assert_eq!(line["correlation_id"], format!("id-{number}"), "{order}: {line}");
            assert_eq!((&line["user"], &line["span"]), (&json!(format!("user-{number}")), &json!("job")));
            let statement = line["db.statement"].as_str().unwrap_or_default();
            if statement.contains("SELECT") {
                assert!(statement.contains(&format!("SELECT {number} FROM ")), "{order}: {line}");
                queries += 1;
            }
        }
        assert_eq!(queries, 360, "{order}");
        assert_eq!(lines.iter().filter(|line| line["error_type"] == "SqliteError").count(), 40, "{order}");
        assert_eq!(finished.json(), json!([360.0, 40.0, 40.0]), "{order}");
    }
}

#[test]
fn parts_of_jobs_of_rayon_have_the_fields_of_their_job() {
    for order in ORDERS {
        let (finished, lines) = run("rayon", order);
        let mut parts = 0;
        for line in lines.iter().filter(|line| line["number"].is_u64()) {
            let first = line["number"].as_u64().unwrap() / 100 * 100;
            assert_eq!(line["correlation_id"], format!("id-{first}"), "{order}: {line}");
            // A thread that waits for one job runs another one, which is not inside of the first.
            let odd = if first % 200 == 0 { Value::Null } else { json!(first) };
            assert_eq!((&line["user"], &line["odd"]), (&json!(format!("user-{first}")), &odd), "{order}: {line}");
            parts += 1;
        }
        assert_eq!(parts, 2 * REQUESTS, "{order}");
        assert_eq!(finished.json(), json!([9000.0, null, 10000.0]), "{order}");
    }
}

#[test]
fn ten_thousand_tasks_of_smol_have_their_own_fields() {
    for order in ORDERS {
        let (finished, lines) = run("smol", order);
        assert_eq!(requests_have_their_own_fields(&lines, None), counted(&HANDLED), "{order}");
        assert_eq!(finished.json(), json!([9000.0, 1000.0, 10000.0]), "{order}");
    }
}

#[test]
fn errors_of_tracing_error_keep_their_spans_and_have_the_label_of_the_error_inside() {
    for order in ORDERS {
        let (finished, lines) = run("tracing-error", order);
        let printed = finished.json();
        let trace = printed["trace"].as_str().unwrap();
        let places = ["load", "with table=\"users\"", "job", "with id=7"].map(|text| trace.find(text));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{order}: {trace}");
        assert_eq!(printed["metrics"], json!([1.0]), "{order}");
        let failed: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
        let [failed] = failed[..] else { panic!("{order}: {lines:?}") };
        assert_eq!((&failed["error_type"], &failed["error"]), (&json!("Rejected"), &json!("7 is rejected")));
        assert_eq!(
            (&failed["id"], &failed["table"], &failed["error_sources"]),
            (&json!(7), &json!("users"), &Value::Null)
        );
        assert_eq!(failed["password"], "[REDACTED]", "{order}: {failed}");
    }
}

#[test]
fn files_of_tracing_appender_have_the_lines_of_the_program_and_those_of_obs() {
    for order in ORDERS {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::new(program()).args(&["tracing-appender", order]).env("PROMETHEUS_PORT", "off");
        let finished = process.env("APPENDER_FOLDER", folder.path()).run();
        assert_eq!(finished.code(), Some(0), "{order}: {finished:?}");
        let own = logs::read(&folder.path().join("own.log"));
        assert_eq!(logs::messages(&own), ["by the program", "below the level of obs"], "{order}");
        assert_eq!((&own[0]["fields"]["password"], &own[0]["span"]["id"]), (&json!("hunter22"), &json!(7)));
        let lines = logs::read(&folder.path().join("obs.log"));
        assert_eq!((lines.len(), finished.log().len()), (4, 0), "{order}: {lines:?}");
        assert!(lines.iter().all(|line| line["id"] == 7), "{order}: {lines:?}");
        assert_eq!(lines[0]["password"], "[REDACTED]", "{order}");
        assert_eq!(lines[3]["message"], "load failed: 7 is rejected", "{order}");
    }
}

#[test]
fn a_console_sees_the_tasks_and_obs_the_lines() {
    for order in ORDERS {
        let (finished, lines) = run("console", order);
        assert!(finished.json()["task"].as_str().unwrap().contains("task of the program"), "{order}");
        assert_eq!(logs::messages(&lines)[..2], ["in the task", "step started"], "{order}");
        assert!(lines.len() == 3 && lines.iter().all(|line| line["span"].is_null()), "{order}: {lines:?}");
    }
}

#[test]
fn spans_of_tracing_opentelemetry_are_exported_and_their_ids_are_on_lines() {
    for order in ORDERS {
        let (finished, lines) = run("tracing-opentelemetry", order);
        let printed = finished.json();
        let span = |name: &str| {
            let spans = printed["spans"].as_array().unwrap().iter().filter(|span| span["name"] == name);
            let spans: Vec<_> = spans.collect();
            assert_eq!(spans.len(), 1, "{order}: {printed}");
            spans[0].clone()
        };
        let (outer, inner) = (span("outer"), span("inner"));
        assert_eq!((&inner["parent"], &inner["trace"]), (&outer["span"], &outer["trace"]), "{order}");
        let seen = |line: &Value| (line["trace_id"].clone(), line["span_id"].clone());
        let told = |span: &Value| (span["trace"].clone(), span["span"].clone());
        let messages = logs::messages(&lines);
        assert_eq!(messages[..3], ["in the outer span", "traced_step started", "in the function"], "{order}");
        assert_eq!(seen(&lines[0]), told(&outer), "{order}");
        assert!(lines[1..4].iter().all(|line| seen(line) == told(&inner)), "{order}: {lines:?}");
        assert_eq!((&lines[4]["message"], seen(&lines[4])), (&json!("outside"), (Value::Null, Value::Null)), "{order}");
        let (trace, id) = (inner["trace"].as_str().unwrap(), inner["span"].as_str().unwrap());
        let parent = format!("00-{trace}-{id}-01");
        assert!(printed["left"][0].as_array().unwrap().contains(&json!(["traceparent", parent])), "{order}: {printed}");
        assert!(printed["left"][1].as_array().unwrap().contains(&json!(["TRACEPARENT", parent])), "{order}: {printed}");
    }
}
