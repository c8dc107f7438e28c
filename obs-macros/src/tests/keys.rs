//! Keys, and the grammar that they stand in.

use super::{accepted, message, messages};

const TRACK: &str = "`#[track_performance]` takes `name`, `tags`, `args`, `ok_if`, `error_if`, `level`, `crate`, \
                     `owner`, `runbook`, `slo` and `slo_latency`";

#[test]
fn an_unknown_key_names_the_nearest_and_all_allowed() {
    assert_eq!(
        message("track_performance", "nmae = \"x\""),
        format!("unknown key `nmae`, did you mean `name`? {TRACK}")
    );
    assert_eq!(message("track_performance", "colour = \"x\""), format!("unknown key `colour`; {TRACK}"));
}

#[test]
fn a_key_of_another_attribute_names_it() {
    assert_eq!(
        message("track_performance", "timeout = \"2s\""),
        format!("`timeout` is a key of `#[health_check]` and `#[dq_check]`; {TRACK}"),
    );
    assert_eq!(message("track_performance", "user = me"), format!("`user` is a key of `#[tracked_command]`; {TRACK}"));
}

#[test]
fn keys_that_do_not_exist_yet_are_unknown() {
    for (attribute, key) in [("health_check", "ok_if"), ("track_performance", "skip")] {
        let message = message(attribute, &format!("{key} = x"));
        assert!(message.contains(&format!("`{key}`")) && message.contains("takes `name`"), "{message}");
    }
}

#[test]
fn a_key_stands_once() {
    assert_eq!(message("bq_cost", "name = \"a\", name = \"b\""), "`name` is a duplicate key; remove one");
    assert_eq!(message("bq_cost", "tags(a = 1), tags(b = 2)"), "`tags` is a duplicate key; remove one");
}

#[test]
fn a_key_has_a_value_in_its_form() {
    assert_eq!(message("bq_cost", "name"), "`name` has no value: `name = \"…\"`");
    assert_eq!(message("bq_cost", "name ="), "`name` has no value");
    assert_eq!(message("bq_cost", "tags"), "`tags` has no value: `tags(k = expr, …)`");
    assert_eq!(message("bq_cost", "name(\"x\")"), "`name` is one value: `name = \"…\"`");
    assert_eq!(message("bq_cost", "tags = 3"), "`tags` is a list: `tags(k = expr, …)`");
}

#[test]
fn what_is_no_key_is_told_what_keys_there_are() {
    assert_eq!(
        message("track_performance", "\"load\""),
        format!("expected a key: {TRACK}, did you mean `name = \"load\"`?")
    );
    assert_eq!(
        message("track_performance", "name: \"x\""),
        "expected `=` between `name` and its value, did you mean `name = \"x\"`?"
    );
    assert_eq!(message("track_performance", "name = \"x\" level = \"info\""), "expected `,` before this");
    assert_eq!(message("track_performance", ", name = \"x\""), format!("expected a key: {TRACK}"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found =
        messages("bq_cost", "nmae = 1, level = \"inof\", name = \"\", query_type, alert_over_usd = -5, tags(a = )");
    assert_eq!(found.len(), 6, "{found:?}");
    let found = messages("bq_cost", "level = , name = +, alert_over_usd = \"x\"");
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn commas_inside_values_do_not_end_them() {
    accepted(
        "track_performance",
        "tags(a = pick::<u8, u16>(1, 2), b = [1, 2]), ok_if = <Vec<u8> as Is<u8, u8>>::fine,",
    );
}

#[test]
fn every_shared_key_is_accepted() {
    for attribute in ["tracked_command", "bq_cost", "with_error_tracking", "track_performance"] {
        accepted(attribute, "");
        accepted(
            attribute,
            "name = \"x\", tags(a = 1, r#type = 2, match = 3), args(table, rows = rows * 2, password = redact), \
             ok_if = Result::is_ok, level = \"critical\", crate = ::facade::obs",
        );
        accepted(attribute, "error_if = self::failed, crate = crate::obs");
    }
    for attribute in ["health_check", "dq_check"] {
        accepted(attribute, "");
        accepted(attribute, "name = \"x\", tags(a = 1), args(x = 2), level = \"warning\", crate = crate::obs");
    }
}

#[test]
fn every_own_key_is_accepted() {
    accepted(
        "tracked_command",
        "user = options.user(), cron = \"*/5 8-18 * * MON-FRI\", timezone = \"Europe/Berlin\", max_runtime = \"30m\", \
         margin = \"5m\", monitor = \"nightly-load\", failure_threshold = 3, recovery_threshold = 2, owner = names::TEAM, \
         runbook = \"https://wiki.example/nightly\", slo = \"99.5%\", slo_latency = \"30s\"",
    );
    accepted(
        "with_error_tracking",
        "context(attempt = 3), fingerprint(\"billing\", table), severity = \"warning\", ignore_if = Error::ok, fallback = Ok(3), \
         owner = \"growth\", runbook = \"https://wiki\"",
    );
    accepted("bq_cost", "query_type = \"select\", dataset = table, alert_over_usd = 5.5");
    accepted(
        "bq_cost",
        "owner = \"growth\", runbook = \"http://wiki\", max_usd = 20.0, max_bytes = \"1 TiB\", budget = \"daily\", labels(team = \"growth\")",
    );
    accepted(
        "health_check",
        "timeout = \"2s\", critical = false, groups(\"live\", names::GROUP), cache = \"10s\", after(\"database\"), failures = 3, \
         owner = names::TEAM, runbook = \"https://wiki/database\"",
    );
    accepted(
        "dq_check",
        "dataset = \"d\", column = names::COLUMN, owner = \"growth\", runbook = \"https://wiki/nulls\", severity = \"critical\", warn_above = 1, \
         fail_above = 2.5, warn_below = -1, fail_below = -2.5e3, timeout = \"1m 30s\", blocking = true",
    );
}

#[test]
fn brackets_are_no_parentheses() {
    assert_eq!(message("track_performance", "tags[a = 1]"), "expected parentheses after `tags`: `tags(…)`");
    assert_eq!(message("track_performance", "args { a }"), "expected parentheses after `args`: `args(…)`");
}

/// The keys that obs-runtime documents for each attribute, as its source says. None in a published package, which has no
/// workspace around it.
fn documented() -> Option<std::collections::BTreeMap<String, Vec<String>>> {
    let runtime = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("obs-runtime");
    if !runtime.exists() {
        return None;
    }
    let source = std::fs::read_to_string(runtime.join("src/program/keys.rs")).unwrap();
    let (_, lists) = source.split_once("    ---\n").unwrap();
    let lists = lists.lines().map(str::trim).filter_map(|line| line.strip_suffix(';')?.split_once(": "));
    Some(lists.map(|(name, keys)| (name.to_owned(), keys.split(' ').map(str::to_owned).collect())).collect())
}

#[test]
fn every_key_is_documented_where_editors_look() {
    let Some(documented) = documented() else { return };
    for attribute in crate::grammar::vocabulary::Attribute::ALL {
        let known = attribute.keys().iter().chain(attribute.block_keys()).map(|key| key.name);
        // `crate` is a word of the language, which nothing can be named by.
        let mut known: Vec<_> = known.filter(|name| *name != "crate").collect();
        known.sort_unstable();
        known.dedup();
        let mut listed = documented[attribute.name()].clone();
        listed.sort_unstable();
        assert_eq!(listed, known, "{}", attribute.name());
    }
}
