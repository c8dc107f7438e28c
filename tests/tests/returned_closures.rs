//! Functions that return closures run as the bare function does, inside of the command, the scope of errors or of cost.

use obs_runtime::testing::{Captured, capture};
use obs_runtime::{
    Outcome, QueryStatistics, bq_cost, correlation_id, track_cost, track_performance, tracked_command,
    with_error_tracking,
};

type Id = Option<String>;

#[tracked_command(user = "ada", args(n))]
fn command(n: usize) -> impl for<'a> Fn(&'a str) -> (&'a str, Id) {
    let id = correlation_id();
    move |text| (text.get(n..).unwrap_or_default(), id.clone())
}

#[tracked_command]
fn pair() -> (impl Fn(&str) -> Id, impl Fn(&str) -> usize) {
    let id = correlation_id();
    (move |_| id.clone(), |text| text.len())
}

#[tracked_command]
fn outer() -> impl Fn(&str) -> (Id, bool) {
    let (inner, _) = pair();
    let own = correlation_id();
    move |text| (inner(text), inner(text) == own)
}

#[tracked_command]
fn panics() -> impl Fn(&str) -> usize {
    assert!(correlation_id().is_none(), "no closure");
    |text| text.len()
}

fn outcomes<T>(captured: &Captured<T>) -> Vec<Outcome> {
    captured.records.calls.iter().map(|call| call.outcome).collect()
}

#[test]
fn they_are_commands() {
    let captured = capture(|| {
        let returned = command(1);
        (returned("abc").1, correlation_id())
    });
    assert!(captured.value.0.is_some() && captured.value.1.is_none(), "{captured:?}");
    assert_eq!(outcomes(&captured), [Outcome::Ok]);
    let [call] = &*captured.records.calls else { panic!("{captured:?}") };
    assert_eq!((&call.scope.correlation_id, call.scope.user.as_deref()), (&captured.value.0, Some("ada")));

    let captured = capture(|| outer()("x"));
    assert!(captured.value.0.is_some() && captured.value.1, "one correlation id: {captured:?}");
    assert_eq!(outcomes(&captured), [Outcome::Ok; 2]);
}

#[test]
fn a_panic_ends_the_command() {
    let captured = capture(|| std::panic::catch_unwind(|| panics()("x")).is_err());
    assert!(captured.value);
    assert_eq!(outcomes(&captured), [Outcome::Panic]);
}

#[test]
fn what_their_bodies_do_belongs_to_them() {
    #[with_error_tracking]
    fn fails() -> Result<u8, std::fmt::Error> {
        Err(std::fmt::Error)
    }
    #[with_error_tracking]
    #[track_performance]
    fn handles() -> impl for<'a> Fn(&'a str) -> &'a str {
        let failed = fails().is_err();
        move |text| if failed { text } else { "" }
    }
    let captured = capture(|| handles()("x").to_owned());
    assert_eq!(captured.value, "x");
    let errors: Vec<_> = captured.records.errors.iter().map(|error| &*error.operation).collect();
    assert_eq!(errors, ["fails"]);
}

#[test]
fn what_their_bodies_query_is_in_their_scope() {
    #[bq_cost(query_type = "load")]
    fn queries() -> impl Fn(&str) -> usize {
        track_cost(&QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() });
        |text| text.len()
    }
    let captured = capture(|| queries()("x"));
    assert_eq!(captured.value, 1);
    let operations: Vec<_> = captured.records.prices.iter().map(|(operation, ..)| &**operation).collect();
    assert_eq!(operations, ["queries"]);
}
