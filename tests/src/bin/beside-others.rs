//! A program with a subscriber, a logger or metrics of its own, in one of several situations, by its first argument.

use obs_runtime::testing::capture;
use obs_runtime::{
    ClosureInContext as _, FutureInContext as _, Level, Observability, ObservabilityBuilder, SpanContext, child_env,
    context_headers, with_error_tracking,
};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry, reload};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn builder() -> ObservabilityBuilder {
    Observability::builder().without_environment().prometheus_port(0)
}

/// Its logger.
struct Own;

impl log::Log for Own {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("own {}", record.args());
    }

    fn flush(&self) {}
}

fn log_in_own_registry() -> Result {
    registry().with(obs_runtime::layer()).init();
    let guard = builder().subscriber(false).log_level(Level::Warning).init()?;
    log::info!("below the level");
    log::warn!(rows = 7, table = "users", share = 0.5, done = true; "by log");
    guard.log_level().set(Level::Debug);
    log::debug!("by log");
    guard.log_level().set(Level::Error);
    log::debug!("below the level");
    Ok(())
}

fn log_without_bridge() -> Result {
    tracing::subscriber::set_global_default(registry().with(obs_runtime::layer()))?;
    let _guard = builder().subscriber(false).init()?;
    log::info!("by log");
    Ok(())
}

fn log_values() -> Result {
    let _guard = builder().init()?;
    log::info!(rows = 7, password = "hunter22", message = "mine"; "by log");
    log::info!("without values");
    Ok(())
}

fn own_logger(builder: ObservabilityBuilder) -> Result {
    log::set_logger(&Own)?;
    log::set_max_level(log::LevelFilter::Trace);
    let _guard = builder.init()?;
    let _ = obs_runtime::metrics();
    log::info!("by log");
    Ok(())
}

fn layer_is_there() -> Result {
    registry().with(fmt::layer().with_writer(std::io::sink)).with(obs_runtime::layer()).init();
    let _guard = builder().init()?;
    tracing::info!("by tracing");
    Ok(())
}

fn layer_is_missing() -> Result {
    registry().with(fmt::layer().with_writer(std::io::sink)).init();
    let _guard = builder().init()?;
    let _ = obs_runtime::metrics();
    Ok(())
}

fn layer_twice() -> Result {
    let _guard = builder().layer(obs_runtime::layer()).init()?;
    tracing::info_span!("span", rows = 7).in_scope(|| tracing::info!("by tracing"));
    Ok(())
}

fn layer_twice_in_own() -> Result {
    registry().with(obs_runtime::layer()).with(obs_runtime::unfiltered_layer()).init();
    let _guard = builder().subscriber(false).init()?;
    tracing::info_span!("span", rows = 7).in_scope(|| tracing::info!("by tracing"));
    Ok(())
}

fn on_fmt() -> Result {
    fmt().with_writer(std::io::sink).finish().with(obs_runtime::layer()).init();
    let _guard = builder().subscriber(false).init()?;
    tracing::info_span!("span", rows = 7).in_scope(|| tracing::info!("by tracing"));
    tracing::debug!("below the level");
    Ok(())
}

fn reloaded() -> Result {
    let (layer, handle) =
        reload::Layer::new(None::<Box<dyn tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync>>);
    registry().with(layer).init();
    let _guard = builder().subscriber(false).init()?;
    tracing::info!("not yet");
    handle.reload(Some(Box::new(obs_runtime::unfiltered_layer()) as _))?;
    tracing::info_span!("span", rows = 7).in_scope(|| {
        tracing::info!("by tracing");
        obs_runtime::track_performance("load", || ());
    });
    tracing::debug!("below the level");
    Ok(())
}

fn span_close() -> Result {
    let _guard = builder().log_span_close(true).init()?;
    let span = tracing::info_span!("span", rows = tracing::field::Empty, password = "hunter2");
    span.in_scope(|| tracing::info!("by tracing"));
    span.record("rows", 7);
    drop(span);
    tracing::debug_span!("below the level").in_scope(|| ());
    Ok(())
}

