//! The fluent assertions of `testing::capture`, the stable text and the test of declarations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use obs_runtime::testing::{Captured, capture, capture_async_with, capture_with, declarations};
use obs_runtime::{
    Config, Level, LogContext, Outcome, QualityCheck, QueryStatistics, bq_cost, capture_message, dq_check,
    run_dq_checks, track_cost, track_performance, tracked_command, with_error_tracking,
};

#[track_performance(tags(table = table), args(table))]
#[with_error_tracking(context(table = table))]
fn load(table: &str) -> Result<usize, std::io::Error> {
    metrics::counter!("rows.loaded", "table" => table.to_owned()).increment(3);
    metrics::histogram!("row.bytes").record(12.0);
    tracing::info!(table, "loading");
    if table == "users" { Ok(table.len()) } else { Err(std::io::ErrorKind::NotFound.into()) }
}

#[tracked_command]
fn nightly() {
    let _ = load("users");
}

#[dq_check(dataset = "test_kit", fail_above = 0)]
fn test_kit_null_ids() -> u64 {
    1
}

#[bq_cost]
fn report() {
    track_cost(&QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() });
}

fn run() -> Captured<()> {
    capture(|| {
        let _context = LogContext::new().correlation_id("run-7").enter();
        let _ = load("users");
        let _ = load("orders");
        let _ = capture_message(Level::Warning, "done");
        let _ = run_dq_checks().dataset("test_kit").wait();
        report();
    })
}

