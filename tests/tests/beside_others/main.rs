//! obs in a program that has a subscriber, a logger or metrics of its own.

mod programs;

use obs_tests::logs::messages;
use obs_tests::process::{Finished, Process};
use obs_tests::programs::program;
use serde_json::{Value, json};

fn run(situation: &str) -> Finished {
    let finished = Process::new(program("beside-others")).args(&[situation]).run();
    assert_eq!(finished.code(), Some(0), "{finished:?}");
    finished
}

fn lines(situation: &str) -> Vec<Value> {
    run(situation).log()
}

/// The messages of a situation; one with this text among them.
fn has_warning(situation: &str, text: &str) -> Vec<Value> {
    let lines = lines(situation);
    let warnings = lines.iter().filter(|line| line["level"] == "WARNING").filter_map(|line| line["message"].as_str());
    assert_eq!(warnings.filter(|message| message.contains(text)).count(), 1, "{lines:?}");
    lines
}

#[test]
fn records_of_log_come_through_a_subscriber_of_the_program_in_any_order() {
    let lines = lines("log-in-own-registry");
    assert_eq!(messages(&lines), ["by log", "by log"]);
    assert_eq!((&lines[0]["level"], &lines[1]["level"]), (&json!("WARNING"), &json!("DEBUG")));
}

#[test]
fn records_of_log_come_through_a_subscriber_without_a_bridge() {
    assert_eq!(messages(&lines("log-without-bridge")), ["by log"]);
}

#[test]
fn key_values_of_log_are_fields() {
    let lines = lines("log-values");
    assert_eq!(messages(&lines), ["by log", "without values"]);
    assert_eq!((&lines[0]["rows"], &lines[0]["password"]), (&json!(7), &json!("[REDACTED]")));
    assert_eq!(lines[0]["fields"]["message"], "mine");
    assert_eq!(lines[1]["rows"], Value::Null);
}

#[test]
fn a_logger_of_the_program_is_warned_of() {
    let finished = run("own-logger");
    assert_eq!(finished.stdout, "own by log\n");
    assert!(messages(&finished.log())[0].starts_with("a logger of the log crate is installed already"), "{finished:?}");
    assert_eq!(run("own-logger-and-subscriber").log().len(), 1);
    assert_eq!(run("own-logger-left-alone").log().len(), 0);
}

#[test]
fn warnings_about_the_layer_say_what_is_so() {
    assert_eq!(messages(&lines("layer-is-there")), ["by tracing"]);
    has_warning("layer-is-missing", "add obs_runtime::layer() to it");
    for situation in ["layer-twice", "layer-twice-in-own"] {
        let lines = has_warning(situation, "obs_runtime::layer() is in the subscriber twice");
        let line = lines.iter().filter(|line| line["message"] == "by tracing").collect::<Vec<_>>();
        assert!(line.len() == 1 && line[0]["rows"] == 7, "{lines:?}");
    }
    has_warning("global-filter", "the builder's layer LevelFilter filters what all layers get");
}

#[test]
fn the_layer_works_where_filters_of_layers_do_not() {
    for situation in ["on-fmt", "reloaded"] {
        let lines = lines(situation);
        assert_eq!(messages(&lines)[0], "by tracing", "{lines:?}");
        assert!(lines.iter().all(|line| line["rows"] == 7 && line["span"] == "span"), "{lines:?}");
    }
}

#[test]
fn a_second_subscriber_gets_a_hint() {
    let finished = Process::new(program("beside-others")).args(&["another-subscriber-later"]).run();
    assert_eq!(finished.code(), Some(101));
    let lines = finished.log();
    assert!(lines[0]["hint"].as_str().is_some_and(|hint| hint.contains(".layer(…)")), "{lines:?}");
}

#[test]
fn an_error_that_tracing_logs_and_obs_captures_has_one_line_at_its_level() {
    let lines = lines("errors");
    let count = |text: &str| {
        let has_text = |line: &&Value| line["error"] == text && line["level"] == "ERROR";
        lines.iter().filter(has_text).count()
    };
    for (text, expected) in [("one", 1), ("two", 1), ("three", 1), ("four", 2), ("five", 1), ("six", 1)] {
        assert_eq!(count(text), expected, "{text}: {lines:?}");
    }
}

