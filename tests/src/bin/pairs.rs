//! Reports pairs of errors, panics and messages that are one bug or two. The tags `pair`, `side` and `one` say which.

use std::io;
use std::panic::catch_unwind;

use obs_runtime::{
    ErrorCapture, ErrorKind, Level, LogContext, Observability, capture_error, capture_message, tracked_command,
    with_error_tracking,
};

macro_rules! errors {
    ($($name:ident($of:ty) = $words:literal;)*) => {$(
        #[derive(Debug)]
        struct $name($of);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, $words, self.0)
            }
        }

        impl std::error::Error for $name {}
    )*};
}

errors! {
    BadRow(u32) = "row {} is bad";
    NoTable(&'static str) = "no table {:?}";
}

#[derive(Debug, ErrorKind)]
enum LoadError {
    TimedOut(u32),
    Refused,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut(seconds) => write!(formatter, "the load ended after {seconds} s"),
            Self::Refused => formatter.write_str("the load was refused"),
        }
    }
}

impl std::error::Error for LoadError {}

#[derive(Debug)]
struct Wrapped(io::Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("cannot read the feed")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

mod users {
    #[obs_runtime::with_error_tracking]
    pub fn sync() -> Result<(), super::BadRow> {
        Err(super::BadRow(1))
    }
}

mod orders {
    #[obs_runtime::with_error_tracking]
    pub fn sync() -> Result<(), super::BadRow> {
        Err(super::BadRow(1))
    }
}

#[with_error_tracking]
fn row(number: u32) -> Result<(), BadRow> {
    Err(BadRow(number))
}

#[with_error_tracking]
fn table(name: &'static str) -> Result<(), NoTable> {
    Err(NoTable(name))
}

#[with_error_tracking]
fn kind(error: LoadError) -> Result<(), LoadError> {
    Err(error)
}

#[with_error_tracking]
fn boxed(error: LoadError) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err(error.into())
}

#[with_error_tracking]
fn text(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

#[with_error_tracking]
fn other_text(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

#[with_error_tracking]
fn system(code: i32) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(code))
}

#[with_error_tracking]
fn wrapped(code: i32) -> Result<(), Wrapped> {
    Err(Wrapped(io::Error::from_raw_os_error(code)))
}

#[with_error_tracking]
fn parsed(digits: &str) -> Result<u32, std::num::ParseIntError> {
    digits.parse()
}