/// The message of the panic of an assertion.
fn refusal(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn assertions_hold_where_they_should() {
    let captured = run();
    captured.counter("operation.success").with("operation", "load").is(1);
    captured.counter("operation.failure").with("operation", "load").with("outcome", "error").is(1);
    captured.counter("operation.failure").with("operation", "load").with("outcome", "panic").is(0);
    captured.histogram("operation.duration.seconds").with("table", "orders").is(1);
    captured.counter("rows.loaded").is(6);
    captured.counter("rows.loaded").with("table", "users").is(3);
    captured.histogram("row.bytes").sum_is(24);
    captured.counter("rows.lost").is_absent();
    captured.gauge("data_quality.check.value").with("check", "test_kit_null_ids").is(1);
    captured.logs().level(Level::Info).message("load").with("table", "users").correlation_id("run-7").once();
    captured.calls().name("load").outcome(Outcome::Error).with("table", "orders").once();
    let error = captured.errors().operation("load").of_type("io_Error").with("table", "orders").passed("load").once();
    assert!(!error.panic);
    captured.errors().panics().is(0);
    captured.messages().message("done").level(Level::Warning).once();
    captured.checks().name("test_kit_null_ids").status("failed").once();
    captured.costs().operation("report").actual().usd(6.25);
    captured.cost_alerts().is(0);
    captured.spans().is(0);
}

#[test]
fn a_failed_assertion_says_what_there_is() {
    let captured = run();
    let said = refusal(|| captured.counter("operation.success").with("operation", "load").is(2));
    assert!(said.starts_with("expected 2, found 1: counter operation.success{operation=\"load\"}"), "{said}");
    assert!(said.contains("\n  operation.success{operation=\"load\",table=\"users\"} 1"), "{said}");
    let said = refusal(|| captured.counter("operation.succes").is(0));
    assert!(
        said.starts_with("no metric of obs and no recorded one has this name: counter operation.succes\n"),
        "{said}"
    );
    let said = refusal(|| captured.gauge("operation.success").is(1));
    assert_eq!(said, "operation.success is a counter, not a gauge");
    let said = refusal(|| captured.gauge("rows.loaded").is(6));
    assert_eq!(said, "rows.loaded is a counter, not a gauge");
    let said = refusal(|| captured.gauge("data_quality.check.value").with("check", "other").is(0));
    assert!(said.starts_with("expected 0, found no series"), "{said}");
    let said = refusal(|| captured.counter("rows.loaded").is_absent());
    assert!(said.starts_with("expected no such series"), "{said}");
    let said = refusal(|| drop(captured.logs().level(Level::Error).is(1)));
    assert!(said.starts_with("expected 1 log lines, ERROR: found 0, of 3 in all\n  Line {"), "{said}");
    let said = refusal(|| drop(captured.errors().of_type("Timeout").exist()));
    assert!(said.starts_with("expected at least one of errors, error_type=Timeout: found 0, of 1"), "{said}");
    let said = refusal(|| captured.costs().operation("report").usd(1.0));
    assert!(said.starts_with("expected 1 US dollars, found 6.25"), "{said}");
}

#[test]
fn an_absent_series_is_zero_for_each_assertion_or_for_none() {
    let captured = run();
    let panics = captured.counter("operation.failure").with("outcome", "panic");
    panics.is(0);
    panics.is_at_least(0);
    assert!(refusal(|| panics.is_at_least(1)).starts_with("expected 1 or more, found 0: counter operation.failure"));
    let retried = captured.histogram("bigquery.query.rows_returned");
    retried.is(0);
    retried.is_at_least(0);
    retried.sum_is(0);
    let own = captured.histogram("row.bytes").with("table", "users");
    let lost = captured.gauge("data_quality.check.value").with("check", "lost");
    for said in [refusal(|| lost.is(0)), refusal(|| lost.is_at_least(0))] {
        assert!(said.contains("found no series"), "{said}");
    }
    for said in [refusal(|| own.is(0)), refusal(|| own.is_at_least(0)), refusal(|| own.sum_is(0))] {
        assert!(said.starts_with("no series has a label `table`"), "{said}");
    }
    let said = refusal(|| captured.counter("rows.loaded").sum_is(6));
    assert_eq!(said, "rows.loaded is a counter, which has no observations: assert its value by `is`");
}

#[test]
fn a_misspelt_name_is_refused_also_where_zero_is_asserted() {
    let captured = run();
    let said = refusal(|| captured.counter("operation.succes").is(0));
    assert!(said.ends_with("\n  did you mean `operation.success`?"), "{said}");
    let said = refusal(|| captured.counter("rows.laoded").is_at_least(0));
    assert!(said.ends_with("\n  did you mean `rows.loaded`?"), "{said}");
    let said = refusal(|| captured.counter("operation.failure").with("operatoin", "load").is(0));
    assert!(
        said.starts_with(
            "no series has a label `operatoin`; the labels are operation, outcome, table: counter operation.failure{"
        ),
        "{said}"
    );
    assert!(said.ends_with("\n  did you mean `operation`?"), "{said}");
    let said = refusal(|| captured.counter("rows.loaded").with("tabel", "users").is(0));
    assert!(said.starts_with("no series has a label `tabel`; the labels are table: counter rows.loaded{"), "{said}");
    let said = refusal(|| capture(|| ()).counter("rows").is(0));
    assert!(said.ends_with("recorded were no metrics"), "{said}");
    let said = refusal(|| _ = captured.checks().name("test_kit_nul_ids").once());
    assert!(said.ends_with("found 0, of 1 in all\n  (\"test_kit_null_ids\", \"failed\")"), "{said}");
    let said = refusal(|| _ = captured.spans().name("load").once());
    assert!(said.contains("tracing_enabled"), "{said}");
}

#[test]
fn no_number_and_infinity_are_only_themselves() {
    let captured = capture(|| {
        metrics::gauge!("kit.none").set(f64::NAN);
        metrics::gauge!("kit.three").set(3.0);
    });
    captured.gauge("kit.none").is(f64::NAN);
    assert!(refusal(|| captured.gauge("kit.none").is(5)).starts_with("expected 5, found NaN"));
    assert!(refusal(|| captured.gauge("kit.none").is_at_least(5)).starts_with("expected 5 or more, found NaN"));
    for other in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(refusal(|| captured.gauge("kit.three").is(other)).contains("found 3"));
    }
}

#[test]
fn spans_are_captured_if_traces_are() {
    let config = Config::default().with(|config| config.tracing_enabled = true);
    for _ in 0..2 {
        let captured = capture_with(config.clone(), || {
            nightly();
            load("orders").unwrap_err();
        });
        let command = captured.spans().name("nightly").once();
        assert_eq!(command.parent, None);
        let inner = captured.spans().name("load").inside("nightly").with("table", "users").once();
        assert_eq!(inner.trace_id, command.trace_id);
        let alone = captured.spans().name("load").outcome(Outcome::Error).once();
        assert_eq!(
            (&alone.parent, alone.failure.as_ref().map(|failure| &*failure.error_type)),
            (&None, Some("io_Error"))
        );
    }
    assert_eq!(capture(nightly).records.spans, []);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured = runtime.block_on(capture_async_with(config, async { load("users").is_ok() }));
    captured.spans().name("load").once();
}

