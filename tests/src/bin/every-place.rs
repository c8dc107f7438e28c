//! Puts the whole corpus of secrets into places that `leaker` does not reach, and writes what leaves there. Its first argument
//! says which; any other command is one of those for operators, with checks that are made of the corpus.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use metrics::{Label, counter, describe_counter};
use obs_runtime::bigquery::{Client, Retry};
use obs_runtime::sink::{RedactedEvent, Sink, SinkError};
use obs_runtime::{
    ErrorCapture, Health, HealthCheck, LogContext, Measured, Observability, QualityCheck, bq_cost, child_env, cli,
    context_headers, dq_check, health_response,
};
use obs_tests::corpus;
use obs_tests::leaks::leak_the_corpus;
use serde_json::json;

#[derive(Parser)]
enum Command {
    /// Writes the variables for child processes and the headers for servers.
    Propagation,
    /// Records metrics, writes the address of the endpoint, and waits for the end of standard input.
    Metrics,
    /// Runs queries.
    Queries,
    /// Writes what a sink of the program's own gets.
    Sink,
    /// Writes the answers to probes.
    Probes,
    /// Captures errors with texts attached, ten of them each: from this sample on as many as are sent at once.
    Attachments { from: usize },
    /// Fails with each text, as a command that returns its error.
    Fail { sample: usize },
    #[command(flatten)]
    Obs(cli::Command),
}

fn texts() -> impl Iterator<Item = &'static str> {
    corpus::samples().map(|sample| sample.text)
}

#[dq_check(for_each = texts().collect::<Vec<_>>(), fail_above = 0.5)]
fn each(text: &str) -> Measured {
    Measured::ratio(1, 4).with_sample([text])
}

fn register() {
    for text in texts() {
        let details = move || json!({"note": text, text: 1, "list": [{text: text}]});
        let measured = move || {
            obs_runtime::Verdict::failed(text).expected(text).seen(text).with_sample([text]).with_details(&details())
        };
        QualityCheck::new(text, measured).dataset(text).column(text).owner(text).register();
        HealthCheck::new(text, move || Health::degraded(text).with_details(&details())).register();
    }
    for (name, value) in corpus::NAMED {
        let details = json!({*name: value, "nested": {*name: [value]}});
        HealthCheck::new(*name, move || Health::healthy().with_details(&details)).register();
    }
}

fn propagation() {
    for text in texts() {
        LogContext::new()
            .correlation_id(text)
            .user(text)
            .scope(|| println!("{:?} {:?}", child_env(), context_headers()));
    }
    println!("[REDACTED]");
}

fn record() {
    for text in texts() {
        let name = format!("of {text}");
        describe_counter!(name.clone(), text);
        counter!(name, vec![Label::new("place", text), Label::new(text, "x")]).increment(1);
        counter!("rows", vec![Label::new(text, text)]).increment(1);
    }
    for (name, value) in corpus::NAMED {
        counter!("named", vec![Label::new(*name, *value)]).increment(1);
    }
}

/// A query with the text as literal, in a scope with the text as label.
#[bq_cost(labels(team = text))]
async fn query(client: &Client, text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
    let sql = format!("SELECT * FROM d.t WHERE note = '{escaped}'");
    match client.query(sql).label("note", text).label(format!("of {text}"), "x").bind("of", text).run().await {
        Ok(job) => format!("{job:?}"),
        Err(error) => format!("{error}\n{error:?}\n{error:#?}"),
    }
}

fn queries() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let retry = Retry { first_pause: Duration::from_millis(1), ..Retry::default() };
    let client = runtime.block_on(Client::builder().retry(retry).build())?;
    for text in texts() {
        let scope = LogContext::new().correlation_id(text).user(text).operation(text.to_owned());
        println!("{}", scope.scope(|| runtime.block_on(query(&client, text))));
    }
    Ok(())
}

struct Printed;

impl Sink for Printed {
    fn name(&self) -> &'static str {
        "printed"
    }

    fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError> {
        println!("{event:?}");
        Ok(())
    }
}

/// Errors of one kind that are sent at once.
const AT_ONCE: usize = 20;

fn attachments(from: usize) {
    let texts: Vec<_> = texts().skip(from).take(10 * AT_ONCE).collect();
    for texts in texts.chunks(10) {
        let capture = ErrorCapture::new(&Failed("a feed"));
        texts.iter().fold(capture, |capture, text| capture.attachment(*text, format!("17,{text}\n"))).send();
    }
}

fn probes() {
    register();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    for (path, accept) in [
        ("/readyz", "text/plain"),
        ("/readyz?verbose", "text/plain"),
        ("/readyz?verbose", "application/json"),
        ("/livez?verbose", "application/health+json"),
        ("/healthz?verbose", "application/health+json"),
        ("/healthz", "application/json"),
    ] {
        println!("{:?}", runtime.block_on(health_response(path, accept)));
    }
}

#[derive(Debug)]
struct Failed(&'static str);

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cannot use {}", self.0)
    }
}

impl std::error::Error for Failed {}

#[obs_runtime::tracked_command]
fn fail(text: &'static str) -> Result<(), Failed> {
    Err(Failed(text))
}

fn main() -> ExitCode {
    let command = Command::parse();
    let builder = Observability::builder();
    let builder = if matches!(command, Command::Sink) { builder.sink(Printed) } else { builder };
    let guard = match builder.init() {
        Ok(guard) => Some(guard),
        Err(_) if matches!(&command, Command::Obs(command) if !command.needs_init()) => None,
        Err(error) => {
            eprintln!("{error}\n{error:?}\n{error:#?}");
            return ExitCode::FAILURE;
        }
    };
    match command {
        Command::Propagation => propagation(),
        Command::Metrics => {
            record();
            let Some(guard) = &guard else { return ExitCode::FAILURE };
            guard.flush();
            println!("metrics at {}", guard.metrics_address().map(|address| address.to_string()).unwrap_or_default());
            let _ = std::io::stdin().lines().count();
        }
        Command::Queries => {
            if let Err(error) = queries() {
                eprintln!("{error}");
            }
        }
        Command::Sink => leak_the_corpus(),
        Command::Probes => probes(),
        Command::Attachments { from } => attachments(from),
        Command::Fail { sample } => {
            let text = texts().nth(sample).unwrap_or_default();
            return fail(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        Command::Obs(command) => {
            register();
            return command.run();
        }
    }
    ExitCode::SUCCESS
}
