//! Events as log records of OTLP, with the fields of the JSON lines.
//!
//! The logger is the name of the scope, the message the body. `file` and `line` are `code.file.path` and `code.line.number`, as
//! OpenTelemetry's conventions name them; the other fields have the names of the JSON lines, and `fields.<name>` stands for what
//! the lines have under `fields`. The service, the environment and the version belong to the resource.

use std::time::SystemTime;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use crate::base::level::Level;
use crate::events::event::{Event, EventContext, Source};
use crate::exporters::log::fields::{each_field, is_reserved};
use crate::exporters::otlp::attributes::{any, attribute, nanos, number, text};

/// A log record and its logger.
#[derive(Clone, Debug)]
pub struct Record {
    pub logger: String,
    pub record: LogRecord,
}

/// The log record of an event. `left_out` is the number of similar ones that sampling left out before it.
pub fn of_event(event: &Event<'_>, left_out: u64) -> Record {
    let Event { time, level, source, context, fact, fields: _, tags: _ } = event;
    let Source { logger, module, file, line } = source;
    let EventContext {
        correlation_id,
        user,
        contact: _,
        tags: _,
        level: _,
        operation,
        trace,
        fields: _,
        field_serials: _,
        spans,
    } = context;
    let span = spans.redacted().map(|spans| spans.name().into());
    let texts = [
        ("correlation_id", correlation_id),
        ("user", user),
        ("operation", operation),
        ("span", &span),
        ("module", module),
        ("code.file.path", file),
    ];
    let texts = texts.into_iter().filter_map(|(name, value)| Some(text(name, value.as_deref()?)));
    let mut attributes: Vec<KeyValue> = texts.collect();
    attributes.extend(line.map(|line| number("code.line.number", line.into())));
    each_field(event, left_out, &mut |name, value| {
        let is_taken = |name: &str| attributes.iter().any(|known| known.key == name);
        let mut key = if is_reserved(name) || is_taken(name) { format!("fields.{name}") } else { name.to_owned() };
        let mut more = 2;
        while is_taken(&key) {
            key = format!("fields.{name}_{more}");
            more += 1;
        }
        attributes.push(attribute(key, any(value)));
    });
    let record = LogRecord {
        time_unix_nano: nanos(*time),
        observed_time_unix_nano: nanos(SystemTime::now()),
        severity_number: severity(*level).into(),
        severity_text: level.as_str().to_owned(),
        body: Some(AnyValue { value: Some(Any::StringValue(fact.message().into_owned())) }),
        attributes,
        flags: trace.map_or(0, |trace| trace.flags().into()),
        trace_id: trace.map(|trace| trace.trace_id_bytes().to_vec()).unwrap_or_default(),
        span_id: trace.map(|trace| trace.span_id_bytes().to_vec()).unwrap_or_default(),
        ..LogRecord::default()
    };
    Record { logger: logger.to_string(), record }
}

const fn severity(level: Level) -> SeverityNumber {
    match level {
        Level::Trace => SeverityNumber::Trace,
        Level::Debug => SeverityNumber::Debug,
        Level::Info => SeverityNumber::Info,
        Level::Warning => SeverityNumber::Warn,
        Level::Error => SeverityNumber::Error,
        Level::Critical => SeverityNumber::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::base::trace_context::TraceContext;
    use crate::events::event::Fact;
    use crate::events::field::{Field, Value};

    #[test]
    fn an_event_has_the_fields_of_its_json_line() {
        let context = EventContext {
            correlation_id: Some("id".into()),
            operation: Some("load".into()),
            trace: TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            fields: Cow::Owned(vec![Field::new("rows", 1_u64), Field::new("team", "data")]),
            ..EventContext::default()
        };
        let event = Event {
            time: UNIX_EPOCH + Duration::from_nanos(7),
            level: Level::Critical,
            source: Source {
                logger: "etl::load".into(),
                file: Some("src/load.rs".into()),
                line: Some(3),
                module: None,
            },
            context,
            fact: Fact::Log { message: "broken".into() },
            fields: vec![
                Field::new("rows", -2_i64),
                Field::new("message", "mine"),
                Field::new("rows", u64::MAX),
                Field::new("share", 0.5),
                Field::new("key", Value::Hash(255)),
            ],
            tags: Vec::new(),
        };
        let Record { logger, record } = of_event(&event, 0);
        assert_eq!((&*logger, record.time_unix_nano, record.severity_number), ("etl::load", 7, 21));
        assert_eq!((&*record.severity_text, record.flags), ("CRITICAL", 1));
        assert_eq!((record.trace_id.len(), record.span_id[0]), (16, 0xb7));
        let string = |text: &str| Any::StringValue(text.to_owned());
        assert_eq!(record.body.and_then(|body| body.value), Some(string("broken")));
        let found: Vec<_> = record
            .attributes
            .into_iter()
            .map(|one| (one.key, one.value.and_then(|value| value.value).unwrap()))
            .collect();
        let expected = [
            ("correlation_id", string("id")),
            ("operation", string("load")),
            ("code.file.path", string("src/load.rs")),
            ("code.line.number", Any::IntValue(3)),
            ("rows", Any::IntValue(-2)),
            ("fields.message", string("mine")),
            ("fields.rows", string(&u64::MAX.to_string())),
            ("share", Any::DoubleValue(0.5)),
            ("key", string("00000000000000ff")),
            ("fields.rows_2", Any::IntValue(1)),
            ("team", string("data")),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
