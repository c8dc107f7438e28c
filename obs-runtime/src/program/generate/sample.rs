//! A program with everything that can be declared, for tests of the generators.

use std::time::Duration;

use crate::base::declaration::Declaration;
use crate::base::schedule::Schedule;
use crate::program::generate::declared::{Declared, Function, HealthCheck, QualityCheck};

fn declaration(owner: &'static str, may_fail: u32, latency: Option<Duration>) -> Declaration {
    let mut declaration = Declaration {
        owner: Some(owner),
        runbook: Some("https://wiki.example/runbook"),
        slo_latency: latency,
        ..Declaration::NONE
    };
    declaration.set_slo(may_fail);
    declaration
}

fn function(name: &str, declaration: Declaration, schedule: Option<Schedule>) -> Function {
    Function { name: name.to_owned(), declaration, schedule }
}

/// The program.
pub fn declared() -> Declared {
    let nightly =
        Schedule::new("30 2 * * *").timezone("Europe/Berlin").max_runtime_millis(1_800_000).margin_millis(300_000);
    let weekly = Schedule::new("0 6 1,15 * MON").timezone("America/New_York");
    let often = Schedule::new("@every 10m").every_millis(600_000).max_runtime_millis(240_000);
    let quality = |name: &str, severity, for_each| QualityCheck {
        name: name.to_owned(),
        dataset: "users".to_owned(),
        severity,
        for_each,
        owner: Some("growth"),
        runbook: Some("https://wiki.example/quality"),
    };
    Declared {
        service: "etl".to_owned(),
        commands: vec![
            function("ad-hoc", declaration("data", 10_000, Some(Duration::from_secs(45))), None),
            function("month-end", Declaration::NONE, Some(Schedule::new("0 0 31 * *"))),
            function("nightly", declaration("data", 5000, Some(Duration::from_mins(10))), Some(nightly)),
            function("often", declaration("data", 100_000, None), Some(often)),
            function("report", declaration("finance", 10_000, None), Some(weekly)),
        ],
        operations: vec![
            function("load", declaration("data", 1000, Some(Duration::from_millis(500))), None),
            function("store", Declaration::NONE, None),
        ],
        costs: vec![function("query", Declaration { owner: Some("finance"), ..Declaration::NONE }, None)],
        quality_checks: vec![
            quality("null_ids", "critical", false),
            quality("odd_names", "warning", false),
            quality("range", "info", false),
            quality("readable", "critical", true),
        ],
        health_checks: vec![
            HealthCheck {
                name: "database".to_owned(),
                critical: true,
                owner: Some("storage"),
                runbook: Some("https://wiki.example/database"),
            },
            HealthCheck { name: "replica".to_owned(), critical: false, owner: None, runbook: None },
        ],
    }
}

/// Writes the files of a target into `target/generated` if `OBS_WRITE_SAMPLES` is set, to look at them.
pub fn write(files: &[crate::program::generate::target::GeneratedFile]) {
    if std::env::var_os("OBS_WRITE_SAMPLES").is_some() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/generated");
        crate::program::generate::folder::write(&folder, files, &[]).unwrap();
    }
}
