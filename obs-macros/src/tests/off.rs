//! The feature `off`.

use super::{expand, messages, normal, shown};

#[test]
fn the_function_stays_as_it_was() {
    let item = "#[track_performance] pub async fn f(a: u8) -> u8 { a }";
    for attribute in ["tracked_command", "bq_cost", "with_error_tracking", "track_performance"] {
        assert_eq!(shown(expand(attribute, "args(a)", item)), normal(item));
    }
    for attribute in ["health_check", "dq_check"] {
        assert_eq!(shown(expand(attribute, "timeout = \"2s\"", "fn f() {}")), normal("fn f() {}"));
    }
}

#[test]
fn arguments_are_checked() {
    assert_eq!(messages("bq_cost", "nmae = 1, level = 2").len(), 2);
}
