//! Redaction of every text of an event. Each `match` and pattern is exhaustive, so that a new field must be considered.

use crate::events::event::{CallInfo, Event, EventContext, Fact, Price, Source};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Field, Text};
use crate::events::log_span::EventSpans;
use crate::events::report::{Attachment, Cause, Layer, Report};
use crate::events::span::{RecordedTrace, Span, SpanDetails};
use crate::metrics::callsite::Tags;
use crate::redact::redactor::Redactor;

impl Redactor {
    pub(super) fn redact_event<'a>(&self, event: Event<'a>) -> Event<'a> {
        let Event { time, level, source, context, fact, mut fields, mut tags } = event;
        self.redact_fields(&mut fields);
        self.redact_tags(&mut tags);
        let (source, context, fact) = (self.source(source), self.scope(context), self.fact(fact));
        Event { time, level, source, context, fact, fields, tags }
    }

    fn redact_fields(&self, fields: &mut [Field<'_>]) {
        for field in fields {
            self.field(field);
        }
    }

    fn redact_tags(&self, tags: &mut Tags) {
        for (name, value) in tags {
            *value = self.named(name, std::mem::take(value).into()).into_owned();
        }
    }

    fn source<'a>(&self, source: Source<'a>) -> Source<'a> {
        let Source { logger, module, file, line } = source;
        let repeated = |text: Option<Text<'a>>| text.map(|text| self.repeated(text));
        Source { logger: self.repeated(logger), module: repeated(module), file: repeated(file), line }
    }

    fn scope<'a>(&self, scope: EventContext<'a>) -> EventContext<'a> {
        let EventContext {
            correlation_id,
            user,
            contact,
            operation,
            trace,
            mut fields,
            field_serials,
            spans,
            mut tags,
            level,
        } = scope;
        self.fields(&mut fields);
        self.fields(&mut tags);
        let repeated = |text: Option<Text<'a>>| text.map(|text| self.repeated(text));
        EventContext {
            trace,
            fields,
            field_serials,
            spans: self.spans(spans),
            correlation_id: repeated(correlation_id),
            user: user.map(|user| self.user(user)),
            contact,
            tags,
            level,
            operation: repeated(operation),
        }
    }

    fn spans(&self, spans: EventSpans) -> EventSpans {
        match spans {
            EventSpans::None => EventSpans::None,
            EventSpans::Raw(span) => EventSpans::Redacted(span.redacted(self.id(), |field| self.field(field))),
            EventSpans::Redacted(spans) => EventSpans::Redacted(spans),
        }
    }

    fn fact<'a>(&self, fact: Fact<'a>) -> Fact<'a> {
        match fact {
            Fact::Log { message } => Fact::Log { message: self.text(message) },
            // Names of arguments are identifiers of the program.
            Fact::Started { call, arguments } => Fact::Started { call: self.call(call), arguments },
            Fact::Finished { call, outcome, duration, failure, exit_code } => Fact::Finished {
                call: self.call(call),
                outcome,
                duration,
                failure: failure.map(|failure| self.failure(failure)),
                exit_code,
            },
            Fact::Captured { operation, failure, panic } => {
                Fact::Captured { operation: self.repeated(operation), failure: self.failure(failure), panic }
            }
            Fact::Reported(report) => Fact::Reported(Box::new(self.report(*report))),
            Fact::Traced(recorded) => Fact::Traced(Box::new(self.recorded(*recorded))),
            Fact::Breadcrumb { category, message } => {
                Fact::Breadcrumb { category: self.text(category), message: self.text(message) }
            }
            Fact::FeatureUsed { feature } => Fact::FeatureUsed { feature: self.text(feature) },
            Fact::Priced(Price { operation, estimate, is_lower_bound, usd, bytes_processed, bytes_billed }) => {
                Fact::Priced(Price {
                    operation: self.text(operation),
                    estimate,
                    is_lower_bound,
                    usd,
                    bytes_processed,
                    bytes_billed,
                })
            }
            Fact::CostAlert { operation, usd, threshold_usd, reason, budget, refusal } => Fact::CostAlert {
                operation: self.text(operation),
                usd,
                threshold_usd,
                reason,
                budget: budget.map(|budget| self.text(budget)),
                refusal: refusal.map(|refusal| self.text(refusal)),
            },
            Fact::Queried { query_type, duration, bytes_processed, rows, slot_time, cache_hit } => Fact::Queried {
                query_type: self.text(query_type),
                duration,
                bytes_processed,
                rows,
                slot_time,
                cache_hit,
            },
            Fact::DatasetOperation { operation_type, dataset } => {
                Fact::DatasetOperation { operation_type: self.text(operation_type), dataset: self.text(dataset) }
            }
            Fact::HealthChecked { check, status, score, duration, message } => Fact::HealthChecked {
                check: self.text(check),
                status,
                score,
                duration,
                message: self.optional(message),
            },
            Fact::QualityChecked { check, dataset, status, severity, value, duration, message } => {
                Fact::QualityChecked {
                    check: self.text(check),
                    dataset: self.text(dataset),
                    status,
                    severity,
                    value,
                    duration,
                    message: self.optional(message),
                }
            }
        }
    }

    fn call(&self, call: CallInfo) -> CallInfo {
        let CallInfo { kind, name, run, event } = call;
        CallInfo { kind, name: self.repeated(name), run, event }
    }

    fn recorded(&self, recorded: RecordedTrace) -> RecordedTrace {
        let RecordedTrace { root, link, span, spans, left_out } = recorded;
        let (span, spans) = (self.span(span), spans.into_iter().map(|span| self.span(span)).collect());
        RecordedTrace { root, link, span, spans, left_out }
    }

    fn span(&self, span: Span) -> Span {
        // The place is one in the program's source code.
        let Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place, details } = span;
        let (name, details) = (self.repeated(name), details.map(|details| Box::new(self.span_details(*details))));
        Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place, details }
    }

    fn span_details(&self, details: SpanDetails) -> SpanDetails {
        let SpanDetails { mut fields, failure } = details;
        self.redact_fields(&mut fields);
        SpanDetails { fields, failure: failure.map(|failure| self.failure(failure)) }
    }

    fn report<'a>(&self, report: Report<'a>) -> Report<'a> {
        // A stack contains nothing but identifiers of the program.
        let Report { id, kind, operation, error_type, causes, layers, enclosing, left_out, place, stack } = report;
        let cause = |Cause { type_name, message }: Cause<'a>| Cause {
            type_name: self.repeated(type_name),
            message: self.text(message),
        };
        let attachment =
            |Attachment { name, text }: Attachment<'a>| Attachment { name: self.text(name), text: self.text(text) };
        let layer = |Layer { name, attribute, mut fields, mut tags, fingerprint, attachments }: Layer<'a>| {
            self.redact_fields(&mut fields);
            self.redact_tags(&mut tags);
            let fingerprint = fingerprint.into_iter().map(|part| self.text(part)).collect();
            let attachments = attachments.into_iter().map(attachment).collect();
            Layer { name: self.repeated(name), attribute, fields, tags, fingerprint, attachments }
        };
        Report {
            id,
            kind,
            operation: self.repeated(operation),
            error_type: self.repeated(error_type),
            causes: causes.into_iter().map(cause).collect(),
            layers: layers.into_iter().map(layer).collect(),
            enclosing: enclosing.map(layer),
            left_out,
            place: self.optional(place),
            stack,
        }
    }

    fn failure<'a>(&self, failure: FailureFacts<'a>) -> FailureFacts<'a> {
        let FailureFacts { error_type, message, sources } = failure;
        FailureFacts {
            error_type: self.repeated(error_type),
            message: self.text(message),
            sources: sources.into_iter().map(|source| self.text(source)).collect(),
        }
    }

    fn optional<'a>(&self, text: Option<Text<'a>>) -> Option<Text<'a>> {
        text.map(|text| self.text(text))
    }
}