#[with_error_tracking(fingerprint("billing"))]
fn grouped(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

#[with_error_tracking(fingerprint("{{ default }}", tenant))]
fn for_tenant(tenant: &str) -> Result<(), BadRow> {
    Err(BadRow(1))
}

#[tracked_command]
fn job_a(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

#[tracked_command]
fn job_b(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

fn panics(rows: usize) {
    assert!(rows == 0, "no row {rows}");
    panic!("no rows");
}

#[with_error_tracking]
fn panics_here(rows: usize) {
    panics(rows);
}

#[with_error_tracking]
fn panics_there(rows: usize) {
    panics(rows);
}

fn out_of_bounds(index: usize) {
    let rows: Vec<u8> = Vec::new();
    println!("{}", rows[index]);
}

fn unwraps(digits: &str) {
    println!("{}", digits.parse::<u32>().unwrap());
}

fn ignore<T>(_: T) {}

fn warn(message: &'static str) {
    capture_message(Level::Warning, message);
}

fn by_call(number: u32) {
    capture_error(&BadRow(number));
}

fn by_builder(part: &str) {
    let _ = ErrorCapture::new(&BadRow(1)).fingerprint(["row".to_owned(), part.to_owned()]).send();
}

// The same code at two lines, as before and after an edit above it.

fn before_an_edit(kind: &str) {
    #[with_error_tracking]
    fn edited() -> Result<(), BadRow> {
        Err(BadRow(1))
    }
    #[tracked_command]
    fn edited_job() -> Result<(), String> {
        Err("no feed".to_owned())
    }
    match kind {
        "error" => ignore(edited()),
        "command" => ignore(edited_job()),
        "capture" => ignore(capture_error(&BadRow(1))),
        "message" => ignore(capture_message(Level::Warning, "an edited feed is empty")),
        _ => panic!("an edited feed is broken"),
    }
}

fn after_an_edit(kind: &str) {
    #[with_error_tracking]
    fn edited() -> Result<(), BadRow> {
        Err(BadRow(1))
    }
    #[tracked_command]
    fn edited_job() -> Result<(), String> {
        Err("no feed".to_owned())
    }
    match kind {
        "error" => ignore(edited()),
        "command" => ignore(edited_job()),
        "capture" => ignore(capture_error(&BadRow(1))),
        "message" => ignore(capture_message(Level::Warning, "an edited feed is empty")),
        _ => panic!("an edited feed is broken"),
    }
}

type Pair = (&'static str, fn(), fn(), bool);

const PAIRS: [Pair; 40] = [
    ("two functions of one name", || ignore(users::sync()), || ignore(orders::sync()), false),
    ("one error of two rows", || ignore(row(7)), || ignore(row(8)), true),
    ("one error of two tables", || ignore(table("users")), || ignore(table("orders")), true),
    ("one error in two functions", || ignore(row(7)), || ignore(users::sync()), false),
    ("two kinds", || ignore(kind(LoadError::TimedOut(3))), || ignore(kind(LoadError::Refused)), false),
    ("one kind of two numbers", || ignore(kind(LoadError::TimedOut(3))), || ignore(kind(LoadError::TimedOut(9))), true),
    ("two kinds in a box", || ignore(boxed(LoadError::TimedOut(3))), || ignore(boxed(LoadError::Refused)), false),
    ("one kind in a box", || ignore(boxed(LoadError::TimedOut(3))), || ignore(boxed(LoadError::TimedOut(4))), true),
    ("two texts", || ignore(text("no disk")), || ignore(text("no memory")), false),
    ("two ids", || ignore(text("no job a1")), || ignore(text("no job b2")), true),
    ("two quoted names", || ignore(text("no table 'users'")), || ignore(text("no table 'orders'")), true),
    (
        "two paths",
        || ignore(text("cannot open /data/a.csv: denied")),
        || ignore(text("cannot open /b.csv: denied")),
        true,
    ),
    (
        "two URLs",
        || ignore(text("GET https://a.example/x: 503")),
        || ignore(text("GET https://b.example/y: 503")),
        true,
    ),
    ("two dates", || ignore(text("feed of 2026-11-26 is late")), || ignore(text("feed of 2026-11-27 is late")), true),
    ("one text of two functions", || ignore(text("no disk")), || ignore(other_text("no disk")), false),
    ("two system errors", || ignore(system(2)), || ignore(system(5)), false),
    ("one system error", || ignore(system(2)), || ignore(system(2)), true),
    ("two system errors behind one", || ignore(wrapped(2)), || ignore(wrapped(5)), false),
    ("one system error behind one", || ignore(wrapped(2)), || ignore(wrapped(2)), true),
    ("one error of parsing", || ignore(parsed("x")), || ignore(parsed("y")), true),
    ("its own group", || ignore(grouped("no disk")), || ignore(grouped("no memory")), true),
    ("two tenants", || ignore(for_tenant("acme")), || ignore(for_tenant("globex")), false),
    ("one text of two commands", || ignore(job_a("no disk")), || ignore(job_b("no disk")), false),
    ("two ids of one command", || ignore(job_a("no job a1")), || ignore(job_a("no job b2")), true),
    ("one panic of two rows", || panics_here(1), || panics_here(2), true),
    ("one panic in two operations", || panics_here(1), || panics_there(1), true),
    ("two panics of one function", || panics_here(1), || panics_here(0), false),
    ("one index out of bounds", || out_of_bounds(3), || out_of_bounds(4), true),
    ("two panics of two functions", || out_of_bounds(3), || unwraps("x"), false),
    ("one message with two numbers", || warn("feed 1 is empty"), || warn("feed 2 is empty"), true),
    ("two messages", || warn("feed 1 is empty"), || warn("feed 1 is late"), false),
    ("one error captured by a call", || by_call(1), || by_call(2), true),
    ("two groups of the builder", || by_builder("a"), || by_builder("b"), false),
    ("one group of the builder", || by_builder("a"), || by_builder("a"), true),
    ("one error after an edit above", || before_an_edit("error"), || after_an_edit("error"), true),
    ("one command after an edit above", || before_an_edit("command"), || after_an_edit("command"), true),
    ("one capture after an edit above", || before_an_edit("capture"), || after_an_edit("capture"), true),
    ("one message after an edit above", || before_an_edit("message"), || after_an_edit("message"), true),
    ("one panic after an edit above", || before_an_edit("panic"), || after_an_edit("panic"), true),
    ("an error and a capture of it elsewhere", || before_an_edit("error"), || after_an_edit("capture"), false),
];

fn main() -> Result<(), obs_runtime::InitError> {
    let _guard = Observability::builder().init()?;
    for (index, (name, first, second, is_one)) in PAIRS.into_iter().enumerate() {
        for (side, run) in [("first", first), ("second", second)] {
            let scope = LogContext::new().tag("pair", format!("{index}: {name}")).tag("side", side).tag("one", is_one);
            // In a thread of its own, so that no two errors are taken for one.
            let thread = std::thread::spawn(move || scope.scope(|| ignore(catch_unwind(run))));
            ignore(thread.join());
        }
    }
    Ok(())
}