#[test]
fn handles_of_metrics_live_over_guards_and_have_the_buckets_of_their_unit() {
    let finished = run("handles");
    let has = |line: &str| finished.stdout.lines().any(|other| other == line);
    for (name, value) in
        [("early", 1.0), ("between", 2.0), ("latency", 1.0), ("sized", 1.0), ("any", 1.0), ("depth", 4.0)]
    {
        assert!(has(&format!("{name} Some({value:?})")), "{name}: {}", finished.stdout);
    }
    let labels = r#"service="decentclaude",environment="dev""#;
    assert!(
        has(&format!("early_total{{{labels}}} 1")) && has(&format!("between_total{{{labels}}} 2")),
        "{}",
        finished.stdout
    );
    let buckets = |name: &str| {
        let name = format!("{name}_bucket{{");
        let bound = |line: &str| Some(line.strip_prefix(&name)?.split("le=\"").nth(1)?.split('"').next()?.to_owned());
        finished.stdout.lines().filter_map(bound).collect::<Vec<_>>()
    };
    assert_eq!(buckets("sized"), ["5", "+Inf"]);
    assert_eq!(buckets("any"), ["1", "10", "+Inf"]);
    assert_eq!(buckets("latency_seconds").len(), obs_runtime::catalogue::SECONDS.len() + 1);
}

#[test]
fn a_capture_takes_nothing_of_the_process() {
    let finished = run("captures");
    let captured = r#"["here", "on a thread", "in a task"] Some(3.0)"#;
    assert_eq!(finished.stdout, format!("{captured}\n{captured}\n[\"outside\"]\n"));
}

#[test]
fn rust_log_applies_where_log_level_is_not_set() {
    let logged = |variables: &[(&str, &str)]| {
        let process = Process::new(program("beside-others")).args(&["levels"]);
        let process = variables.iter().fold(process, |process, (name, value)| process.env(name, value));
        let finished = process.run();
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        let lines = finished.log();
        let shown = |line: &Value| format!("{} {}", line["level"].as_str().unwrap(), line["message"].as_str().unwrap());
        lines.iter().map(shown).collect::<Vec<_>>()
    };
    let said = "INFO LOG_LEVEL is not set: RUST_LOG=info applies to the lines of obs";
    assert_eq!(logged(&[("RUST_LOG", "info")]), [said, "INFO outside", "ERROR of a third"]);
    assert_eq!(logged(&[("RUST_LOG", "debug"), ("LOG_LEVEL", "error")]), ["ERROR of a third"]);
    assert_eq!(logged(&[("RUST_LOG", "other")]), ["DEBUG of another", "ERROR of a third"]);
    let in_spans = ["DEBUG in the job", "INFO outside", "ERROR of a third"];
    assert_eq!(logged(&[("LOG_LEVEL", "info,[job{id=7}]=debug")]), in_spans);
    assert_eq!(
        logged(&[("LOG_LEVEL", "warn,[job]=debug")]),
        ["DEBUG in the job", "DEBUG in the job", "ERROR of a third"]
    );
    let dashed = logged(&[("RUST_LOG", "beside-others=info,obs_runtime=info")]);
    assert!(dashed.iter().any(|line| line.starts_with("WARNING RUST_LOG: `beside-others=info`")), "{dashed:?}");
    assert!(dashed.contains(&"INFO outside".to_owned()), "{dashed:?}");
    let refused =
        Process::new(program("beside-others")).args(&["levels"]).env("LOG_LEVEL", "info,beside-others=debug").run();
    assert_eq!(refused.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("beside_others=debug"), "{refused:?}");
}

#[test]
fn the_end_of_a_span_is_a_line_where_that_is_wanted() {
    let lines = lines("span-close");
    assert_eq!(messages(&lines), ["by tracing", "close"]);
    let close = &lines[1];
    assert!(close["duration_seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{close}");
    assert_eq!((&close["span"], &close["rows"], &close["password"]), (&json!("span"), &json!(7), &json!("[REDACTED]")));
    assert_eq!(close["logger"], "beside_others");
}

#[test]
fn the_trace_of_another_tracer_is_on_lines_and_goes_to_other_processes() {
    // The function is the program's, or that of the feature `otlp`.
    for situation in ["tracer-above", "tracer-below", "tracer-above-by-default", "tracer-below-by-default"] {
        let finished = run(situation);
        let lines = finished.log();
        let printed: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [outer, inner] = &printed[..] else { panic!("{finished:?}") };
        assert_eq!(outer["ids"][0], inner["ids"][0], "{printed:?}");
        assert_ne!(outer["ids"][1], inner["ids"][1], "{printed:?}");
        for (line, told) in [(&lines[0], outer), (&lines[1], inner)] {
            assert_eq!(
                (&line["trace_id"], &line["span_id"]),
                (&told["ids"][0], &told["ids"][1]),
                "{situation}: {line}"
            );
        }
        assert!(lines[2]["message"] == "outside" && lines[2]["trace_id"].is_null(), "{situation}: {lines:?}");
        for told in &printed {
            let id = |index: usize| told["ids"][index].as_str().unwrap();
            let expected = json!(["traceparent", format!("00-{}-{}-01", id(0), id(1))]);
            assert!(told["headers"].as_array().unwrap().contains(&expected), "{situation}: {told}");
            let expected = json!(["TRACEPARENT", expected[1]]);
            assert!(told["child"].as_array().unwrap().contains(&expected), "{situation}: {told}");
        }
    }
}
