//! Redaction of every text of an event. Each `match` and pattern is exhaustive, so that a new field must be considered.

use crate::base::trace_state::TraceState;
use crate::events::event::{CallInfo, Event, EventContext, Fact, Price, Source};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Field, Text};
use crate::events::log_span::EventSpans;
use crate::events::report::{Attachment, Cause, Layer, Report};
use crate::events::span::{RecordedTrace, Span, SpanDetails};
use crate::events::span_event::{SpanEvent, SpanEvents};
use crate::metrics::callsite::Tags;
use crate::redact::redactor::Redactor;

impl Redactor {
    /// In place, as an event is large.
    pub(super) fn redact_event(&self, event: &mut Event<'_>) {
        let Event { time: _, level: _, source, context, fact, fields, tags } = event;
        self.redact_fields(fields);
        self.redact_tags(tags);
        self.source(source);
        self.scope(context);
        self.fact(fact);
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

    fn source(&self, source: &mut Source<'_>) {
        let Source { logger, module, file, line: _ } = source;
        self.repeated_in_place(logger);
        for text in module.iter_mut().chain(file) {
            self.repeated_in_place(text);
        }
    }

    fn scope(&self, scope: &mut EventContext<'_>) {
        let EventContext {
            correlation_id,
            user,
            contact: _,
            operation,
            trace: _,
            fields,
            field_serials: _,
            spans,
            tags,
            level: _,
        } = scope;
        self.fields(fields);
        self.fields(tags);
        for text in correlation_id.iter_mut().chain(operation) {
            self.repeated_in_place(text);
        }
        if let Some(user) = user {
            self.user(user);
        }
        if let EventSpans::Raw(span) = spans {
            *spans = EventSpans::Redacted(span.redacted(self.id(), |field| self.field(field)));
        }
    }

    fn fact(&self, fact: &mut Fact<'_>) {
        match fact {
            Fact::Log { message } => self.in_place(message),
            // Names of arguments are identifiers of the program.
            Fact::Started { call, arguments: _ } => self.call(call),
            Fact::Finished { call, outcome: _, duration: _, failure, exit_code: _ } => {
                self.call(call);
                if let Some(failure) = failure {
                    self.failure(failure);
                }
            }
            Fact::Captured { operation, failure, panic: _ } => {
                self.repeated_in_place(operation);
                self.failure(failure);
            }
            Fact::Reported(report) => self.report(report),
            Fact::Traced(recorded) => self.recorded(recorded),
            Fact::Breadcrumb { category, message } => {
                self.in_place(category);
                self.in_place(message);
            }
            Fact::FeatureUsed { feature } => self.in_place(feature),
            Fact::ArgumentUsed { command, argument } => {
                self.repeated_in_place(command);
                self.in_place(argument);
            }
            Fact::Priced(Price {
                operation,
                estimate: _,
                is_lower_bound: _,
                usd: _,
                bytes_processed: _,
                bytes_billed: _,
            }) => self.in_place(operation),
            Fact::CostAlert { operation, usd: _, threshold_usd: _, reason: _, budget, refusal } => {
                self.in_place(operation);
                for text in budget.iter_mut().chain(refusal) {
                    self.in_place(text);
                }
            }
            Fact::Queried { query_type, duration: _, bytes_processed: _, rows: _, slot_time: _, cache_hit: _ } => {
                self.in_place(query_type);
            }
            Fact::DatasetOperation { operation_type, dataset } => {
                self.in_place(operation_type);
                self.in_place(dataset);
            }
            Fact::HealthChecked { check, status: _, score: _, duration: _, message } => {
                self.in_place(check);
                self.optional(message);
            }
            Fact::QualityChecked { check, dataset, status: _, severity: _, value: _, duration: _, message } => {
                self.in_place(check);
                self.in_place(dataset);
                self.optional(message);
            }
        }
    }

    fn call(&self, call: &mut CallInfo) {
        let CallInfo { kind: _, name, run: _, event: _ } = call;
        self.repeated_in_place(name);
    }

    fn recorded(&self, recorded: &mut RecordedTrace) {
        let RecordedTrace { root: _, link: _, state, span, spans, left_out: _, .. } = recorded;
        // It has a format that must stay.
        let is_clean = |state: &TraceState| self.text(state.as_str().into()) == state.as_str();
        *state = state.take().filter(is_clean);
        self.span(span);
        for span in spans {
            self.span(span);
        }
    }

    fn span(&self, span: &mut Span) {
        // The place and the function are those of the program's source code.
        let Span {
            id: _,
            parent: _,
            name,
            op: _,
            attribute: _,
            begun: _,
            ended: _,
            outcome: _,
            calls: _,
            place: _,
            function: _,
            details,
        } = span;
        self.repeated_in_place(name);
        if let Some(details) = details {
            // A stack contains nothing but identifiers of the program.
            let SpanDetails { fields, failure, stack: _, events: SpanEvents { kept, dropped: _ } } = &mut **details;
            self.redact_fields(fields);
            if let Some(failure) = failure {
                self.failure(failure);
            }
            for SpanEvent { time: _, level: _, logger, message, fields } in kept {
                self.repeated_in_place(logger);
                self.in_place(message);
                self.redact_fields(fields);
            }
        }
    }

    fn report(&self, report: &mut Report<'_>) {
        // A stack contains nothing but identifiers of the program.
        let Report { id: _, kind: _, operation, error_type, causes, layers, enclosing, left_out: _, place, stack: _ } =
            report;
        self.repeated_in_place(operation);
        self.repeated_in_place(error_type);
        for Cause { type_name, message } in causes {
            self.repeated_in_place(type_name);
            self.in_place(message);
        }
        for layer in layers.iter_mut().chain(enclosing) {
            self.layer(layer);
        }
        self.optional(place);
    }

    fn layer(&self, layer: &mut Layer<'_>) {
        let Layer { name, attribute: _, fields, tags, fingerprint, attachments } = layer;
        self.repeated_in_place(name);
        self.redact_fields(fields);
        self.redact_tags(tags);
        for part in fingerprint {
            self.in_place(part);
        }
        for Attachment { name, text } in attachments {
            self.in_place(name);
            self.in_place(text);
        }
    }

    fn failure(&self, failure: &mut FailureFacts<'_>) {
        let FailureFacts { error_type, message, sources } = failure;
        self.repeated_in_place(error_type);
        self.in_place(message);
        for source in sources {
            self.in_place(source);
        }
    }

    fn optional(&self, text: &mut Option<Text<'_>>) {
        if let Some(text) = text {
            self.in_place(text);
        }
    }
}
