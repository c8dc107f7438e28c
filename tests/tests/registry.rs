//! Promise 5: annotated functions, checks and metrics are listed before anything runs.

use std::collections::BTreeSet;

use obs_runtime::testing::capture;
use obs_runtime::{
    bq_cost, catalogue, dq_check, health_check, track_performance, tracked_command, with_error_tracking,
};
use obs_tests::process::Process;

#[allow(dead_code, reason = "only listed")]
#[tracked_command]
#[with_error_tracking]
#[bq_cost]
#[track_performance]
fn never_called() {}

#[health_check]
fn a_health_check() {}

/// The line before the attribute of `a_dq_check`.
const LINE: u32 = line!();
#[dq_check]
fn a_dq_check() -> bool {
    true
}

#[health_check(owner = "storage", runbook = "https://wiki.example/checks")]
fn an_owned_health_check() {}

#[dq_check(owner = "storage", runbook = "https://wiki.example/checks")]
fn an_owned_dq_check() -> bool {
    true
}

#[health_check(name = "both")]
#[dq_check(name = "both")]
#[dq_check(name = "both again", owner = "growth")]
fn both() -> bool {
    true
}

fn generic<T: Default>() -> T {
    #[track_performance]
    fn nested() {}
    nested();
    T::default()
}

#[test]
fn annotated_functions_and_checks_are_listed_without_a_call() {
    let catalogue = catalogue();
    let attributes: Vec<_> = catalogue
        .callsites
        .iter()
        .filter(|site| site.name.replace('-', "_") == "never_called")
        .map(|site| (site.attribute, site.place.module))
        .collect();
    let mut attributes_expected =
        ["bq_cost", "track_performance", "tracked_command", "with_error_tracking"].map(|name| (name, "registry"));
    attributes_expected.sort_unstable();
    let mut attributes = attributes;
    attributes.sort_unstable();
    assert_eq!(attributes, attributes_expected);
    assert!(catalogue.callsites.iter().any(|site| site.name == "nested"));
    let names: Vec<_> = catalogue.health_checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names, ["a_health_check", "an_owned_health_check", "both"]);
    let names: Vec<_> = catalogue.dq_checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names, ["a_dq_check", "an_owned_dq_check", "both", "both again"]);
    let place = catalogue.dq_checks[0].place;
    assert!(place.file.ends_with("registry.rs") && (LINE + 1..=LINE + 2).contains(&place.line), "{place:?}");
    assert_eq!(generic::<u8>(), 0);
}

#[allow(dead_code, reason = "only listed")]
#[tracked_command(owner = "growth", runbook = "https://wiki.example/owned", slo = "99.5%", slo_latency = "30s")]
fn owned() {}

#[test]
fn owners_runbooks_and_objectives_are_listed() {
    let catalogue = catalogue();
    let entry = catalogue.callsites.iter().find(|site| site.name == "owned").unwrap();
    let listed = serde_json::to_value(entry).unwrap();
    let expected = serde_json::json!(["growth", "https://wiki.example/owned", 99.5, 30.0]);
    assert_eq!(serde_json::json!(["owner", "runbook", "slo", "slo_latency"].map(|key| &listed[key])), expected);
    assert_eq!(entry.slo.map(obs_runtime::Objective::may_fail_per_million), Some(5000));
}

#[test]
fn owners_and_runbooks_of_checks_are_listed() {
    let catalogue = catalogue();
    for (entries, name) in
        [(&catalogue.health_checks, "an_owned_health_check"), (&catalogue.dq_checks, "an_owned_dq_check")]
    {
        let entry = entries.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!([entry.owner, entry.runbook], [Some("storage"), Some("https://wiki.example/checks")], "{name}");
    }
}

#[test]
fn the_catalogue_lists_the_metric_families_of_the_reference_page() {
    let page = include_str!("../../obs-runtime/METRICS.md");
    // The page has a second, narrow table of names.
    let lines = page.lines().filter(|line| line.matches('|').count() > 3);
    let rows = lines.filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: Vec<_> = rows.map(|(name, _)| name).collect();
    let listed: Vec<_> = catalogue().metrics.iter().map(|family| family.name).collect();
    assert_eq!(listed, documented);
    assert!(listed.contains(&"operation.duration.seconds"), "{listed:?}");
}

#[test]
fn the_catalogue_lists_every_measured_family() {
    let measured = capture(|| {
        generic::<u8>();
        obs_runtime::run_health_checks().wait();
        obs_runtime::run_dq_checks().wait();
    })
    .metrics;
    let listed: BTreeSet<_> = catalogue().metrics.iter().map(|family| family.name).collect();
    assert!(measured.families.len() > 5, "{measured:?}");
    for found in &measured.families {
        assert!(listed.contains(found.family.name), "{} is not listed", found.family.name);
    }
}

#[allow(dead_code, reason = "only listed")]
#[tracked_command(
    cron = "0 3 * * *",
    timezone = "Europe/Berlin",
    max_runtime = "30m",
    margin = "5m",
    monitor = "nightly-scheduled"
)]
fn scheduled() {}

#[test]
fn schedules_are_listed_with_their_commands() {
    let catalogue = catalogue();
    let schedules: Vec<_> = catalogue.callsites.iter().filter_map(|site| Some((&*site.name, site.schedule?))).collect();
    let [("scheduled", schedule)] = schedules.as_slice() else { panic!("{schedules:?}") };
    assert_eq!((schedule.cron, schedule.timezone), ("0 3 * * *", "Europe/Berlin"));
    assert_eq!(schedule.max_runtime, Some(std::time::Duration::from_mins(30)));
    let listed = serde_json::to_value(schedule).unwrap();
    assert_eq!((&listed["margin"], &listed["monitor"]), (&300.0.into(), &"nightly-scheduled".into()));
}

#[test]
fn functions_of_one_name_are_warned_of_with_their_places() {
    let ended = Process::new(env!("CARGO_BIN_EXE_same-names")).env("PROMETHEUS_PORT", "0").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let sentences: Vec<_> = ended.stdout.lines().collect();
    let [sentence] = sentences[..] else { panic!("{ended:?}") };
    for part in
        ["2 functions with #[track_performance] are named `load`", "same-names.rs:4", "same-names.rs:9", "`name`"]
    {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    let warned: Vec<_> = ended.log().into_iter().filter(|line| line["level"] == "WARNING").collect();
    assert!(warned.len() == 1 && warned[0]["message"] == sentence, "{warned:#?}");
    let quiet = Process::new(env!("CARGO_BIN_EXE_same-names")).env("METRICS_ENABLED", "false").run();
    assert!(!quiet.stderr.contains("are named"), "{quiet:?}");
}
