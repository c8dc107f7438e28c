//! One label for one error: in each attribute, however it is boxed, in the log, in metrics and in Sentry's events.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use obs_runtime::bigquery::BigQueryError;
use obs_runtime::testing::capture;
use obs_runtime::{
    ErrorKind, Observability, Secret, bq_cost, capture_error, track_performance, tracked_command, with_error_tracking,
};
use obs_tests::logs::MemoryLog;
use obs_tests::servers::SentryServer;

macro_rules! errors {
    ($($(#[$attribute:meta])* $item:ident $name:ident $body:tt $(;$end:tt)? => $message:literal, $source:expr;)*) => {$(
        #[derive(Debug)]
        $(#[$attribute])*
        $item $name $body $($end)?

        impl Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($message)
            }
        }

        impl Error for $name {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                let source: fn(&Self) -> Option<&(dyn Error + 'static)> = $source;
                source(self)
            }
        }
    )*};
}

errors! {
    #[derive(ErrorKind)]
    enum Kinded { BadRow, #[allow(dead_code, reason = "has another kind")] Late } => "a row is bad", |_| None;
    #[derive(ErrorKind)]
    #[error_kind(with = label_by_status)]
    struct Answer { status: u16 } => "the server failed", |_| None;
    #[derive(ErrorKind)]
    struct NamedError { } => "it has a name", |_| None;
    // As a type of the runtime that generated code imports.
    #[derive(ErrorKind)]
    enum Describe { Shadowed } => "it is not shadowed", |_| None;
    struct Wraps { of: Kinded } => "cannot load", |error| Some(&error.of);
    struct Plain { } => "it is plain", |_| None;
    enum PlainEnum { NotThere } => "nothing is there", |_| None;
}

fn label_by_status(answer: &Answer) -> &'static str {
    if answer.status < 500 { "refused" } else { "server_failed" }
}

/// A name, and the failure of a function.
type Way = (&'static str, fn());

/// All ways of one error. Each runs in a thread of its own, so that no two are taken for one.
macro_rules! ways {
    ($module:ident: $error:ty = $make:expr) => {
        mod $module {
            use super::*;

            type Boxed = Box<dyn Error>;
            type SendBoxed = Box<dyn Error + Send + Sync>;

            fn make() -> $error {
                $make
            }

            #[with_error_tracking]
            fn direct() -> Result<(), $error> {
                Err(make())
            }
            #[with_error_tracking]
            fn boxed() -> Result<(), Boxed> {
                Err(make().into())
            }
            #[with_error_tracking]
            fn send_boxed() -> Result<(), SendBoxed> {
                Err(make().into())
            }
            #[with_error_tracking]
            fn box_of_type() -> Result<(), Box<$error>> {
                Err(Box::new(make()))
            }
            #[with_error_tracking]
            fn shared() -> Result<(), Arc<$error>> {
                Err(Arc::new(make()))
            }
            #[with_error_tracking]
            fn shared_and_hidden() -> Result<(), Arc<dyn Error + Send + Sync>> {
                Err(Arc::new(make()))
            }
            #[with_error_tracking]
            fn shared_and_boxed() -> Result<(), Boxed> {
                Err(Arc::new(make()).into())
            }
            #[with_error_tracking]
            fn leaked() -> Result<(), &'static $error> {
                Err(Box::leak(Box::new(make())))
            }
            #[with_error_tracking]
            fn by_anyhow() -> anyhow::Result<()> {
                Err(make().into())
            }
            #[with_error_tracking]
            fn by_anyhow_with_context() -> anyhow::Result<()> {
                Err(anyhow::Error::new(make()).context("loading").context("nightly"))
            }
            #[with_error_tracking]
            fn by_eyre() -> eyre::Result<()> {
                Err(eyre::Report::new(make()).wrap_err("loading"))
            }
            #[with_error_tracking]
            fn generic<E: Error>(make: fn() -> E) -> Result<(), E> {
                Err(make())
            }
            #[with_error_tracking]
            fn opaque() -> Result<(), impl Error> {
                Err(make())
            }
            #[with_error_tracking]
            async fn future() -> Result<(), SendBoxed> {
                Err(make().into())
            }
            #[tracked_command]
            fn command() -> Result<(), SendBoxed> {
                Err(make().into())
            }
            #[with_error_tracking]
            #[track_performance(level = "info")]
            fn performance() -> anyhow::Result<()> {
                Err(make().into())
            }
            #[with_error_tracking]
            #[bq_cost(level = "info")]
            fn cost() -> Result<(), $error> {
                Err(make())
            }

            pub const WAYS: [Way; 22] = [
                ("direct", || ignore(direct())),
                ("boxed", || ignore(boxed())),
                ("send_boxed", || ignore(send_boxed())),
                ("box_of_type", || ignore(box_of_type())),
                ("shared", || ignore(shared())),
                ("shared_and_hidden", || ignore(shared_and_hidden())),
                ("shared_and_boxed", || ignore(shared_and_boxed())),
                ("leaked", || ignore(leaked())),
                ("by_anyhow", || ignore(by_anyhow())),
                ("by_anyhow_with_context", || ignore(by_anyhow_with_context())),
                ("by_eyre", || ignore(by_eyre())),
                ("generic", || ignore(generic(make))),
                ("opaque", || ignore(opaque())),
                ("future", || ignore(futures_executor::block_on(future()))),
                ("command", || ignore(command())),
                ("performance", || ignore(performance())),
                ("cost", || ignore(cost())),
                ("captured", || ignore(capture_error(&make()))),
                ("captured_by_reference", || ignore(capture_error(&&make()))),
                ("captured_and_hidden", || ignore(capture_error(&make() as &dyn Error))),
                ("captured_box", || ignore(capture_error(&SendBoxed::from(make())))),
                ("captured_by_anyhow", || ignore(capture_error(&anyhow::Error::new(make()).context("loading")))),
            ];
        }
    };
}

