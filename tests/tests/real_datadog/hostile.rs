//! Names and tags with everything in them that ends or means something somewhere.

use obs_tests::hostile;
use obs_tests::servers::StatsdExporter;

use super::{alone, to};

/// How many of them.
const MANY: u32 = 10_000;

#[test]
fn ten_thousand_hostile_names_and_tags_arrive_and_break_nothing() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let guard = to(&exporter).max_series(2 * MANY as usize).init().unwrap();
    hostile::measure(MANY, || guard.flush());
    drop(guard);
    let each = f64::from(MANY / 16);
    exporter.wait_for("bigquery_operation", &[], each * 5.0);
    let seen = exporter.series();
    let of = |letter: char, end: &'static str| {
        seen.iter().filter(move |((name, _), _)| hostile::is_of(letter, name) && name.ends_with(end))
    };
    let total = |letter, end| of(letter, end).map(|(_, value)| value).sum::<f64>();
    assert_eq!(total('c', ""), each * 5.0);
    assert_eq!(of('g', "").count(), 5 * MANY as usize / 16);
    assert_eq!(total('h', "_count"), each);
    assert_eq!(exporter.errors(), [].into());
    let samples: f64 = exporter.sum("statsd_exporter_samples_total", &[]);
    assert!(samples >= f64::from(MANY), "{samples}");
}