#[with_error_tracking]
fn fails() -> std::result::Result<(), std::io::Error> {
    Err(std::io::Error::other("disk full"))
}

/// The current span of `tracing-opentelemetry`.
fn current_span() -> Option<SpanContext> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| SpanContext {
        trace_id: span.trace_id().to_bytes(),
        span_id: span.span_id().to_bytes(),
        is_sampled: span.is_sampled(),
    })
}

/// Another tracer, above or below the layer of obs. Prints its ids in each span, and what other processes get there.
fn other_tracer(is_above: bool, builder: ObservabilityBuilder) -> Result {
    let provider = SdkTracerProvider::builder().build();
    let tracer = provider.tracer("program");
    if is_above {
        let telemetry = tracing_opentelemetry::layer().with_tracer(tracer);
        registry().with(obs_runtime::layer()).with(telemetry).init();
    } else {
        let telemetry = tracing_opentelemetry::layer().with_tracer(tracer);
        registry().with(telemetry).with(obs_runtime::layer()).init();
    }
    let _guard = builder.subscriber(false).init()?;
    let print = || {
        let ids = current_span().map(|span| {
            let (trace, span) = (u128::from_be_bytes(span.trace_id), u64::from_be_bytes(span.span_id));
            [format!("{trace:032x}"), format!("{span:016x}")]
        });
        println!("{}", serde_json::json!({"ids": ids, "headers": context_headers(), "child": child_env()}));
    };
    tracing::info_span!("outer").in_scope(|| {
        tracing::info!("outer");
        print();
        tracing::info_span!("inner").in_scope(|| {
            let _ = fails();
            print();
        });
    });
    tracing::info!("outside");
    Ok(())
}

fn global_filter() -> Result {
    let _guard = builder().layer(tracing_subscriber::filter::LevelFilter::ERROR).init()?;
    let _ = obs_runtime::metrics();
    Ok(())
}

fn another_subscriber_later() -> Result {
    let _guard = builder().init()?;
    fmt().init();
    Ok(())
}

#[with_error_tracking]
#[tracing::instrument(err)]
fn tracked_outside(text: &str) -> std::result::Result<(), std::io::Error> {
    Err(std::io::Error::other(text.to_owned()))
}

#[tracing::instrument(err)]
#[with_error_tracking]
fn tracked_inside(text: &str) -> std::result::Result<(), std::io::Error> {
    Err(std::io::Error::other(text.to_owned()))
}

#[with_error_tracking]
#[tracing::instrument(err)]
async fn tracked_async(text: &str) -> std::result::Result<(), std::io::Error> {
    tokio::task::yield_now().await;
    Err(std::io::Error::other(text.to_owned()))
}

#[with_error_tracking]
fn tracked_alone(text: &str) -> std::result::Result<(), std::io::Error> {
    Err(std::io::Error::other(text.to_owned()))
}

#[tracing::instrument(err)]
fn instrumented_alone(text: &str) -> std::result::Result<(), std::io::Error> {
    Err(std::io::Error::other(text.to_owned()))
}

fn errors() -> Result {
    let _guard = builder().init()?;
    let _ = tracked_outside("one");
    let _ = tracked_inside("two");
    let _ = tokio::runtime::Builder::new_current_thread().build()?.block_on(tracked_async("three"));
    // Different errors with one text.
    let _ = tracked_alone("four");
    let _ = tracked_alone("four");
    let _ = instrumented_alone("five");
    let _ = tracked_alone("six");
    Ok(())
}

fn handles() -> Result {
    assert!(obs_runtime::install_metrics_recorder());
    let early = metrics::counter!("early");
    let guard = builder().histogram_buckets(vec![10.0, 1.0]).histogram_buckets_of("sized", vec![5.0]).init()?;
    early.increment(1);
    drop(guard);
    let between = metrics::counter!("between");
    let guard = builder().init()?;
    between.increment(2);
    metrics::describe_histogram!("latency", metrics::Unit::Seconds, "Latency.");
    metrics::histogram!("latency").record(0.3);
    metrics::histogram!("sized").record(3.0);
    metrics::histogram!("any").record(3.0);
    metrics::gauge!("depth", "queue" => "a").set(4.0);
    let snapshot = obs_runtime::metrics();
    for name in ["early", "between", "latency", "sized", "any", "depth"] {
        println!("{name} {:?}", snapshot.value(name, &[]));
    }
    println!("{}", ureq_get(&guard)?);
    Ok(())
}

