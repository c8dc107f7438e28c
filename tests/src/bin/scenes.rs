//! Captures errors in one of several situations, by its first argument.

use std::panic::catch_unwind;

use obs_runtime::{
    Breadcrumb, ErrorCapture, Level, LogContext, Observability, User, add_breadcrumb, capture_error, track_cli_command,
    track_performance, tracked_command, with_error_tracking,
};

#[derive(Debug)]
struct Bad(&'static str);

impl std::fmt::Display for Bad {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Bad {}

#[with_error_tracking(args(depth))]
fn recursive(depth: u32) -> Result<(), Bad> {
    if depth == 3 { Err(Bad("too deep")) } else { recursive(depth + 1) }
}

#[with_error_tracking(
    tags(a_name_that_is_longer_than_sentry_allows_one = 1, a_name_that_is_longer_than_sentry_allows_two = 2),
    owner = "growth",
    runbook = "https://wiki.example/tagged"
)]
fn tagged() -> Result<(), Bad> {
    Err(Bad("tagged"))
}

#[with_error_tracking(args(text))]
fn large(text: &str) -> Result<(), Bad> {
    Err(Bad("large"))
}

#[with_error_tracking(fingerprint("billing", table))]
fn grouped(table: &str) -> Result<(), Bad> {
    Err(Bad("grouped"))
}

#[with_error_tracking(fingerprint("{{ default }}", std::process::id() / u32::MAX))]
fn grouped_further() -> Result<(), Bad> {
    Err(Bad("grouped"))
}

#[with_error_tracking]
fn storm(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

fn by_builder() {
    let error = Bad("by builder");
    let capture = ErrorCapture::new(&error).level(Level::Warning).tag("feed", "users").field("row", 17);
    let rows = "17,x\npassword=hunter2\n";
    capture.fingerprint(["bad row", "users"]).attachment("rows.csv", rows).send();
    let _ = grouped("orders");
    let _ = grouped_further();
    LogContext::new().tag("tenant", "acme").level(Level::Info).scope(|| capture_error(&Bad("of a tenant")));
}

#[with_error_tracking]
fn panics_inside(row: u32) -> Result<(), Bad> {
    panic!("no row {row}")
}

#[track_performance]
fn measured(row: u32) -> u32 {
    assert!(row == 0, "no rows");
    row
}

#[tracked_command]
async fn panics_later() {
    tokio::task::yield_now().await;
    panic!("no more rows");
}

/// The hook that the program sets after obs was initialised does not call the one of obs.
fn late_hook() -> std::io::Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    let _ = catch_unwind(|| drop(track_cli_command("late", || panics_inside(7))));
    let _ = catch_unwind(|| measured(1));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let _ = catch_unwind(|| runtime.block_on(panics_later()));
    Ok(())
}

#[with_error_tracking]
fn logged_and_returned() -> Result<(), Bad> {
    let error = Bad("logged and returned");
    tracing::error!(error = &error as &dyn std::error::Error, "cannot load");
    Err(error)
}

#[with_error_tracking]
fn handled() {
    if let Err(error) = tagged() {
        log::error!("cannot load: {error}");
    }
}

fn logs() {
    tracing::error!("the feed of 2026-11-26 is empty");
    tracing::warn!("no event");
    log::error!("by log");
    let error = std::io::Error::other(Bad("the source"));
    tracing::error!(error = &error as &dyn std::error::Error, "cannot open");
    let _ = logged_and_returned();
    handled();
}

fn storms() {
    for number in 0..999 {
        let _ = storm(&format!("connection reset by peer {number}"));
    }
    let _ = storm("ledger out of balance");
}

#[derive(Debug)]
struct Ignored;
impl std::fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("expected")
    }
}
impl std::error::Error for Ignored {}

fn hooks() -> Result<(), obs_runtime::InitError> {
    let builder = Observability::builder().ignore_errors(["Ignored"]).max_breadcrumbs(3);
    let _guard =
        builder.before_breadcrumb(|crumb| (crumb.message.as_deref() != Some("secret plan")).then_some(crumb)).init()?;
    for message in ["first", "second", "third", "secret plan"] {
        add_breadcrumb(message);
    }
    capture_error(&Ignored);
    capture_error(&Bad("not ignored"));
    Ok(())
}

fn users() {
    for user in [User::new("ada@example.com"), User::new("bob@example.com"), User::new("ada@example.com")] {
        LogContext::new().user(user).scope(|| capture_error(&Bad("of a user")));
    }
    let asked_for = User::new("1815").name("Ada").email("ada@example.com").ip_address("203.0.113.7");
    LogContext::new().user(asked_for).scope(|| capture_error(&Bad("of a known user")));
}

fn breadcrumbs() {
    LogContext::new().correlation_id("run-1").scope(|| add_breadcrumb("of another run"));
    add_breadcrumb("of no run");
    capture_error(&Bad("of no run"));
    LogContext::new().correlation_id("run-1").scope(|| capture_error(&Bad("of that run")));
}

fn large_event() {
    for number in 0..100 {
        let crumb = Breadcrumb::new(format!("{number} {}", "m".repeat(1000)));
        add_breadcrumb((0..12).fold(crumb, |crumb, field| crumb.field(format!("f{field}"), "v".repeat(1000))));
    }
    let _ = large(&"a".repeat(900));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scene = std::env::args().nth(1).unwrap_or_default();
    if scene == "hooks" {
        return Ok(hooks()?);
    }
    let _guard = if scene == "init" { obs_runtime::init!()? } else { Observability::builder().init()? };
    match &*scene {
        "users" => users(),
        "recursion" => drop(recursive(0)),
        "tags" => drop(tagged()),
        "breadcrumbs" => breadcrumbs(),
        "large" => large_event(),
        "by-hand" | "init" => {
            capture_error(&Bad("by hand"));
        }
        "builder" => by_builder(),
        "late-hook" => late_hook()?,
        "logs" => logs(),
        "storm" => storms(),
        "many" => (0..20).for_each(|_| {
            capture_error(&Bad("one of many"));
        }),
        other => return Err(format!("unknown scene: {other}").into()),
    }
    Ok(())
}
