use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use super::*;
use crate::events::event::{EventContext, Fact, Source};
use crate::events::field::{Field, Value};
use crate::metrics::drop_counters;
use crate::redact::redactor::Redactor;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl LineWriter for Memory {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(())
    }
}

impl Memory {
    fn lines(&self) -> Vec<String> {
        let written = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        assert!(written.is_empty() || written.ends_with('\n'));
        written.lines().map(str::to_owned).collect()
    }
}

struct Broken;

impl LineWriter for Broken {
    fn write_line(&self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn console(writer: impl LineWriter + 'static) -> LogOutput {
    LogOutput {
        name: "log output",
        writer: Box::new(writer),
        coloured: false,
        is_stderr: false,
        stderr_is_terminal: false,
    }
}

fn event<'a>(message: &'a str, fields: Vec<Field<'a>>) -> Event<'a> {
    Event {
        time: SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(1_767_225_600_000_001)).unwrap(),
        level: Level::Warning,
        source: Source {
            logger: "job::load".into(),
            module: Some("job::load".into()),
            file: Some("src/load.rs".into()),
            line: Some(7),
        },
        context: EventContext {
            correlation_id: Some("run-7".into()),
            user: Some("ann".into()),
            operation: None,
            ..EventContext::default()
        },
        fact: Fact::Log { message: message.into() },
        fields,
        tags: Vec::new(),
    }
}

fn written(format: LogFormat, event: Event<'_>) -> String {
    let memory = Memory::default();
    let config = Config { log_format: format, version: "1.2.3".to_owned(), ..Config::default() };
    let exporter = LogExporter::new(&config, console(memory.clone()), None);
    exporter.accept(&Redactor::new(&[], None).event(event));
    let mut lines = memory.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The line parsed. An object with a duplicate key is not valid.
fn parsed(event: Event<'_>) -> Json {
    let line = written(LogFormat::Json, event);
    let value: Json = serde_json::from_str(&line).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap().len(), line.len(), "duplicate keys in {line}");
    value
}

/// Characters that a terminal or a viewer acts on, other than those below the space.
const ACTIVE: &str = "\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";

#[test]
fn the_keys_of_a_line_have_a_fixed_order() {
    let fields = vec![Field::new("rows", 5), Field::new("table", "penguins")];
    assert_eq!(
        written(LogFormat::Json, event("loaded", fields)),
        concat!(
            r#"{"timestamp":"2026-01-01T00:00:00.000001Z","level":"WARNING","logger":"job::load","message":"loaded","#,
            r#""service":"decentclaude","environment":"dev","version":"1.2.3","correlation_id":"run-7","user":"ann","#,
            r#""module":"job::load","file":"src/load.rs","line":7,"rows":5,"table":"penguins"}"#
        )
    );
}

#[test]
fn a_field_with_a_reserved_name_or_the_name_of_another_field_is_nested() {
    let fields = vec![
        Field::new("level", "high"),
        Field::new("rows", 1),
        Field::new("rows", 2),
        Field::new("rows", 3),
        Field::new("fields", true),
        Field::new("rows_2", 4),
    ];
    let line = parsed(event("loaded", fields));
    assert_eq!(line["level"], "WARNING");
    assert_eq!((&line["rows"], &line["rows_2"]), (&json!(1), &json!(4)));
    assert_eq!(line["fields"], json!({"level": "high", "rows": 2, "rows_2": 3, "fields": true}));
}

#[test]
fn no_value_breaks_a_line_or_loses_it() {
    let huge = "é".repeat(500_000);
    let control: String = (0..0x20_u8).map(char::from).chain(ACTIVE.chars()).chain(['\u{fffd}', '"', '\\']).collect();
    let fields = vec![
        Field::new("nan", f64::NAN),
        Field::new("inf", f64::INFINITY),
        Field::new("minus", f64::NEG_INFINITY),
        Field::new("tiny", 5e-324),
        Field::new("least", i64::MIN),
        Field::new("most", u64::MAX),
        Field::new("control", &*control),
        Field::new("huge", &*huge),
        Field::new("", "empty"),
        Field::new(&*control, "name"),
        Field::new("hash", Value::Hash(0xab)),
        Field::new("length", Value::Length(3)),
    ];
    let line = written(LogFormat::Json, event(&control, fields.clone()));
    assert!(!line.contains(|c: char| c.is_control() || ACTIVE.contains(c)), "{line}");
    let line: Json = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["nan"], &line["inf"], &line["minus"]), (&json!("NaN"), &json!("inf"), &json!("-inf")));
    assert_eq!((&line["least"], &line["most"]), (&json!(i64::MIN), &json!(u64::MAX)));
    assert_eq!(
        (&line["message"], &line["control"], &line[&control]),
        (&json!(control), &json!(control), &json!("name"))
    );
    assert!(line["huge"].as_str().unwrap().ends_with(" bytes]"));
    assert_eq!((&line[""], &line["hash"], &line["length"]), (&json!("empty"), &json!("00000000000000ab"), &json!(3)));

    let line = written(LogFormat::Text, event(&control, fields));
    assert!(!line.contains(|c: char| c.is_control() || ACTIVE.contains(c)), "{line}");
}

