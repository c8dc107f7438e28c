//! The feature `off`.

use super::{expand, messages, normal, shown};

#[test]
fn the_function_stays_as_it_was() {
    let item = "#[track_performance] pub async fn f(a: u8) -> u8 { #![allow(unused)] a }";
    for attribute in ["tracked_command", "bq_cost", "with_error_tracking", "track_performance"] {
        assert_eq!(shown(expand(attribute, "name = \"x\"", item)), normal(item));
    }
    for attribute in ["health_check", "dq_check"] {
        assert_eq!(shown(expand(attribute, "", "fn f() {}")), normal("#[allow(dead_code)] fn f() {}"));
    }
}

#[test]
fn what_an_attribute_names_counts_as_used() {
    let args = "tags(k = a), ignore_if = fine, fallback = Ok(a)";
    let expected = "fn f(a: u8) -> R {
        if false {
            obs::described(|__entry| { __entry.tag(\"k\", match &(a) { __value => { use obs::text::*; (&&Text(__value)).text() } }); });
            obs::judged::<R>(|__value, __call| __call.judged({ use obs::judge::*; (&&Judge(__value)).error() }
                .filter(|&__value| !match fine { __path => { use obs::verdict::*; (&&&Verdict(__path, __value)).say() } })
                .map(|__error| { use obs::judge::*; (&&&&&&&Describe(__error)).describe().with_kind((&&Kind(__error)).kind()) })));
            return Ok(a);
        }
        ({ g(a) })
    }";
    let expected = normal(&expected.replace("obs::", "::obs_runtime::__private::"));
    assert_eq!(shown(expand("with_error_tracking", args, "fn f(a: u8) -> R { g(a) }")), expected);
}

#[test]
fn arguments_are_checked() {
    assert_eq!(messages("bq_cost", "nmae = 1, level = 2").len(), 2);
}
