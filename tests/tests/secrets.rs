//! Promise 6: no secret and no personal data leaves. Arguments are recorded only when named, and every sink takes what the
//! redactor left.

use std::collections::BTreeSet;

use obs_runtime::testing::capture;
use obs_runtime::{LogContext, track_performance};
use obs_tests::corpus::{self, LOOK_ALIKES, NAMED, SAMPLES};
use obs_tests::leaks::{Failed, leak_everywhere, leak_the_corpus};

#[test]
fn the_corpus_is_large_enough_to_say_something() {
    let kinds: BTreeSet<&str> = SAMPLES.iter().map(|sample| sample.kind).collect();
    assert!(SAMPLES.len() + NAMED.len() >= 75 && kinds.len() >= 20 && LOOK_ALIKES.len() >= 40, "{kinds:?}");
    // What it would find if a sink showed everything.
    for sample in SAMPLES {
        assert!(!corpus::left_in(sample.text).is_empty(), "{sample:?}");
    }
}

#[test]
fn secrets_do_not_leave_by_any_way() {
    for sample in SAMPLES {
        let captured = capture(|| leak_everywhere(sample.text));
        assert!(captured.records.errors.len() > 1 && captured.records.logs.len() > 4, "{:?}", captured.records);
        let told = format!("{:?}\n{:?}", captured.records, captured.metrics);
        assert!(told.contains("[REDACTED]"), "{sample:?}: {told}");
        corpus::assert_nothing_left(sample.kind, &told);
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
    for text in LOOK_ALIKES {
        let captured = capture(|| {
            tracing::warn!(detail = *text, "seen: {text}");
            obs_runtime::capture_error(&Failed::new(text));
            LogContext::new().user(text).field("note", (*text).to_owned()).scope(|| tracing::warn!("in a scope"));
        });
        let [line, scoped] = &captured.records.logs[..] else { panic!("{:?}", captured.records) };
        assert_eq!(line.message, format!("seen: {text}"));
        assert!(line.fields.contains(&("detail".to_owned(), (*text).to_owned())), "{line:?}");
        assert_eq!(captured.records.errors[0].failure.message, format!("cannot use {text}"));
        assert_eq!((scoped.scope.user.as_deref(), scoped.scope.fields[0].1.as_str()), (Some(*text), *text));
    }
}

#[test]
fn nothing_of_the_corpus_is_left_in_the_memory_of_a_test() {
    let captured = capture(leak_the_corpus);
    corpus::assert_nothing_left("records", &format!("{:?}", captured.records));
    corpus::assert_nothing_left("metrics", &format!("{:?}", captured.metrics));
}
