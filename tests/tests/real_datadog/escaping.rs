//! Hostile names and tags in `statsd_exporter`.

use obs_tests::exclusive;
use obs_tests::hostile_names;
use obs_tests::servers::StatsdExporter;

use super::builder;

/// How many series are recorded.
const COUNT: u32 = 10_000;

#[test]
fn ten_thousand_hostile_names_and_tags_arrive() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let guard = builder(&exporter).max_series(2 * COUNT as usize).init().unwrap();
    hostile_names::record(COUNT, || guard.flush());
    drop(guard);
    let each = f64::from(COUNT / 16);
    exporter.wait_for("bigquery_operation", &[], each * 5.0);
    let samples = exporter.samples();
    let of = |letter: char, end: &'static str| {
        samples.iter().filter(move |((name, _), _)| hostile_names::begins_with(letter, name) && name.ends_with(end))
    };
    let total = |letter, end| of(letter, end).map(|(_, value)| value).sum::<f64>();
    assert_eq!(total('c', ""), each * 5.0);
    assert_eq!(of('g', "").count(), 5 * COUNT as usize / 16);
    assert_eq!(total('h', "_count"), each);
    assert_eq!(exporter.errors(), []);
    let read = exporter.sum("statsd_exporter_samples_total", &[]);
    assert!(read >= Some(f64::from(COUNT)), "{read:?}");
}