fn ureq_get(guard: &obs_runtime::Guard) -> std::result::Result<String, Box<dyn std::error::Error>> {
    let address = guard.metrics_address().ok_or("no endpoint")?;
    Ok(ureq::get(format!("http://{address}/metrics")).call()?.body_mut().read_to_string()?)
}

/// Logs at each level, in and outside of a span.
fn levels() -> Result {
    let _guard = Observability::builder().prometheus_port(0).init()?;
    for id in [7, 8] {
        tracing::info_span!("job", id).in_scope(|| tracing::debug!("in the job"));
    }
    tracing::debug!("outside");
    tracing::info!("outside");
    tracing::debug!(target: "other", "of another");
    tracing::error!(target: "third", "of a third");
    Ok(())
}

/// Captures, and prints what the process' own subscriber and recorder got.
fn captures() -> Result {
    let counted = |captured: &obs_runtime::testing::Captured<()>| captured.metrics.value("counted", &[]);
    let everywhere = || {
        tracing::info!("here");
        metrics::counter!("counted").increment(1);
        let inside = || {
            tracing::info!("on a thread");
            metrics::counter!("counted").increment(1);
        };
        std::thread::spawn(inside.in_current_context()).join().unwrap_or_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        if let Ok(runtime) = runtime {
            let task = async {
                tokio::task::yield_now().await;
                tracing::info!("in a task");
                metrics::counter!("counted").increment(1);
            };
            runtime.block_on(async { tokio::spawn(task.in_current_context()).await }).unwrap_or_default();
        }
    };
    let show = |captured: obs_runtime::testing::Captured<()>| {
        let messages: Vec<_> = captured.records.logs.iter().map(|line| line.message.as_str()).collect();
        println!("{messages:?} {:?}", counted(&captured));
    };
    show(capture(everywhere));
    // The process has neither a subscriber nor a recorder of obs.
    let own = obs_tests::logs::MemoryLog::default();
    let writer = own.clone();
    fmt().json().with_writer(move || writer.clone()).init();
    metrics::set_global_recorder(metrics::NoopRecorder)?;
    show(capture(everywhere));
    tracing::info!("outside");
    println!("{:?}", obs_tests::logs::messages(&own.take()));
    Ok(())
}

fn main() -> Result {
    match std::env::args().nth(1).as_deref() {
        Some("log-in-own-registry") => log_in_own_registry(),
        Some("log-without-bridge") => log_without_bridge(),
        Some("log-values") => log_values(),
        Some("own-logger") => own_logger(builder()),
        Some("own-logger-left-alone") => own_logger(builder().log_crate(false)),
        Some("own-logger-and-subscriber") => own_logger(builder().subscriber(false)),
        Some("layer-is-there") => layer_is_there(),
        Some("layer-is-missing") => layer_is_missing(),
        Some("layer-twice") => layer_twice(),
        Some("layer-twice-in-own") => layer_twice_in_own(),
        Some("on-fmt") => on_fmt(),
        Some("reloaded") => reloaded(),
        Some("span-close") => span_close(),
        Some("tracer-above") => other_tracer(true, builder().trace_context(current_span)),
        Some("tracer-below") => other_tracer(false, builder().trace_context(current_span)),
        Some("tracer-above-by-default") => other_tracer(true, builder()),
        Some("tracer-below-by-default") => other_tracer(false, builder()),
        Some("global-filter") => global_filter(),
        Some("another-subscriber-later") => another_subscriber_later(),
        Some("errors") => errors(),
        Some("handles") => handles(),
        Some("captures") => captures(),
        Some("levels") => levels(),
        other => Err(format!("{other:?} is no situation").into()),
    }
}
