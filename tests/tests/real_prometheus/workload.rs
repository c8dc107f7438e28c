//! A service in this process that has recorded every family, and the series that Prometheus should have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use obs_runtime::catalogue::Kind;
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::snapshot::{SeriesValue, Snapshot};
use obs_runtime::{Guard, Level, Observability};
use obs_tests::exposition::Series;

use super::all_families::{HOSTILE, always_fails, work};

/// The service.
pub struct Service {
    pub guard: Guard,
    /// The folder of its textfile.
    pub textfiles: PathBuf,
    /// When it began, in seconds since 1970.
    pub began: f64,
    /// Its metrics.
    pub measured: Snapshot,
}

/// The service of this process. Its textfile existed with a malformed content before it was first written.
pub fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let textfiles = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real_prometheus");
        if textfiles.exists() {
            fs::remove_dir_all(&textfiles).unwrap();
        }
        fs::create_dir_all(&textfiles).unwrap();
        fs::write(textfiles.join("etl_1.prom"), "garbage").unwrap();
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let state = textfiles.join("state");
        let guard = Observability::builder()
            .without_environment()
            .service_name("etl 1")
            .environment("test")
            .version("1.2.3")
            .log_level(Level::Critical)
            .prometheus_port(0)
            .prometheus_textfile_dir(&textfiles)
            .max_series(20)
            .defaults(|config| {
                config.budgets = vec![Budget::new("nightly", 50.0, BudgetPeriod::Day)];
                config.state_dir = Some(state);
            })
            .init()
            .unwrap();
        work(HOSTILE);
        assert!(always_fails().is_err());
        // The second flush exports what the first one counts as dropped.
        guard.flush();
        guard.flush();
        Service { guard, textfiles, began, measured: obs_runtime::metrics() }
    })
}

/// Every series that Prometheus should have, with its value.
pub fn expected(measured: &Snapshot) -> BTreeMap<Series, f64> {
    let mut expected = BTreeMap::new();
    for found in &measured.families {
        let name = found.family.name.replace('.', "_");
        for series in &found.series {
            let mut labels: BTreeMap<_, _> = [("service", "etl 1"), ("environment", "test")].map(owned).into();
            for (name, value) in &series.labels {
                let taken = labels.contains_key(&**name) || name == "le";
                if value.is_empty() {
                    continue;
                }
                labels.insert(if taken { format!("tag_{name}") } else { name.to_string() }, value.to_string());
            }
            match &series.value {
                SeriesValue::Number(number) => {
                    let total = if found.family.kind == Kind::Counter { "_total" } else { "" };
                    expected.insert((name.clone() + total, labels), *number);
                }
                SeriesValue::Histogram { counts, sum } => {
                    let shown = found.family.prometheus_buckets();
                    let bounds = found.family.buckets().iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
                    let mut cumulative = 0;
                    for (bound, count) in bounds.zip(counts) {
                        cumulative += count;
                        if bound != "+Inf" && !shown.iter().any(|shown| shown.to_string() == bound) {
                            continue;
                        }
                        let mut labels = labels.clone();
                        labels.insert("le".to_owned(), bound);
                        expected.insert((name.clone() + "_bucket", labels), number(cumulative));
                    }
                    expected.insert((name.clone() + "_sum", labels.clone()), *sum);
                    expected.insert((name.clone() + "_count", labels), number(cumulative));
                }
                value => panic!("{name}{labels:?}: {value:?}"),
            }
        }
    }
    expected
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
