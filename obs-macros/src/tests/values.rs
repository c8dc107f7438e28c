//! What a value may be.

use super::{accepted, message, messages};

#[test]
fn text_is_quoted_and_not_empty() {
    assert_eq!(message("bq_cost", "name = \"\""), "`name` is empty: `name = \"…\"`");
    assert_eq!(message("bq_cost", "name = \"  \""), "`name` is empty: `name = \"…\"`");
    assert_eq!(message("bq_cost", "name = 3"), "`name` needs a string literal: `name = \"…\"`");
    assert_eq!(
        message("bq_cost", "query_type = select"),
        "`query_type` needs a string literal: `query_type = \"select\"`"
    );
    assert_eq!(message("bq_cost", "query_type = \"\""), "`query_type` is empty: `query_type = \"select\"`");
    assert_eq!(message("dq_check", "dataset = \"\""), "`dataset` is empty: `dataset = \"…\"`");
    assert_eq!(message("bq_cost", "budget = \" \""), "`budget` is empty: `budget = \"name\"`");
    assert_eq!(
        message("dq_check", "runbook = \"wiki/nulls\""),
        "`runbook` needs the address of a page: `runbook = \"https://…\"`",
    );
    assert_eq!(
        message("dq_check", "owner = 3"),
        "`owner` needs a string literal or the path of a `&'static str` constant: `owner = \"…\"`",
    );
}

#[test]
fn a_level_is_one_of_six() {
    let allowed = "allowed: \"trace\", \"debug\", \"info\", \"warning\" or \"warn\", \"error\", \"critical\"";
    let level = |value: &str| message("bq_cost", &format!("level = {value}"));
    assert_eq!(level("\"inof\""), format!("unknown `level` \"inof\", did you mean \"info\"? {allowed}"));
    for accepted_word in ["warn", "WARN", "Warning", "INFO", "critical"] {
        accepted("bq_cost", &format!("level = \"{accepted_word}\""));
    }
    assert_eq!(level("\"loud\""), format!("unknown `level` \"loud\"; {allowed}"));
    assert_eq!(
        level("Info"),
        "`level` needs one of \"trace\", \"debug\", \"info\", \"warning\" or \"warn\", \"error\", \"critical\": `level = \"info\"`",
    );
}

#[test]
fn a_severity_is_one_that_the_attribute_knows() {
    assert_eq!(
        message("with_error_tracking", "severity = \"wraning\""),
        "unknown `severity` \"wraning\", did you mean \"warning\"? \
         allowed: \"info\", \"warning\" or \"warn\", \"error\", \"critical\"",
    );
    assert_eq!(
        message("dq_check", "severity = \"error\""),
        "unknown `severity` \"error\"; allowed: \"info\", \"warning\" or \"warn\", \"critical\"",
    );
    accepted("with_error_tracking", "severity = \"warn\"");
    accepted("dq_check", "severity = \"WARN\"");
}

#[test]
fn a_partition_is_an_hour_a_day_or_a_month() {
    accepted("dq_check", "partition = Day");
    for wrong in ["partition = Week", "partition = \"day\"", "partition = a::Day"] {
        let told = message("dq_check", wrong);
        assert!(told.contains("one of `Hour`, `Day` and `Month`"), "{wrong}: {told}");
    }
}

#[test]
fn a_duration_has_a_number_and_a_unit() {
    let allowed = "allowed: whole numbers with `ms`, `s`, `m` or `h`, as \"500ms\", \"2s\" or \"1m 30s\"";
    let timeout = |value: &str| message("health_check", &format!("timeout = {value}"));
    assert_eq!(
        timeout("\"5 minuts\""),
        format!("`timeout`: unknown unit \"minuts\" in \"5 minuts\", did you mean \"minutes\"? {allowed}"),
    );
    assert_eq!(timeout("\"5 x\""), format!("`timeout`: unknown unit \"x\" in \"5 x\"; {allowed}"));
    assert_eq!(timeout("\"5\""), format!("`timeout`: \"5\" is not a duration; {allowed}"));
    assert_eq!(timeout("\"s\""), format!("`timeout`: \"s\" is not a duration; {allowed}"));
    assert_eq!(timeout("\"0s\""), format!("`timeout`: \"0s\" is zero; {allowed}"));
    assert_eq!(timeout("\"\""), format!("`timeout`: \"\" is zero; {allowed}"));
    assert_eq!(timeout("\"99999999999999999999h\""), "`timeout`: \"99999999999999999999h\" is too long");
    assert_eq!(timeout("\"9999999999999999h\""), "`timeout`: \"9999999999999999h\" is too long");
    assert_eq!(timeout("2"), "`timeout` needs a duration in quotes: `timeout = \"2s\"`");
    for fine in ["500ms", "2s", "2 seconds", "1m30s", "1m 30s", "3 minutes", "1 hour"] {
        accepted("health_check", &format!("timeout = \"{fine}\""));
    }
}

