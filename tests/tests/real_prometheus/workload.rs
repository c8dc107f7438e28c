//! A service in this process that has done a bit of everything: each family of the catalogue has series, some with labels
//! that a format may stumble over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use obs_runtime::catalogue::Kind;
use obs_runtime::snapshot::{SeriesValue, Snapshot};
use obs_runtime::{Guard, Level, Observability, QueryStatistics, Severity};
use obs_runtime::{bq_cost, dq_check, health_check, track_performance, tracked_command, with_error_tracking};

/// A label value with everything in it that ends or escapes something somewhere.
pub const HOSTILE: &str = "a\\b\"c\nd,e=\"f\"} 1 # {ü|:";

/// More values of a tag than there may be series.
const MANY: u32 = 30;

#[track_performance(tags(zone = zone, le = "not a bound"))]
fn parse(text: &str, zone: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[track_performance(tags(number = number))]
fn tagged_without_bounds(number: u32) {
    let _ = number;
}

#[with_error_tracking]
fn load() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no such file"))
}

#[bq_cost(query_type = "select", dataset = HOSTILE, alert_over_usd = 1.0)]
fn query() {
    let tebibyte = 1 << 40;
    let duration = Duration::from_millis(1500);
    let statistics = QueryStatistics {
        bytes_processed: tebibyte,
        bytes_billed: Some(tebibyte),
        rows: Some(3),
        slot_time: Some(duration),
        duration: Some(duration),
        cache_hit: false,
    };
    obs_runtime::track_query_performance("select", &statistics);
    obs_runtime::track_bigquery_operation("load", HOSTILE);
    obs_runtime::track_cost(&statistics);
}

#[health_check]
fn always_well() {}

#[dq_check(dataset = "users", fail_above = 0)]
fn null_ids() -> u8 {
    2
}

#[dq_check(dataset = "users")]
fn broken() -> Result<u8, String> {
    Err("no such table".to_owned())
}

#[tracked_command(args(mode))]
fn work(mode: &str) {
    for (text, zone) in [("1", "eu"), ("2", HOSTILE), ("x", HOSTILE)] {
        let _ = parse(text, zone);
    }
    (0..MANY).for_each(tagged_without_bounds);
    let _ = load();
    query();
    obs_runtime::track_feature(mode.to_owned());
    obs_runtime::track_data_quality_check(HOSTILE, "users", Severity::Warning, true);
    obs_runtime::run_health_checks().wait();
    obs_runtime::run_dq_checks().wait();
}

#[tracked_command]
fn always_fails() -> Result<(), String> {
    Err("as always".to_owned())
}

/// The service, its work done.
pub struct Service {
    pub guard: Guard,
    /// The folder of its textfile.
    pub textfiles: PathBuf,
    /// What it has measured.
    pub measured: Snapshot,
}

/// The one service of this process. Its textfile's place was taken by garbage when it first wrote it.
pub fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let textfiles = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real_prometheus");
        if textfiles.exists() {
            fs::remove_dir_all(&textfiles).unwrap();
        }
        fs::create_dir_all(&textfiles).unwrap();
        fs::write(textfiles.join("etl_1.prom"), "garbage").unwrap();
        let guard = Observability::builder()
            .without_environment()
            .service_name("etl 1")
            .environment("test")
            .version("1.2.3")
            .log_level(Level::Critical)
            .prometheus_port(0)
            .prometheus_textfile_dir(&textfiles)
            .max_series(20)
            .init()
            .unwrap();
        work(HOSTILE);
        assert!(always_fails().is_err());
        // What the first flush drops, the second one brings.
        guard.flush();
        guard.flush();
        Service { guard, textfiles, measured: obs_runtime::metrics() }
    })
}

/// A series as Prometheus knows it: its name and its labels.
pub type Name = (String, BTreeMap<String, String>);

/// Every series that Prometheus has to have, with its value.
pub fn expected(measured: &Snapshot) -> BTreeMap<Name, f64> {
    let mut expected = BTreeMap::new();
    for found in &measured.families {
        let name = found.family.name.replace('.', "_");
        for series in &found.series {
            let mut labels: BTreeMap<_, _> =
                [("service", "etl 1"), ("environment", "test"), ("version", "1.2.3")].map(owned).into();
            for (name, value) in &series.labels {
                let taken = labels.contains_key(&**name) || name == "le";
                labels.insert(if taken { format!("tag_{name}") } else { name.to_string() }, value.clone());
            }
            match &series.value {
                SeriesValue::Number(number) => {
                    let total = if found.family.kind == Kind::Counter { "_total" } else { "" };
                    expected.insert((name.clone() + total, labels), *number);
                }
                SeriesValue::Histogram { counts, sum } => {
                    let bounds = found.family.buckets().iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
                    let mut cumulative = 0;
                    for (bound, count) in bounds.zip(counts) {
                        cumulative += count;
                        let mut labels = labels.clone();
                        labels.insert("le".to_owned(), bound);
                        expected.insert((name.clone() + "_bucket", labels), number(cumulative));
                    }
                    expected.insert((name.clone() + "_sum", labels.clone()), *sum);
                    expected.insert((name.clone() + "_count", labels), number(cumulative));
                }
            }
        }
    }
    expected
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

pub fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
