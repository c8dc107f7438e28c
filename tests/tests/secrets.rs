//! Promise 6: no secret and no personal data leaves. Arguments are recorded only when named, and every sink takes what the
//! redactor left.

use obs_runtime::testing::{Captured, capture};
use obs_runtime::{LogContext, track_feature, track_performance, tracked_command, with_error_tracking};

/// Each by another rule.
const SECRETS: &[&str] = &[
    "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "xoxb-123456789012-1234567890123-abcdefghijklmnopqrstuvwx",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "ada.lovelace@example.com",
    "4111 1111 1111 1111",
    "postgres://ada:hunter2pass@db.example/users",
];

/// What stays of a secret that is only partly one.
fn telling_part(secret: &str) -> &str {
    if secret.contains("hunter2pass") { "hunter2pass" } else { secret }
}

#[derive(Debug)]
struct Failed(String, Option<Box<Failed>>);

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cannot use {}", self.0)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[tracked_command(user = text, args(text, note = format!("using {text}")))]
#[with_error_tracking(context(place = text))]
#[track_performance(tags(kind = text))]
fn everywhere(text: &str) -> Result<(), Failed> {
    tracing::warn!(detail = text, "seen: {text}");
    track_feature(text.to_owned());
    Err(Failed(text.to_owned(), Some(Box::new(Failed(text.to_owned(), None)))))
}

#[track_performance]
fn panics(text: &str) {
    panic!("cannot use {text}");
}

fn assert_gone<R: std::fmt::Debug>(captured: &Captured<R>, secret: &str) {
    let told = format!("{:?} {:?}", captured.records, captured.metrics);
    assert!(!told.contains(telling_part(secret)), "{secret} left: {told}");
    assert!(told.contains("[REDACTED]"), "{secret}: {told}");
}

#[test]
fn secrets_do_not_leave_by_any_way() {
    for secret in SECRETS {
        let captured = capture(|| LogContext::new().correlation_id(secret).scope(|| everywhere(secret).is_err()));
        assert!(captured.value && captured.records.errors.len() == 1);
        assert_gone(&captured, secret);
        let panicked = capture(|| std::panic::catch_unwind(|| panics(secret)).is_err());
        assert_gone(&panicked, secret);
    }
}

#[test]
fn nothing_is_recorded_that_is_not_named() {
    #[track_performance]
    fn quiet(first: &str, second: u64) -> usize {
        first.len() + usize::try_from(second).unwrap_or_default()
    }
    let captured = capture(|| quiet("a first argument", 987_654_321));
    let told = format!("{:?} {:?}", captured.records, captured.metrics);
    assert!(!told.contains("a first argument") && !told.contains("987654321"), "{told}");
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for text in [
        "0191f3a2-7b1c-7c4e-9a55-0123456789ab",
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "bquxjob_5f2c1d3e_18f0a1b2c3d",
        "2026-11-24T03:04:00Z",
        "12345678901234567890",
        "/var/lib/obs/budgets.sqlite",
        "bigquery-public-data.samples.shakespeare",
    ] {
        let captured = capture(|| everywhere(text).is_err());
        assert_eq!(captured.records.logs[0].message, format!("seen: {text}"));
        assert_eq!(captured.records.errors[0].failure.message, format!("cannot use {text}"));
    }
}
