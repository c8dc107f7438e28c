//! The grammar that the attributes share: accepted forms, then wrong uses.

use obs_runtime::{dq_check, health_check, track_performance, with_error_tracking};

const NUMBER: u8 = 1;

#[health_check]
#[dq_check]
fn two_checks() -> bool {
    true
}

#[track_performance(tags(r#type = 1,), args(),)]
fn raw_names_and_commas() {}

#[with_error_tracking(fallback = return Some(name))]
fn fallback_that_returns(name: String) -> Option<String> {
    name.strip_prefix("x").map(str::to_owned)
}

#[track_performance("name")]
fn text_without_a_key() {}

#[track_performance(name: "x")]
fn colon() {}

#[track_performance(name == "x")]
fn two_equals_signs() {}

#[track_performance(name =)]
fn half_typed() {}

#[track_performance(tags(k =), args(a = , b))]
fn half_typed_lists(a: u8, b: u8) {
    let _ = (a, b);
}

#[track_performance(name = "x" tags(a = 1))]
fn no_comma() {}

#[track_performance(, name = "x")]
fn comma_first() {}

#[track_performance(tags(a = 1,, b = 2))]
fn two_commas() {}

#[track_performance(tags[a = 1])]
fn brackets() {}

#[track_performance(args { a })]
fn braces(a: u8) {
    let _ = a;
}

#[track_performance(tags("a" = 1))]
fn name_in_quotes() {}

#[track_performance(args(a.b))]
fn field_without_a_name(a: (u8, u8)) {
    let _ = a;
}

#[track_performance(name = concat!("a", "b"))]
fn macro_for_a_name() {}

#[track_performance(name = b"x")]
fn bytes_for_a_name() {}

#[track_performance(level = "warnin")]
fn beginning_of_a_word() {}

#[with_error_tracking(severity = "err")]
fn beginning_of_another() {}

#[with_error_tracking(ignore_if = true)]
fn truth_for_a_path() {}

#[health_check(timeout = 5)]
fn number_for_a_duration() {}

#[health_check(timeout = "1 day")]
fn unit_too_long() {}

#[dq_check(fail_above = NUMBER)]
fn constant_for_a_number() -> bool {
    true
}

fn main() {
    text_without_a_key();
    colon();
    half_typed();
    half_typed_lists(1, 2);
    two_equals_signs();
    no_comma();
    comma_first();
    two_commas();
    brackets();
    braces(1);
    raw_names_and_commas();
    let _ = (two_checks(), fallback_that_returns(String::new()));
}
