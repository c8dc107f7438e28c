//! JSON lines with the names and places of other backends: Elastic Common Schema, Google Cloud Logging, Datadog, OpenTelemetry.

use std::borrow::Cow;

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::validated::Config;
use crate::events::event::Event;
use crate::events::field::{Text, Value};
use crate::exporters::log::fields::{JsonBuffers, each_field, optional, write_fields};
use crate::exporters::log::object_writer::{ObjectWriter, UsedKeys};
use crate::exporters::log::otel_line;
use crate::exporters::log::timestamp::{self, TimestampFormatter};

/// The version of Elastic Common Schema that the names are of.
const ECS_VERSION: &str = "1.6.0";

/// A layout that is not that of obs.
pub struct Layout {
    kind: LogLayout,
    time: LogTime,
    service: String,
    environment: String,
    version: String,
    /// What the id of a trace begins with in Google Cloud: `projects/P/traces/`.
    traces: String,
}

impl Layout {
    /// The configured layout, unless it is one of obs.
    pub fn new(config: &Config) -> Option<Self> {
        let kind = Some(config.log_layout).filter(|layout| !matches!(layout, LogLayout::Flat | LogLayout::Nested))?;
        let project = std::env::var("GOOGLE_CLOUD_PROJECT").ok().filter(|project| !project.is_empty());
        Some(Self {
            kind,
            time: config.log_time,
            service: config.service_name.clone(),
            environment: config.environment.clone(),
            version: config.version.clone(),
            traces: project.map(|project| format!("projects/{project}/traces/")).unwrap_or_default(),
        })
    }

    /// Writes an event, without an end of line.
    pub fn write(
        &self,
        event: &Event<'_>,
        left_out: u64,
        line: &mut Vec<u8>,
        buffers: &mut JsonBuffers,
        timestamps: &mut TimestampFormatter,
    ) {
        let resource = [&*self.service, &*self.environment, &*self.version];
        match self.kind {
            LogLayout::Otel => otel_line::write(resource, event, left_out, line, &mut buffers.keys),
            LogLayout::Gcp => self.gcp(event, left_out, line, buffers, timestamps),
            LogLayout::Datadog => self.datadog(event, left_out, line, buffers, timestamps),
            LogLayout::Ecs | LogLayout::Flat | LogLayout::Nested => {
                self.ecs(event, left_out, line, &mut buffers.keys, timestamps);
            }
        }
    }

    /// Fields go under `labels`, except those of errors.
    fn ecs(
        &self,
        event: &Event<'_>,
        left_out: u64,
        line: &mut Vec<u8>,
        keys: &mut UsedKeys,
        timestamps: &mut TimestampFormatter,
    ) {
        let (context, source) = (&event.context, &event.source);
        let mut object = ObjectWriter::begin(line, keys);
        write_time(&mut object, "@timestamp", LogTime::Rfc3339, event, timestamps);
        object.plain("log.level", level_in_lower_case(event.level));
        object.plain("message", &event.fact.message());
        object.plain("ecs.version", ECS_VERSION);
        object.plain("log.logger", &source.logger);
        object.plain("service.name", &self.service);
        object.plain("service.version", &self.version);
        object.plain("service.environment", &self.environment);
        object.plain("event.dataset", &format!("{}.log", self.service));
        optional(&mut object, "user.id", context.user.as_ref());
        if let Some(trace) = context.trace {
            object.plain_display("trace.id", trace.trace_id());
            object.plain_display("span.id", trace.span_id());
        }
        optional(&mut object, "log.origin.file.name", source.file.as_ref());
        if let Some(number) = source.line {
            object.plain_number("log.origin.file.line", number);
        }
        write_error(event, left_out, &mut object, ["error.message", "error.type", "error.stack_trace"]);
        let mut labels = object.nested("labels");
        each_of_context(event, &mut |name, text| {
            labels.field(name, &Value::from(text.to_owned()));
        });
        each_field(event, left_out, &mut |name, value| {
            if error_part(name).is_none() {
                let name = if name.contains(['.', '*', '\\']) {
                    Cow::Owned(name.replace(['.', '*', '\\'], "_"))
                } else {
                    Cow::Borrowed(name)
                };
                numbered(&mut labels, &name, value);
            }
        });
        labels.end();
        object.end();
    }

