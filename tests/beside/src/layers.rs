//! Layers of other crates.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use console_api::instrument::InstrumentRequest;
use console_api::instrument::instrument_client::InstrumentClient;
use obs_runtime::{LogOutput, Observability, track_performance, with_error_tracking};
use serde_json::{Value, json};
use tracing::{Subscriber, info, info_span};
use tracing_appender::non_blocking::NonBlocking;
use tracing_error::{ErrorLayer, ExtractSpanTrace as _, InstrumentResult as _, SpanTrace, TracedError};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt};

use crate::Result;
use crate::order::{Layers, Order, start, start_with};
use crate::work::{Rejected, metrics};

struct Traces;

impl Layers for Traces {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync {
        ErrorLayer::default()
    }
}

#[with_error_tracking]
#[tracing::instrument]
fn load(table: &str) -> std::result::Result<(), TracedError<Rejected>> {
    Err(Rejected(7)).in_current_span()
}

/// Errors that keep the spans in which they were made.
pub fn tracing_error(order: Order) -> Result<Value> {
    let _guard = start(order, Traces)?;
    let error = info_span!("job", id = 7, password = "hunter22").in_scope(|| {
        info!("begun");
        load("users")
    });
    let error = error.err().ok_or("it does not fail")?;
    let error: &(dyn std::error::Error + 'static) = &error;
    let trace = error.source().and_then(|source| source.span_trace()).map(SpanTrace::to_string);
    Ok(json!({
        "trace": trace,
        "metrics": metrics(&[("operation.error", &[("operation", "load"), ("error_type", "Rejected")])]),
    }))
}

struct File(NonBlocking);

impl Layers for File {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync {
        fmt::layer().json().with_writer(self.0)
    }
}

/// The program's own lines in a file, and those of obs in another one.
pub fn tracing_appender(order: Order) -> Result<Value> {
    let folder = std::env::var("APPENDER_FOLDER")?;
    let file = |name: &str| tracing_appender::non_blocking(tracing_appender::rolling::never(&folder, name));
    let ((own, own_written), (lines, lines_written)) = (file("own.log"), file("obs.log"));
    let output = LogOutput::new(move |line| lines.clone().write_all(line));
    let guard = start_with(order, Observability::builder().log_output(output), File(own))?;
    info_span!("job", id = 7).in_scope(|| {
        info!(password = "hunter22", "by the program");
        step();
        let _ = load("users");
    });
    tracing::debug!("below the level of obs");
    drop(guard);
    drop((own_written, lines_written));
    Ok(Value::Null)
}

#[track_performance(level = "info")]
fn step() {}

struct Console(u16);

impl Layers for Console {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync {
        let console = console_subscriber::ConsoleLayer::builder();
        let often = Duration::from_millis(20);
        console.server_addr((Ipv4Addr::LOCALHOST, self.0)).publish_interval(often).spawn()
    }
}

/// The tasks of the program, as a console sees them.
pub fn console(order: Order) -> Result<Value> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let _guard = start(order, Console(port))?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::task::Builder::new().name("task of the program").spawn(
            obs_runtime::LogContext::new().in_future(async {
                info!("in the task");
                step();
                let _ = stopped.await;
            }),
        )?;
        let url = format!("http://127.0.0.1:{port}");
        let mut client = loop {
            match InstrumentClient::connect(url.clone()).await {
                Ok(client) => break client,
                // It is not listening yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let mut updates = client.watch_updates(InstrumentRequest {}).await?.into_inner();
        let name = loop {
            let update = updates.message().await?.ok_or("the console has ended")?;
            let tasks = update.task_update.map(|update| update.new_tasks).unwrap_or_default();
            let fields = tasks.iter().flat_map(|task| &task.fields);
            let named = fields.filter_map(|field| field.value.as_ref()).map(|value| format!("{value:?}"));
            if let Some(name) = named.into_iter().find(|value| value.contains("of the program")) {
                break name;
            }
        };
        let _ = stop.send(());
        task.await?;
        Ok(json!({"task": name}))
    })
}