#[test]
fn an_amount_is_a_number_that_is_not_below_zero() {
    let amount = |value: &str| message("bq_cost", &format!("alert_over_usd = {value}"));
    assert_eq!(amount("-1"), "`alert_over_usd` is below zero: `alert_over_usd = 5.0`");
    assert_eq!(amount("\"5\""), "`alert_over_usd` needs a number: `alert_over_usd = 5.0`");
    assert_eq!(amount("f64::NAN"), "`alert_over_usd` needs a number: `alert_over_usd = 5.0`");
    assert_eq!(amount("1e999"), "`alert_over_usd` is too large a number");
    accepted("bq_cost", "alert_over_usd = 0");
    let bytes = |value: &str| message("bq_cost", &format!("max_bytes = {value}"));
    assert_eq!(bytes("5"), "`max_bytes` needs a number of bytes in quotes: `max_bytes = \"1 TiB\"`");
    assert!(bytes("\"1 TB\u{0}\"").contains("unknown unit"));
    accepted("bq_cost", "max_bytes = \"1.5 GiB\"");
    accepted("bq_cost", "alert_over_usd = 0.5_f64");
    accepted("bq_cost", "alert_over_usd = -0.0");
}

#[test]
fn a_boolean_is_true_or_false() {
    assert_eq!(message("health_check", "critical = \"no\""), "`critical` needs `true` or `false`: `critical = false`");
}

#[test]
fn a_function_is_given_by_its_path() {
    for key in ["ok_if", "error_if"] {
        assert_eq!(
            message("bq_cost", &format!("{key} = |value| true")),
            format!("`{key}` needs the path of a function: `{key} = path`"),
        );
    }
    assert_eq!(
        message("with_error_tracking", "ignore_if = \"is_duplicate\""),
        "`ignore_if` needs the path of a function: `ignore_if = path`",
    );
    assert_eq!(message("bq_cost", "ok_if = a, error_if = b"), "`ok_if` and `error_if` cannot be combined; remove one",);
}

#[test]
fn the_path_of_the_runtime_is_absolute() {
    assert_eq!(
        message("bq_cost", "crate = facade::obs"),
        "`crate` needs an absolute path: `::facade::obs` when that is a crate, or one that begins with `crate::`",
    );
    assert_eq!(message("bq_cost", "crate = \"obs\""), "`crate` needs a path: `crate = ::path`");
    assert_eq!(
        message("bq_cost", "crate = ::obs::<u8>"),
        "`crate` needs a path without generic arguments: `crate = ::path`"
    );
}

#[test]
fn limits_of_rows_shares_and_ages_are_ones() {
    let wrong = |arguments: &str| message("dq_check", arguments);
    assert_eq!(wrong("fail_rows = 0"), "`fail_rows` needs a whole number, 1 or more: `fail_rows = 100`");
    let share = "`fail_share` needs a share of the rows above 0 and at most \"100%\": `fail_share = \"5%\"`";
    assert_eq!([wrong("fail_share = 0"), wrong("fail_share = 5"), wrong("fail_share = \"101%\"")], [share; 3]);
    assert!(wrong("fail_older_than = 3").starts_with("`fail_older_than` needs a duration in quotes"));
    assert!(wrong("fail_in_future = 3").starts_with("`fail_in_future` needs `true`, or a duration in quotes"));
    accepted("dq_check", "fail_in_future = false, between = ..=3, warn_share = MOST, bounds = crate::like_yesterday");
    let range = "`between` needs a range whose ends belong to it: `1..=5`, `1..` or `..=5`: `between = 900..=1100`";
    assert_eq!([wrong("between = 1..5"), wrong("between = 3"), wrong("between = ..")], [range; 3]);
    assert_eq!(wrong("between = 1..=5, fail_above = 7"), "`between` sets `fail_above` too; remove one");
    assert_eq!(wrong("between = 5..=1"), "`fail_below` (5) is greater than `fail_above` (1), so every value fails");
    assert_eq!(
        wrong("warn_rows = 5, fail_rows = 5"),
        "`warn_rows` is not below `fail_rows`, so no value can warn without failing"
    );
}

