//! The fields of `tracing` spans that are not attributes: `otel.name`, `otel.kind`, `otel.status_code` and `otel.status_message`, by which
//! instrumented libraries say what a span is, as `tracing-opentelemetry` reads them.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::events::field::{Field, Value};

/// Applies a field to the span, if it is one of these. A value that is not one of those allowed is ignored.
pub fn apply(span: &mut Span, field: &Field<'_>) -> bool {
    let Value::Text(value) = &field.value else { return false };
    match &*field.name {
        "otel.name" => value.as_ref().clone_into(&mut span.name),
        "otel.kind" => span.kind = kind(value).map_or(span.kind, Into::into),
        "otel.status_code" => {
            if let Some(code) = status_code(value) {
                span.status.get_or_insert_default().code = code.into();
            }
        }
        "otel.status_message" | "otel.status_description" => {
            value.as_ref().clone_into(&mut span.status.get_or_insert_default().message);
        }
        _ => return false,
    }
    true
}

fn kind(value: &str) -> Option<SpanKind> {
    let kinds = [
        ("client", SpanKind::Client),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
        ("producer", SpanKind::Producer),
        ("server", SpanKind::Server),
    ];
    kinds.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, kind)| kind)
}

fn status_code(value: &str) -> Option<StatusCode> {
    let codes = [("ok", StatusCode::Ok), ("error", StatusCode::Error)];
    codes.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_say_what_a_span_is_are_no_attributes() {
        let mut span = Span { name: "request".to_owned(), kind: SpanKind::Internal.into(), ..Span::default() };
        for (name, value) in [
            ("otel.name", "GET /users/{id}"),
            ("otel.kind", "Server"),
            ("otel.kind", "what"),
            ("otel.status_code", "ERROR"),
            ("otel.status_message", "no such user"),
            ("otel.status_code", "what"),
        ] {
            assert!(apply(&mut span, &Field::new(name, value)), "{name}");
        }
        assert!(!apply(&mut span, &Field::new("otel.other", "x")) && !apply(&mut span, &Field::new("otel.kind", 1)));
        assert_eq!((&*span.name, span.kind()), ("GET /users/{id}", SpanKind::Server));
        let status = span.status.unwrap();
        assert_eq!((status.code(), &*status.message), (StatusCode::Error, "no such user"));
    }
}
