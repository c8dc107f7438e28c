//! What Datadog's own reader makes of it.

use obs_tests::servers::datadog_agent::hears;

#[test]
fn datadogs_own_reader_takes_every_line_of_a_short_job() {
    let folder = tempfile::tempdir().unwrap();
    let heard = hears(folder.path(), env!("CARGO_BIN_EXE_short-lived"), &["return"]);
    assert!(
        heard.taken() > 20 && heard.taken() == heard.sent(),
        "{} of {}: {}",
        heard.taken(),
        heard.sent(),
        heard.log
    );
    assert_eq!(heard.complaints(), [""; 0], "{}", heard.log);
    for line in ["operation.success:100|c|#", "short_lived.rows:100|c|#", "|d|@0.01|#"] {
        assert!(heard.log.contains(line), "{line}: {}", heard.log);
    }
}

#[test]
fn datadogs_own_reader_takes_hostile_names_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let heard = hears(folder.path(), env!("CARGO_BIN_EXE_hostile-names"), &[]);
    assert!(heard.taken() >= 2000 && heard.taken() == heard.sent(), "{} of {}", heard.taken(), heard.sent());
    assert_eq!(heard.complaints(), [""; 0]);
}

#[test]
fn datadogs_own_reader_complains_of_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let heard = hears(folder.path(), "/bin/bash", &["-c", "printf 'broken|line' >/dev/udp/127.0.0.1/8125"]);
    assert_eq!((heard.taken(), heard.complaints().len()), (0, 1), "{}", heard.log);
}