#[test]
fn thresholds_do_not_contradict_each_other() {
    assert_eq!(
        message("dq_check", "warn_above = 3, fail_above = 1.5"),
        "`warn_above` (3) is greater than `fail_above` (1.5), so no value can warn without failing",
    );
    assert_eq!(
        message("dq_check", "warn_below = -3, fail_below = -1"),
        "`fail_below` (-1) is greater than `warn_below` (-3), so no value can warn without failing",
    );
    assert_eq!(
        message("dq_check", "fail_below = 10, fail_above = 5"),
        "`fail_below` (10) is greater than `fail_above` (5), so every value fails",
    );
    assert_eq!(
        message("dq_check", "warn_below = 10, warn_above = 5"),
        "`warn_below` (10) is greater than `warn_above` (5), so every value warns or fails",
    );
    assert_eq!(
        message("dq_check", "warn_below = 10, fail_above = 5"),
        "`warn_below` (10) is greater than `fail_above` (5), so every value warns or fails",
    );
    assert_eq!(messages("dq_check", "warn_above = 2, fail_above = 1, warn_below = 1, fail_below = 2").len(), 2);
    assert_eq!(
        message("dq_check", "fail_below = \"1\""),
        "`fail_below` needs a number, a percentage as \"5%\", a duration as \"6h\", or the path of a constant: `fail_below = 1`"
    );
    accepted("dq_check", "warn_above = 1, fail_above = 1, warn_below = 1, fail_below = 1");
    assert_eq!(
        message("dq_check", "warn_above = \"5%\", fail_above = 0.01"),
        "`warn_above` (0.05) is greater than `fail_above` (0.01), so no value can warn without failing",
    );
    assert_eq!(
        message("dq_check", "warn_above = \"2h\", fail_above = \"1h 30m\""),
        "`warn_above` (7200) is greater than `fail_above` (5400), so no value can warn without failing",
    );
    accepted("dq_check", "warn_above = \"0.5 %\", fail_above = limits::MOST");
}

#[test]
fn a_threshold_that_never_applies_is_refused_where_the_type_tells() {
    let on = |args: &str, output: &str| {
        super::messages_in(super::expand("dq_check", args, &format!("fn f() -> {output} {{ x() }}")))
    };
    for output in ["f64", "u8", "Result<Measured, E>", "anyhow::Result<i64>", "Option<usize>", "tables::Measured"] {
        assert_eq!(on("", output).len(), 1, "{output}");
        assert_eq!(on("severity = \"info\"", output).len() + on("warn_above = 3", output).len(), 0, "{output}");
    }
    for output in ["bool", "Result<Verdict, E>"] {
        assert_eq!(on("", output), Vec::<String>::new());
        assert_eq!(on("warn_above = 3, fail_above = 4", output).len(), 2);
    }
    assert_eq!(
        on("fail_share = 0.5", "u64"),
        ["`fail_share` never applies: the function returns a `u64`, not a share"]
    );
    assert_eq!(on("fail_in_future = true", "u64"), ["`fail_in_future` never applies: no `u64` is below 0"]);
    assert_eq!(on("fail_rows = 3", "bool"), ["`fail_rows` never applies: the function returns a `bool`, not a number"]);
    assert_eq!(on("bounds = path", "u64"), Vec::<String>::new());
    assert_eq!(on("fail_below = 0", "u64"), ["`fail_below` never applies: no `u64` is below 0"]);
    assert_eq!(on("fail_below = 0", "i64"), Vec::<String>::new());
    for severity in ["info", "warning"] {
        assert_eq!(on(&format!("blocking = true, severity = \"{severity}\""), "bool").len(), 1);
    }
}

#[test]
fn fragments_of_macro_rules_are_values_like_any() {
    // An invisible group around `-3`, as `$threshold:expr` leaves it.
    let group = |text: &str| {
        proc_macro2::TokenTree::Group(proc_macro2::Group::new(proc_macro2::Delimiter::None, super::tokens(text)))
    };
    let (text, number) = (group("\"a name\""), group("-3"));
    let args = quote::quote!(name = #text, warn_below = #number);
    let item = super::tokens("fn check() -> f64 { 0.5 }");
    let expansion = crate::driver::expand(crate::grammar::vocabulary::Attribute::DqCheck, &args, item);
    assert_eq!(super::messages_in(expansion), Vec::<String>::new());
}
