//! Sampled command runs as transactions, with a span for each call and query.

use std::collections::HashSet;

use ::sentry::protocol::{self, Context, SpanId, SpanStatus, Transaction};

use crate::base::outcome::Outcome;
use crate::events::event::Event;
use crate::events::span::{RecordedTrace, Span, TraceRoot};
use crate::exporters::sentry::contexts::{contexts, limited, span_id, tags, trace_id, user};
use crate::exporters::sentry::options::Settings;

/// The most bytes of the name of a transaction or span.
const MAX_NAME: usize = 200;

const fn status(outcome: Outcome) -> SpanStatus {
    match outcome {
        Outcome::Ok => SpanStatus::Ok,
        Outcome::Error => SpanStatus::UnknownError,
        Outcome::Panic => SpanStatus::InternalError,
        Outcome::Cancelled => SpanStatus::Cancelled,
    }
}

/// A number with a comma after each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The transaction of a run.
pub fn transaction(settings: &Settings, event: &Event<'_>, recorded: &RecordedTrace) -> Transaction<'static> {
    let RecordedTrace { root: TraceRoot { trace, caller, .. }, link: _, state: _, span: run, spans, left_out, .. } =
        recorded;
    let Span { name, op, begun, ended, outcome, .. } = run;
    let sent: HashSet<u64> = spans.iter().map(|span| span.id).collect();
    let op = if recorded.root.is_request { "http.server" } else { op };
    let (trace_id, root) = (trace_id(trace), span_id(trace));
    let span = |span: &Span| {
        let Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place: _, function: _, details: _ } =
            span;
        // A parent that a tracer of the program exports is not here.
        let parent = if sent.contains(parent) { SpanId::from(parent.to_be_bytes()) } else { root };
        let mut data = protocol::Map::from([("attribute".to_owned(), (*attribute).into())]);
        let mut description = limited(name, MAX_NAME).into_owned();
        if let Some((calls, total)) = calls {
            let total = total.as_secs_f64();
            description = format!("{description} × {}, {total:.1} s", grouped(*calls));
            data.extend([("calls".to_owned(), (*calls).into()), ("total_seconds".to_owned(), total.into())]);
        }
        protocol::Span {
            span_id: SpanId::from(id.to_be_bytes()),
            trace_id,
            parent_span_id: Some(parent),
            op: Some((*op).to_owned()),
            description: Some(description),
            start_timestamp: *begun,
            timestamp: Some(*ended),
            status: Some(status(*outcome)),
            data,
            ..protocol::Span::default()
        }
    };
    let of_run = protocol::TraceContext {
        span_id: root,
        trace_id,
        parent_span_id: caller.as_ref().map(span_id),
        op: Some(op.to_owned()),
        status: Some(status(*outcome)),
        ..protocol::TraceContext::default()
    };
    let mut contexts = contexts(&event.context, std::iter::empty());
    contexts.insert("trace".to_owned(), Context::Trace(Box::new(of_run)));
    let left_out = (*left_out > 0).then(|| ("spans_left_out".to_owned(), (*left_out).into()));
    Transaction {
        name: Some(limited(name, MAX_NAME).into_owned()),
        release: settings.release.clone().map(Into::into),
        environment: Some(settings.environment.clone().into()),
        user: user(&event.context),
        tags: tags(settings, &event.context, [&event.tags]),
        extra: left_out.into_iter().collect(),
        platform: "native".into(),
        timestamp: Some(*ended),
        start_timestamp: *begun,
        spans: spans.iter().map(span).collect(),
        contexts,
        server_name: settings.server_name.clone().map(Into::into),
        ..Transaction::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::base::trace_context::TraceContext;
    use crate::config::validated::Config;
    use crate::events::event::{EventContext, Fact, Source};
    use crate::exporters::sentry::options::SentryOptions;
    use crate::metrics::callsite::Tags;

    #[test]
    fn each_parent_of_a_span_is_part_of_the_transaction() {
        let trace = TraceContext::begin(None);
        let span = |id, parent| Span {
            id,
            parent,
            name: "load".into(),
            op: "function",
            attribute: "track_performance",
            begun: SystemTime::now(),
            ended: SystemTime::now(),
            outcome: Outcome::Ok,
            calls: None,
            place: None,
            function: None,
            details: None,
        };
        let recorded = RecordedTrace {
            root: TraceRoot { is_command: true, ..TraceRoot::new(trace, None) },
            link: None,
            state: None,
            span: span(trace.span(), 0),
            // The last one is in a span that a tracer of the program exports.
            spans: vec![span(1, trace.span()), span(2, 1), span(3, 77)],
            left_out: 0,
            #[cfg(feature = "otlp")]
            elsewhere: crate::events::span::Elsewhere::default(),
        };
        let event = Event {
            time: SystemTime::now(),
            level: crate::base::level::Level::Info,
            source: Source::default(),
            context: EventContext::default(),
            fact: Fact::Log { message: "".into() },
            fields: Vec::new(),
            tags: Tags::new(),
        };
        let settings = Settings::new(&Config::default(), &SentryOptions::default());
        let sent = transaction(&settings, &event, &recorded);
        let parents: Vec<_> = sent.spans.iter().map(|span| span.parent_span_id).collect();
        let root = Some(span_id(&trace));
        assert_eq!(parents, [root, Some(SpanId::from(1_u64.to_be_bytes())), root]);
    }
}
