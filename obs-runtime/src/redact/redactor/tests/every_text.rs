//! Every text of every event.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::redactor;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::events::event::{CallInfo, Event, EventContext, Fact, Price, Source};
use crate::events::event_id::EventId;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Field;
use crate::events::report::{Attachment, Cause, Layer, Report, ReportKind};
#[cfg(feature = "otlp")]
use crate::events::span::Elsewhere;
use crate::events::span::{RecordedTrace, Span, SpanDetails, TraceRoot};
use crate::events::span_event::{SpanEvent, SpanEvents};
use crate::metrics::callsite::CallsiteKind;

const SECRET: &str = "ghp_1234567890abcdefghijklmnopqrstuvwxyz";

fn text() -> Cow<'static, str> {
    Cow::Borrowed(SECRET)
}

/// A report whose every text is the secret.
fn report() -> Report<'static> {
    let layer = || {
        let (fields, tags) = (vec![Field::new("a", SECRET)], vec![("b", SECRET.to_owned())]);
        let attachments = vec![Attachment { name: text(), text: text() }];
        Layer { name: text(), attribute: "tracked_command", fields, tags, fingerprint: vec![text()], attachments }
    };
    Report {
        id: EventId::fresh(),
        kind: ReportKind::Error,
        operation: text(),
        error_type: text(),
        causes: vec![Cause { type_name: text(), message: text() }],
        layers: vec![layer()],
        enclosing: Some(layer()),
        left_out: 0,
        place: Some(text()),
        stack: None,
    }
}

/// A failure whose every text is the secret.
fn failure() -> FailureFacts<'static> {
    FailureFacts { error_type: text(), message: text(), sources: vec![text(), text()] }
}

/// A span whose every text is the secret.
fn span() -> Span {
    let epoch = SystemTime::UNIX_EPOCH;
    Span {
        id: 1,
        parent: 0,
        name: text(),
        op: "function",
        attribute: "track_performance",
        begun: epoch,
        ended: epoch,
        outcome: Outcome::Ok,
        calls: None,
        place: None,
        function: None,
        details: SpanDetails::of(vec![Field::new("a", SECRET)], Some(failure())).map(|details| {
            let fields = vec![Field::new("a", SECRET), Field::new("password", "hunter2")];
            let event = SpanEvent { time: epoch, level: Level::Info, logger: text(), message: text(), fields };
            Box::new(SpanDetails { events: SpanEvents { kept: vec![event], dropped: 0 }, ..*details })
        }),
    }
}

#[test]
fn every_text_of_an_event_is_redacted() {
    let call = || CallInfo { kind: CallsiteKind::Command, name: SECRET.into(), run: None, event: None };
    let duration = Duration::ZERO;
    let facts = [
        Fact::Log { message: text() },
        Fact::Started { call: call(), arguments: Vec::new() },
        Fact::Finished { call: call(), outcome: Outcome::Error, duration, failure: Some(failure()), exit_code: None },
        Fact::Captured { operation: text(), failure: failure(), panic: false },
        Fact::Reported(Box::new(report())),
        Fact::Traced(Box::new(RecordedTrace {
            state: TraceState::parse(&format!("vendor={SECRET}")),
            root: TraceRoot { is_command: true, ..TraceRoot::new(TraceContext::begin(None), None) },
            link: None,
            span: span(),
            spans: vec![span()],
            left_out: 0,
            #[cfg(feature = "otlp")]
            elsewhere: Elsewhere::default(),
        })),
        Fact::Breadcrumb { category: text(), message: text() },
        Fact::FeatureUsed { feature: text() },
        Fact::ArgumentUsed { command: text(), argument: text() },
        Fact::Priced(Price {
            operation: text(),
            is_lower_bound: false,
            estimate: true,
            usd: 1.0,
            bytes_processed: 0,
            bytes_billed: 0,
        }),
        Fact::CostAlert {
            operation: text(),
            usd: 1.0,
            threshold_usd: Some(1.0),
            reason: "limit",
            budget: Some(text()),
            refusal: Some(text()),
        },
        Fact::Queried {
            query_type: text(),
            duration: None,
            bytes_processed: 0,
            rows: None,
            slot_time: None,
            cache_hit: false,
        },
        Fact::DatasetOperation { operation_type: text(), dataset: text() },
        Fact::HealthChecked {
            check: text(),
            status: "healthy",
            score: Some(1.0),
            duration: Some(duration),
            message: Some(text()),
        },
        Fact::QualityChecked {
            check: text(),
            dataset: text(),
            status: "failed",
            severity: "info",
            value: None,
            duration: Some(duration),
            message: Some(text()),
        },
    ];
    for fact in facts {
        let event = Event {
            time: SystemTime::UNIX_EPOCH,
            level: Level::Info,
            source: Source { logger: text(), module: Some(text()), file: Some(text()), line: Some(1) },
            context: EventContext {
                correlation_id: Some(text()),
                user: Some(text()),
                operation: Some(text()),
                ..EventContext::default()
            },
            fact,
            fields: vec![Field::new(SECRET, SECRET), Field::new("apiKey", "hunter2")],
            tags: vec![("table", SECRET.to_owned()), ("password", "hunter2".to_owned())],
        };
        let redacted = format!("{:?}", redactor().event(event));
        assert!(!redacted.contains("ghp_") && !redacted.contains("hunter2"), "{redacted}");
    }
}