#[test]
fn a_message_of_the_text_format_cannot_pretend_to_have_context_or_fields() {
    for (message, expected) in [
        ("read [a, b]", "read [a, b] [id=c"),
        ("read [id=forged, user=root]", r#""read [id=forged, user=root]" [id=c"#),
        (r#"say "x" | admin=true"#, r#""say \"x\" | admin=true" [id=c"#),
        (r#""quoted""#, r#""\"quoted\"" [id=c"#),
    ] {
        let mut event = event(message, Vec::new());
        event.context.correlation_id = Some("c".into());
        let line = written(LogFormat::Text, event);
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn the_text_format_has_scope_and_fields() {
    let fields = vec![
        Field::new("rows", 5),
        Field::new("said", "two\nlines \"quoted\""),
        Field::new("empty", ""),
        Field::new("path", "/data/a.csv"),
    ];
    assert_eq!(
        written(LogFormat::Text, event("load\x1b[31med", fields)),
        r#"2026-01-01T00:00:00.000001Z WARNING  load\u{1b}[31med [id=run-7, user=ann, logger=job::load] | rows=5 said="two\nlines \"quoted\"" empty="" path=/data/a.csv"#
    );
    let mut line = Vec::new();
    TextFormat { coloured: true }.write(
        &Event { context: EventContext::default(), ..event("loaded", Vec::new()) },
        0,
        &mut line,
        &mut TimestampFormatter::default(),
    );
    assert_eq!(
        String::from_utf8(line).unwrap(),
        "\x1b[2m2026-01-01T00:00:00.000001Z\x1b[0m \x1b[33mWARNING \x1b[0m loaded [logger=job::load]"
    );
}

#[test]
fn a_time_out_of_range_is_clamped() {
    for time in
        [SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40), SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)]
    {
        assert!(parsed(Event { time, ..event("m", Vec::new()) })["timestamp"].is_string());
    }
}

#[test]
fn a_destination_that_fails_is_counted_and_reported_once_in_the_other_one_and_by_the_next_flush() {
    let dropped = || {
        drop_counters::all()
            .iter()
            .find(|(sink, reason, _)| (*sink, *reason) == ("log", "write"))
            .map_or(0, |drop| drop.2)
    };
    let before = dropped();
    let file = Memory::default();
    let config = Config { log_format: LogFormat::Text, ..Config::default() };
    let exporter = LogExporter::new(&config, console(Broken), Some(Box::new(file.clone())));
    exporter.accept(&Redactor::new(&[], None).event(event("m", Vec::new())));
    exporter.accept(&Redactor::new(&[], None).event(event("n", Vec::new())));
    assert_eq!(dropped(), before + 2);
    let lines: Vec<Json> = file.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["m", "log lines are dropped: log output: broken pipe", "n"]);
    assert_eq!(lines[1]["help"], "lines-dropped");
    let failure = exporter.flush(Instant::now()).unwrap_err();
    assert_eq!(failure.reason, "log output: broken pipe");
    assert_eq!(exporter.flush(Instant::now()), Ok(Flushed::Delivered));
}

#[test]
fn a_file_and_its_folders_are_created_and_several_writers_append_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/run.jsonl");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let file = LogFile::open(&path, 0o600, Arc::default()).unwrap();
            std::thread::spawn(move || {
                for length in 0..200 {
                    file.write_line(format!("{{\"x\":\"{}\"}}\n", "y".repeat(length * 7)).as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count(), 800);
    assert!(written.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()));
}

#[test]
fn the_error_names_the_file_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let error = open_file(&Config { log_file: Some(path.clone()), ..Config::default() }).err().unwrap().to_string();
    assert!(error.starts_with("LOG_FILE: `") && error.contains(&*path.to_string_lossy()), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_for_every_line() {
    let full = log_device::open(std::path::Path::new("/dev/full")).unwrap().unwrap();
    assert!(full.write_line(b"x\n").is_err());
    assert!(full.write_line(b"x\n").is_err());
}

#[test]
fn wants_what_the_filter_enables() {
    let config = Config { log_level: "info,noisy=off,job=debug".parse().unwrap(), ..Config::default() };
    let exporter = LogExporter::new(&config, LogOutput::stderr(), open_file(&config).unwrap());
    for topic in [Topic::Call, Topic::Log, Topic::Fact] {
        assert!(exporter.wants(topic, Level::Debug, "job::load"));
        assert!(!exporter.wants(topic, Level::Debug, "other"));
        assert!(!exporter.wants(topic, Level::Critical, "noisy"));
    }
    assert_eq!(exporter.least_level(), Some(Level::Debug));
}
