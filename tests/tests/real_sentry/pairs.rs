//! Which events are one issue: one bug is one issue in every build, two bugs are two.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use obs_tests::process::Process;
use obs_tests::servers::Bugsink;

/// The pairs of the program.
const PAIRS: usize = 40;

pub fn one_bug_is_one_issue_in_every_build(bugsink: &Bugsink) {
    let (project, folder) = (bugsink.project(), tempfile::tempdir().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_pairs"));
    let builds = [program.to_owned(), folder.path().join("release"), folder.path().join("stripped")];
    for (build, removed) in builds[1..].iter().zip(["--strip-debug", "--strip-all"]) {
        let tool = Command::new("strip").args([removed, "-o"]).arg(build).arg(program).status().unwrap();
        assert!(tool.success(), "{}", build.display());
    }
    for build in &builds {
        let process =
            Process::new(build).env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("SENTRY_ENABLED", "true");
        let process = process.env("SENTRY_DSN", bugsink.dsn(&project)).env("OBS_FLUSH_TIMEOUT", "120s");
        let ended = process.env("SENTRY_TRACES_SAMPLE_RATE", "0").run();
        assert_eq!(ended.code(), Some(0), "{ended:?}\n{}", bugsink.log());
    }
    let _ = bugsink.events(&project, 2 * PAIRS * builds.len());
    // The issues of each side of each pair.
    let mut issues: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut is_one: BTreeMap<String, bool> = BTreeMap::new();
    for (issue, title, event) in bugsink.events_of_issues(&project) {
        let tag = |name: &str| event["tags"][name].as_str().unwrap_or_else(|| panic!("{name}: {event:#}")).to_owned();
        is_one.insert(tag("pair"), tag("one") == "true");
        issues.entry((tag("pair"), tag("side"))).or_default().insert(issue);
        let exceptions = event["exception"]["values"].as_array();
        let message =
            exceptions.and_then(|values| values.last()).map_or(&event["logentry"]["message"], |last| &last["value"]);
        assert!(!title.trim().is_empty() && !message.as_str().unwrap().is_empty(), "{title}: {event:#}");
    }
    assert_eq!(is_one.len(), PAIRS);
    for (pair, is_one) in is_one {
        let of = |side: &str| &issues[&(pair.clone(), side.to_owned())];
        assert_eq!((of("first").len(), of("second").len()), (1, 1), "{pair}: each is one issue in three builds");
        assert_eq!(of("first") == of("second"), is_one, "{pair}: {:?} {:?}", of("first"), of("second"));
    }
}
