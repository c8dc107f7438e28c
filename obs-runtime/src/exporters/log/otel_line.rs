//! A JSON line that is a request of OTLP: what the collector's file receiver and its HTTP receiver read.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::events::field::{Text, Value};
use crate::exporters::log::fields::{each_field, is_reserved};
use crate::exporters::log::object_writer::{ObjectWriter, UsedKeys};

/// Writes an event of a service, environment and version.
pub fn write(
    [service, environment, version]: [&str; 3],
    event: &Event<'_>,
    left_out: u64,
    line: &mut Vec<u8>,
    keys: &mut UsedKeys,
) {
    let mut request = ObjectWriter::begin(line, keys);
    request.begin_list("resourceLogs");
    let mut of_resource = request.element(true);
    let mut resource = of_resource.nested("resource");
    resource.begin_list("attributes");
    for (index, (key, value)) in
        [("service.name", service), ("deployment.environment.name", environment), ("service.version", version)]
            .into_iter()
            .enumerate()
    {
        attribute(&mut resource, index == 0, key, &Value::from(value.to_owned()));
    }
    resource.end_list();
    resource.end();
    of_resource.begin_list("scopeLogs");
    let mut of_scope = of_resource.element(true);
    let mut scope = of_scope.nested("scope");
    scope.plain("name", &event.source.logger);
    scope.end();
    of_scope.begin_list("logRecords");
    let mut record = of_scope.element(true);
    write_record(event, left_out, &mut record);
    record.end();
    of_scope.end_list();
    of_scope.end();
    of_resource.end_list();
    of_resource.end();
    request.end_list();
    request.end();
}

fn write_record(event: &Event<'_>, left_out: u64, record: &mut ObjectWriter<'_>) {
    record.plain_display("timeUnixNano", nanos(event.time));
    record.plain_display("observedTimeUnixNano", nanos(SystemTime::now()));
    record.plain_number("severityNumber", severity(event.level));
    record.plain("severityText", event.level.as_str());
    let mut body = record.nested("body");
    body.plain("stringValue", &event.fact.message());
    body.end();
    if let Some(trace) = event.context.trace {
        record.plain_display("traceId", trace.trace_id());
        record.plain_display("spanId", trace.span_id());
        record.plain_number("flags", trace.is_sampled().into());
    }
    record.begin_list("attributes");
    write_attributes(event, left_out, record);
    record.end_list();
}

/// The names of the log records of `OTEL_LOGS_EXPORTER`.
fn write_attributes(event: &Event<'_>, left_out: u64, record: &mut ObjectWriter<'_>) {
    let (context, source) = (&event.context, &event.source);
    let span = context.spans.redacted().map(|spans| Text::from(spans.name()));
    let mut names: Vec<String> = Vec::new();
    let texts = [
        ("correlation_id", &context.correlation_id),
        ("user", &context.user),
        ("operation", &context.operation),
        ("span", &span),
        ("module", &source.module),
        ("code.file.path", &source.file),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            attribute(record, names.is_empty(), name, &Value::from(text.to_string()));
            names.push(name.to_owned());
        }
    }
    if let Some(number) = source.line {
        attribute(record, names.is_empty(), "code.line.number", &Value::from(u64::from(number)));
        names.push("code.line.number".to_owned());
    }
    each_field(event, left_out, &mut |name, value| {
        let is_taken = |name: &str| names.iter().any(|known| known == name);
        let mut key = if is_reserved(name) || is_taken(name) { format!("fields.{name}") } else { name.to_owned() };
        let mut more = 2;
        while is_taken(&key) {
            key = format!("fields.{name}_{more}");
            more += 1;
        }
        attribute(record, names.is_empty(), &key, value);
        names.push(key);
    });
}

fn attribute(list: &mut ObjectWriter<'_>, is_first: bool, key: &str, value: &Value<'_>) {
    let mut pair = list.element(is_first);
    pair.plain("key", key);
    let mut any = pair.nested("value");
    match value {
        Value::Bool(_) => {
            any.field("boolValue", value);
        }
        // 64-bit numbers are texts in the JSON of protocol buffers.
        Value::Signed(number) => any.plain_display("intValue", number),
        Value::Unsigned(number) if i64::try_from(*number).is_ok() => any.plain_display("intValue", number),
        Value::Length(length) => any.plain_display("intValue", length),
        Value::Float(number) if number.is_finite() => {
            any.field("doubleValue", value);
        }
        other => any.plain("stringValue", &other.to_string()),
    }
    any.end();
    pair.end();
}

fn nanos(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

const fn severity(level: Level) -> u32 {
    match level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warning => 13,
        Level::Error => 17,
        Level::Critical => 21,
    }
}