    /// Fields stand at the top, what is known of the context under `logging.googleapis.com/labels`.
    fn gcp(
        &self,
        event: &Event<'_>,
        left_out: u64,
        line: &mut Vec<u8>,
        buffers: &mut JsonBuffers,
        timestamps: &mut TimestampFormatter,
    ) {
        let JsonBuffers { keys, nested } = buffers;
        let source = &event.source;
        let mut object = ObjectWriter::begin(line, keys);
        object.plain("severity", severity(event.level));
        write_time(&mut object, "time", LogTime::Rfc3339, event, timestamps);
        object.plain("message", &event.fact.message());
        if let Some(trace) = event.context.trace {
            object.plain_display("logging.googleapis.com/trace", format_args!("{}{}", self.traces, trace.trace_id()));
            object.plain_display("logging.googleapis.com/spanId", trace.span_id());
            let sampled: &[u8] = if trace.is_sampled() { b"true" } else { b"false" };
            object.buffer().extend_from_slice(b",\"logging.googleapis.com/trace_sampled\":");
            object.buffer().extend_from_slice(sampled);
        }
        if let Some(file) = &source.file {
            let mut place = object.nested("logging.googleapis.com/sourceLocation");
            place.plain("file", file);
            if let Some(number) = source.line {
                place.plain_display("line", number);
            }
            optional(&mut place, "function", source.module.as_ref());
            place.end();
        }
        let mut service = object.nested("serviceContext");
        service.plain("service", &self.service);
        service.plain("version", &self.version);
        service.end();
        let mut labels = object.nested("logging.googleapis.com/labels");
        labels.plain("environment", &self.environment);
        labels.plain("logger", &source.logger);
        optional(&mut labels, "user", event.context.user.as_ref());
        each_of_context(event, &mut |name, text| {
            if name != "module" {
                labels.plain(name, text);
            }
        });
        labels.end();
        write_fields(event, left_out, &mut object, nested, is_reserved_by_gcp);
        object.end();
    }

    /// Fields stand at the top.
    fn datadog(
        &self,
        event: &Event<'_>,
        left_out: u64,
        line: &mut Vec<u8>,
        buffers: &mut JsonBuffers,
        timestamps: &mut TimestampFormatter,
    ) {
        let JsonBuffers { keys, nested } = buffers;
        let (context, source) = (&event.context, &event.source);
        let mut object = ObjectWriter::begin(line, keys);
        write_time(&mut object, "timestamp", self.time, event, timestamps);
        object.plain("status", level_in_lower_case(event.level));
        object.plain("message", &event.fact.message());
        object.plain("logger.name", &source.logger);
        object.plain("service", &self.service);
        object.plain("env", &self.environment);
        object.plain("version", &self.version);
        optional(&mut object, "usr.id", context.user.as_ref());
        if let Some(trace) = context.trace {
            object.plain_display("dd.trace_id", trace.trace_id());
            object.plain_display("dd.span_id", TraceContext::span(&trace));
        }
        each_of_context(event, &mut |name, text| object.plain(name, text));
        optional(&mut object, "file", source.file.as_ref());
        if let Some(number) = source.line {
            object.plain_number("line", number);
        }
        write_error(event, left_out, &mut object, ["error.message", "error.kind", "error.stack"]);
        write_fields(event, left_out, &mut object, nested, is_reserved_by_datadog);
        object.end();
    }
}

fn write_time(
    object: &mut ObjectWriter<'_>,
    key: &str,
    form: LogTime,
    event: &Event<'_>,
    timestamps: &mut TimestampFormatter,
) {
    timestamp::write_value(form, event.time, timestamps, object.member_of(key));
}

/// What else is known of the context, and the module.
fn each_of_context(event: &Event<'_>, visit: &mut dyn FnMut(&str, &str)) {
    let context = &event.context;
    let span = context.spans.redacted().map(|spans| Text::from(spans.name()));
    let texts = [
        ("correlation_id", &context.correlation_id),
        ("operation", &context.operation),
        ("span", &span),
        ("module", &event.source.module),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            visit(name, text);
        }
    }
}

/// Writes a field; if its name is used, with a number behind it.
fn numbered(object: &mut ObjectWriter<'_>, name: &str, value: &Value<'_>) {
    let mut number = 2;
    let mut is_written = object.field(name, value);
    while !is_written {
        is_written = object.field(&format!("{name}_{number}"), value);
        number += 1;
    }
}

/// Which part of an error a field is: its message, its type, or its stack.
fn error_part(name: &str) -> Option<usize> {
    ["error", "error_type", "backtrace"].iter().position(|known| *known == name)
}

/// Writes the parts of an error, the first field of each.
fn write_error(event: &Event<'_>, left_out: u64, object: &mut ObjectWriter<'_>, names: [&str; 3]) {
    each_field(event, left_out, &mut |name, value| {
        if let Some(part) = error_part(name) {
            object.field(names[part], value);
        }
    });
}

const fn level_in_lower_case(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warn",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

const fn severity(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    }
}

/// Names that Google Cloud takes out of the line, and those of this layout.
fn is_reserved_by_gcp(name: &str) -> bool {
    const RESERVED: [&str; 10] = [
        "fields",
        "httpRequest",
        "message",
        "serviceContext",
        "severity",
        "time",
        "timestamp",
        "timestampNanos",
        "timestampSeconds",
        "@type",
    ];
    RESERVED.contains(&name) || name.starts_with("logging.googleapis.com/")
}

/// Names that Datadog reserves, and those of this layout.
fn is_reserved_by_datadog(name: &str) -> bool {
    const RESERVED: [&str; 29] = [
        "correlation_id",
        "date",
        "dd.span_id",
        "dd.trace_id",
        "ddsource",
        "ddtags",
        "env",
        "error.kind",
        "error.message",
        "error.stack",
        "fields",
        "file",
        "host",
        "level",
        "line",
        "logger.name",
        "message",
        "module",
        "operation",
        "service",
        "severity",
        "source",
        "span",
        "status",
        "timestamp",
        "trace_id",
        "usr.id",
        "version",
        "syslog.timestamp",
    ];
    RESERVED.contains(&name)
}