ways!(kinded: Kinded = Kinded::BadRow);
ways!(by_function: Answer = Answer { status: 503 });
ways!(by_name: NamedError = NamedError {});
ways!(shadowed: Describe = Describe::Shadowed);
ways!(wraps: Wraps = Wraps { of: Kinded::BadRow });
ways!(wrapped_by_io: io::Error = io::Error::other(Kinded::BadRow));
ways!(plain: Plain = Plain {});
ways!(plain_enum: PlainEnum = PlainEnum::NotThere);
ways!(parse: std::num::ParseIntError = "x".parse::<u8>().unwrap_err());
ways!(input: io::Error = io::Error::from_raw_os_error(2));
ways!(format: fmt::Error = fmt::Error);
ways!(json: serde_json::Error = serde_json::from_str::<u8>("x").unwrap_err());
// Its root is a type called `Error`, with a code.
ways!(database: rusqlite::Error = rusqlite::Connection::open("/dev/null/missing").unwrap_err());
ways!(query: BigQueryError = BigQueryError::TimedOut(Duration::from_secs(3)));

const ERRORS: [(&str, [Way; 22], &str); 14] = [
    ("kinded", kinded::WAYS, "bad_row"),
    ("by_function", by_function::WAYS, "server_failed"),
    ("by_name", by_name::WAYS, "named_error"),
    ("shadowed", shadowed::WAYS, "shadowed"),
    ("wraps", wraps::WAYS, "bad_row"),
    ("wrapped_by_io", wrapped_by_io::WAYS, "bad_row"),
    ("plain", plain::WAYS, "Plain"),
    ("plain_enum", plain_enum::WAYS, "NotThere"),
    ("parse", parse::WAYS, "ParseIntError"),
    ("input", input::WAYS, "io_Error"),
    ("format", format::WAYS, "fmt_Error"),
    ("json", json::WAYS, "serde_json_Error"),
    ("database", database::WAYS, "CannotOpen"),
    ("query", query::WAYS, "bigquery_timed_out"),
];

fn ignore<T>(_: T) {}