#[test]
fn the_text_is_the_same_in_each_run() {
    let texts: Vec<_> = (0..3).map(|_| run().stable_text()).collect();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[1], texts[2]);
    for line in [
        "log INFO guides::test_kit: loading correlation_id=\"run-7\" table=\"users\"",
        "error ERROR load: io_Error: entity not found correlation_id=\"run-7\" table=\"orders\"",
        "check test_kit_null_ids failed",
        "price report actual $6.25",
        "rows.loaded{table=\"users\"} 3",
        "row.bytes count=2 sum=24",
    ] {
        assert!(texts[0].lines().any(|known| known == line), "{line}\n{}", texts[0]);
    }
    assert!(texts[0].contains("data_quality.check.last_run.timestamp.seconds{") && texts[0].contains("} [time]\n"));
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    let captured = capture(|| {
        let id = "0193a5b2-1234-7abc-8def-0123456789ab".to_owned();
        let path = std::env::temp_dir().join("x");
        tracing::info!(
            took_ms = 12,
            "{id} at 2026-11-30T18:00:00.123Z, {:p}, 127.0.0.1:43121, src/a.rs:3:4, in 1.5 ms, {}",
            &raw const id,
            path.display()
        );
    });
    let text = captured.stable_text();
    let expected =
        "[id] at [time], [address], 127.0.0.1:[port], src/a.rs:[line], in [duration], [temp]/x took_ms=\"[duration]\"";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_snapshot_is_the_same_with_other_ids_times_paths_and_durations_and_on_other_threads() {
    let text = || {
        let folder = tempfile::tempdir().unwrap();
        let begun = std::time::Instant::now();
        let captured = capture(|| {
            let file = folder.path().join("a.csv");
            tracing::info!(
                elapsed = ?begun.elapsed(), at = ?std::time::SystemTime::now(), thread = ?std::thread::current().id(),
                "read {} in {:?}\nat once", file.display(), begun.elapsed()
            );
            tracing::info!("token=hunter2-secret in {}", std::env::current_dir().unwrap().display());
            metrics::gauge!("kit.load.seconds").set(begun.elapsed().as_secs_f64());
            nightly();
            let command = LogContext::new().enter();
            let _ = capture_message(Level::Error, format!("{}: gone", file.display()));
            drop(command);
        });
        captured.stable_text()
    };
    let first = text();
    for line in [
        r#"log INFO guides::test_kit: read [temp]/[name]/a.csv in [duration]\nat once elapsed="[duration]" at="[time]" thread="[id]""#,
        "log INFO guides::test_kit: token=[REDACTED] in [dir]",
        "kit.load.seconds [duration]",
    ] {
        assert!(first.lines().any(|known| known == line), "{line}\n{first}");
    }
    let texts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..5).map(|_| scope.spawn(|| (0..10).map(|_| text()).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for text in texts {
        assert_eq!(text, first);
    }
    let captured = capture(|| {
        tracing::info!(
            "job obs_0193a5b212347abc8def0123456789ab, span 0123456789abcdef, after 1m 30s, 2h 3m 4s and 1.5s; 5m of 2s_table"
        );
        tracing::info!("traceparent 00-0193a5b212347abc8def0123456789ab-0123456789abcdef-01");
    });
    let text = captured.stable_text();
    assert!(
        text.contains("job obs_[id], span [id], after [duration], [duration] and [duration]; 5m of 2s_table\n"),
        "{text}"
    );
    assert!(text.contains("traceparent [id]\n"), "{text}");
}

#[test]
fn problems_of_declarations_are_found() {
    let captured = run();
    let allowed = declarations().metrics(["rows.loaded", "row.bytes"]).recorded(&captured.metrics);
    let of_kit = |problems: Vec<String>| {
        problems
            .into_iter()
            .filter(|problem| problem.contains("test_kit") || problem.contains("row"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_kit(allowed.clone().datasets(["test_kit"]).problems()), [""; 0]);
    let unknown = of_kit(allowed.datasets(["users", "orders"]).problems());
    assert_eq!(unknown, ["check `test_kit_null_ids`: unknown data set `test_kit`; known: users, orders"]);
    let outside = declarations().metrics(["rows.loadet"]).recorded(&captured.metrics).problems();
    assert_eq!(
        of_kit(outside),
        [
            "metric `row.bytes` is outside of the catalogue",
            "metric `rows.loaded` is outside of the catalogue; did you mean `rows.loadet`?"
        ]
    );
    let _twice = [1, 2].map(|_| QualityCheck::new("same_name", || 0_u64).dataset("test_kit_twice").register());
    let said = refusal(|| declarations().assert());
    assert!(said.contains("same_name"), "{said}");
}
