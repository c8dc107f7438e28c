//! Captures do not see each other, and leave nothing behind.

use std::panic::catch_unwind;
use std::thread;

use obs_runtime::testing::{capture, capture_async, capture_with};
use obs_runtime::{Config, JoinSet, Observability, spawn, spawn_thread, track_performance, with_error_tracking};
use obs_tests::{exclusive, http};
use opentelemetry_sdk::trace::SdkTracerProvider;

#[track_performance(tags(table = table))]
#[with_error_tracking]
fn import(table: &str) -> Result<(), std::io::Error> {
    metrics::counter!("isolation.rows", "table" => table.to_owned()).increment(3);
    metrics::histogram!("isolation.bytes").record(12.0);
    tracing::info!(table, "importing");
    if table == "users" { Ok(()) } else { Err(std::io::ErrorKind::NotFound.into()) }
}

#[with_error_tracking]
fn bursts() {
    panic!("burst");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn on_this_thread(calls: u32) {
    let captured = capture(|| (0..calls).for_each(|_| import("users").unwrap()));
    captured.counter("operation.success").with("operation", "import").is(calls);
    captured.counter("isolation.rows").is(3 * calls);
    captured.logs().is(calls as usize);
    captured.calls().is(calls as usize);
    captured.errors().is(0);
}

fn in_tasks(calls: u32) {
    let captured = runtime().block_on(capture_async(async move {
        let mut tasks = JoinSet::new();
        for call in 0..calls {
            let table = if call == 0 { "orders" } else { "users" };
            tasks.spawn(async move {
                tokio::task::yield_now().await;
                spawn_thread(move || import(table).is_ok()).join().unwrap()
            });
        }
        tasks.join_all().await
    }));
    captured.counter("operation.success").with("operation", "import").is(calls - 1);
    captured.counter("operation.failure").with("table", "orders").is(1);
    captured.errors().operation("import").once();
    captured.errors().once();
    captured.counter("isolation.rows").is(3 * calls);
    captured.histogram("isolation.bytes").sum_is(12 * calls);
    captured.logs().is(calls as usize);
}

#[test]
fn captures_at_once_have_exact_counts_of_their_own() {
    thread::scope(|scope| {
        for calls in 3..13 {
            scope.spawn(move || {
                for _ in 0..3 {
                    if calls % 2 == 0 { on_this_thread(calls) } else { in_tasks(calls) }
                }
            });
        }
    });
}

#[test]
fn a_capture_inside_of_another_one_keeps_what_is_its_own() {
    let outer = capture(|| {
        import("users").unwrap();
        let inner = capture(|| [import("users").is_ok(), import("orders").is_ok()]);
        inner.counter("isolation.rows").is(6);
        inner.errors().once();
        import("users").unwrap();
    });
    outer.counter("isolation.rows").is(6);
    outer.counter("operation.success").with("operation", "import").is(2);
    outer.errors().is(0);
    outer.logs().is(2);

    let outer = runtime().block_on(capture_async(async {
        let task = spawn(async { capture_async(async { import("users") }).await.calls().all().len() });
        import("users").unwrap();
        task.await.unwrap()
    }));
    assert_eq!(outer.value, 1);
    outer.calls().once();
}

#[test]
fn a_panic_is_an_event_of_its_capture_and_of_no_other() {
    let captured = capture(|| catch_unwind(bursts).is_err());
    captured.errors().panics().operation("bursts").message("burst").once();
    assert!(catch_unwind(|| capture(|| (import("orders").is_ok(), bursts()))).is_err());
    on_this_thread(2);
    let runtime = runtime();
    let panicked = runtime.block_on(async { tokio::spawn(capture_async(async { bursts() })).await });
    assert!(panicked.is_err());
    let captured = runtime.block_on(capture_async(async { spawn(async { bursts() }).await.is_err() }));
    captured.errors().panics().once();
    in_tasks(3);
}

#[test]
fn an_initialised_program_sees_nothing_of_a_capture() {
    let _exclusive = exclusive::lock();
    let builder = Observability::builder().without_environment().prometheus_port(0).subscriber(false).signals(false);
    let guard = builder.init().unwrap();
    on_this_thread(4);
    let page = http::get(&format!("http://{}/metrics", guard.metrics_address().unwrap()), &[]).unwrap();
    assert!(!page.contains("operation=\"import\"") && !page.contains("isolation_rows"), "{page}");
    drop(guard);
    on_this_thread(4);
}

#[test]
fn a_span_is_recorded_once_if_the_program_has_a_tracer_provider() {
    let provider = SdkTracerProvider::builder().build();
    opentelemetry::global::set_tracer_provider(provider);
    let config = Config::default().with(|config| config.tracing_enabled = true);
    let captured = capture_with(config, || track_performance("outer", || import("users")));
    captured.spans().name("import").inside("outer").once();
    captured.spans().is(2);
}