/// How often each label occurs.
fn counted<'l>(labels: impl IntoIterator<Item = &'l str>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for label in labels {
        *counts.entry(label.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn each_error_has_one_label_however_it_comes() {
    let mut wrong = Vec::new();
    for (error, ways, label) in ERRORS {
        for (way, run) in ways {
            // Outside of any function, errors of one thread with the same message may be taken for one.
            let captured = std::thread::spawn(move || capture(run)).join().unwrap();
            let labels: Vec<_> = captured.records.errors.iter().map(|error| error.failure.error_type.clone()).collect();
            if labels != [label] {
                wrong.push(format!("{error} {way}: {labels:?} instead of {label}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_log_metrics_and_sentry_agree() {
    let (server, log) = (SentryServer::start(), MemoryLog::default());
    let guard = Observability::builder()
        .without_environment()
        .prometheus_port(0)
        .sentry_enabled(true)
        .sentry_dsn(Secret::new(server.dsn()))
        .flush_timeout(Duration::from_secs(30))
        .log_output(log.output())
        .init()
        .unwrap();
    for (_, ways, _) in ERRORS {
        for (_, run) in ways {
            std::thread::spawn(run).join().unwrap();
        }
        // The queue of events is bounded.
        obs_tests::wait::until_true("an empty queue", || obs_runtime::status().sink("sentry").unwrap().queued == 0);
    }
    let metrics = obs_runtime::metrics();
    drop(guard);
    let expected = counted(ERRORS.iter().flat_map(|(_, ways, label)| std::iter::repeat_n(*label, ways.len())));
    let lines = log.take();
    let logged = counted(lines.iter().filter_map(|line| line["error_type"].as_str()));
    assert!(logged.keys().eq(expected.keys()), "{logged:?}");
    // A command and an operation have a line of their own, besides the error's.
    assert!(logged.iter().all(|(label, count)| *count >= expected[label]), "{logged:?} instead of {expected:?}");
    let events = server.items("event");
    let reported = counted(events.iter().map(|event| event["tags"]["error_type"].as_str().unwrap()));
    assert_eq!(reported, expected, "Sentry");
    for (label, count) in &expected {
        // A command counts no `operation.error`.
        let commands = ERRORS.iter().filter(|(_, _, of)| of == label).count();
        let count = *count - u32::try_from(commands).unwrap();
        let counted = metrics.value("operation.error", &[("error_type", label)]);
        assert_eq!(counted, Some(f64::from(count)), "operation.error {label}");
    }
}

#[test]
fn what_is_no_error_is_labelled_by_its_type() {
    macro_rules! cases {
        ($($name:ident: $return:ty = $value:expr, $label:literal;)*) => {
            $({
                #[with_error_tracking]
                fn $name() -> $return {
                    $value
                }
                let captured = capture(|| ignore($name()));
                let label = &captured.records.errors[0].failure.error_type;
                assert_eq!(label, $label, stringify!($return));
                let labels = [("operation", stringify!($name)), ("error_type", $label)];
                assert_eq!(captured.metrics.value("operation.error", &labels), Some(1.0), stringify!($return));
            })*
        };
    }
    cases! {
        tuple: Result<(), (Plain, String)> = Err((Plain {}, String::new())), "Plain";
        triple: Result<(), (std::num::ParseIntError, u8, u8)> = Err(("x".parse::<u8>().unwrap_err(), 1, 2)), "ParseIntError";
        text: Result<(), String> = Err("no".to_owned()), "String";
        words: Result<(), &'static str> = Err("no"), "str";
        shown: Result<(), Box<dyn Display>> = Err(Box::new("no")), "Display";
        shown_and_sent: Result<(), Box<dyn Display + Send + Sync>> = Err(Box::new("no")), "Display";
        nothing: Result<(), ()> = Err(()), "unknown";
        list: Result<(), Vec<u8>> = Err(Vec::new()), "Vec";
        array: Result<(), [Plain; 1]> = Err([Plain {}]), "Plain";
        option: Option<u8> = None, "NoValue";
        exit: ExitCode = ExitCode::from(3), "ExitFailure";
        boxed_words: Result<(), Box<dyn Error>> = Err("no".into()), "Error";
        anyhow_words: anyhow::Result<()> = Err(anyhow::anyhow!("no")), "Error";
    }
}

#[test]
fn a_kind_that_is_no_label_becomes_one() {
    struct Odd;
    impl ErrorKind for Odd {
        fn error_kind(&self) -> &'static str {
            "7 bad, rows"
        }
    }
    #[with_error_tracking]
    fn odd() -> Result<(), Odd> {
        Err(Odd)
    }
    struct Panics;
    impl ErrorKind for Panics {
        fn error_kind(&self) -> &'static str {
            panic!("no kind")
        }
    }
    #[with_error_tracking]
    fn panics() -> Result<(), Panics> {
        Err(Panics)
    }
    let errors = capture(|| drop((odd(), panics()))).records.errors;
    // The panic is seen too, and is not the caller's.
    let labels: Vec<_> = errors.iter().map(|error| &*error.failure.error_type).collect();
    assert!(labels.contains(&"_7_bad__rows") && labels.contains(&"Panics"), "{labels:?}");
}

#[test]
fn every_function_that_an_error_passes_counts_it_by_one_label() {
    #[with_error_tracking]
    fn inner() -> Result<(), Kinded> {
        Err(Kinded::BadRow)
    }
    #[with_error_tracking]
    fn middle() -> Result<(), Wraps> {
        inner().map_err(|of| Wraps { of })
    }
    #[with_error_tracking]
    fn outer() -> anyhow::Result<()> {
        use anyhow::Context as _;
        middle().context("nightly")
    }
    let captured = capture(outer);
    assert_eq!(captured.records.errors.len(), 1, "{:?}", captured.records.errors);
    for operation in ["inner", "middle", "outer"] {
        let labels = [("operation", operation), ("error_type", "bad_row")];
        assert_eq!(captured.metrics.value("operation.error", &labels), Some(1.0), "{operation}");
    }
}
