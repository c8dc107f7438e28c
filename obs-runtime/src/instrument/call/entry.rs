//! What is recorded of a call when it begins.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::secret::MASK;
use crate::context::own_scope::KeptScope;
use crate::events::active_span::{Active, OpenSpan, SpanGuard};
use crate::events::command_run::CommandRun;
use crate::events::event::Details;
use crate::events::field::{Field, Value};
use crate::events::panics::caught;
use crate::metrics::callsite::Tags;
use crate::metrics::cardinality::truncate;
use crate::pipeline::global;

/// What is recorded of a call when it begins.
#[derive(Debug, Default)]
pub struct Entry {
    pub(crate) tags: Tags,
    pub(crate) arguments: Vec<(&'static str, Value<'static>)>,
    pub(crate) context: Vec<(&'static str, Value<'static>)>,
    /// What errors are grouped by.
    pub(crate) fingerprint: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) dataset: Option<String>,
    /// Labels of the jobs that run inside.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// Of a command: whether it has ended.
    pub(super) ended: Option<Arc<AtomicBool>>,
    /// What a future has set in its context, if nothing encloses the call.
    pub(super) kept_scope: Option<Box<KeptScope>>,
    /// Its span, in a recorded trace.
    pub(super) span: Option<CallSpan>,
    /// Of a command: its run.
    pub(crate) run: Option<Arc<CommandRun>>,
    /// Of a command: what is kept until it ends.
    pub(crate) kept: Option<Arc<dyn Any + Send + Sync>>,
}

/// The span of a call.
#[derive(Debug)]
pub struct CallSpan {
    /// What is active inside of a call that begins a trace which is not recorded, in place of a span.
    pub(super) span: Result<OpenSpan, Active>,
    /// While it is the active span of its thread; a future enters it for each poll instead.
    pub(super) inside: Option<SpanGuard>,
}

impl CallSpan {
    /// What is active inside of the call.
    pub(super) fn active(&self) -> Active {
        self.span.as_ref().map_or_else(Clone::clone, |span| Active::Span(span.active.clone()))
    }
}

impl Entry {
    /// A metric label. Its value is redacted, as all text is.
    pub fn tag(&mut self, name: &'static str, value: String) {
        let value = match global::pipeline() {
            Some(pipeline) => pipeline.named(name, value.into()).into_owned(),
            None => value,
        };
        self.tags.push((name, truncate(value)));
    }

    /// An argument as it is.
    pub fn argument(&mut self, name: &'static str, value: Value<'static>) {
        self.arguments.push((name, value));
    }

    /// An argument of which only the presence is recorded.
    pub fn redacted(&mut self, name: &'static str) {
        self.argument(name, Value::from(MASK));
    }

    /// An argument as a keyed hash: equal for equal values.
    #[expect(clippy::needless_pass_by_value, reason = "generated code has no other use for the value")]
    pub fn hashed(&mut self, name: &'static str, value: Value<'static>) {
        let hash = global::pipeline().map(|pipeline| pipeline.hashed(&value.to_string()));
        self.argument(name, hash.unwrap_or(Value::from(MASK)));
    }

    /// An argument of which only the length is recorded.
    pub fn length(&mut self, name: &'static str, length: usize) {
        self.argument(name, Value::Length(length as u64));
    }

    /// A part of what errors are grouped by.
    pub fn fingerprint(&mut self, part: String) {
        self.fingerprint.push(part);
    }

    /// The user of a command.
    pub fn user(&mut self, user: String) {
        self.user = Some(user);
    }

    /// The data set that a cost scope works on.
    pub fn dataset(&mut self, dataset: String) {
        self.dataset = Some(dataset);
    }

    /// A label of the jobs that run inside. Its value is redacted, as all text is.
    pub fn label(&mut self, name: &'static str, value: String) {
        let value = match global::pipeline() {
            Some(pipeline) => pipeline.named(name, value.into()).into_owned(),
            None => value,
        };
        self.labels.push((name, value));
    }

    /// Context of an error.
    pub fn context(&mut self, name: &'static str, value: Value<'static>) {
        self.context.push((name, value));
    }

    /// What the end of a command records on another thread.
    pub(super) fn for_finisher(&self) -> Self {
        Self {
            tags: self.tags.clone(),
            arguments: self.arguments.clone(),
            context: self.context.clone(),
            run: self.run.clone(),
            ..Self::default()
        }
    }

    /// Records what a check says of itself. A panic in there does not change the check's result.
    pub(crate) fn describe(&mut self, describe: fn(&mut Self)) {
        let _ = caught(|| describe(self));
    }

    /// Ends a command. Returns whether it had ended before.
    pub(super) fn was_ended(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.swap(true, Ordering::SeqCst))
    }

    /// Whether it is a span of a recorded trace.
    #[inline]
    pub(super) const fn has_span(&self) -> bool {
        self.span.is_some()
    }

    /// The arguments that were used: no absent option and no unset flag.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let absent = |value: &Value<'_>| *value == Value::Bool(false) || *value == Value::from("None");
        self.arguments.iter().filter(|(_, value)| !absent(value)).map(|(name, _)| *name).collect()
    }

    pub(crate) fn details(&self) -> Details<'static> {
        Details { fields: self.fields(), tags: self.tags.clone() }
    }

    pub(super) fn fields(&self) -> Vec<Field<'static>> {
        let tags = self.tags.iter().map(|(name, value)| Field::new(*name, value.clone()));
        let named = |(name, value): &(&'static str, Value<'static>)| Field::new(*name, value.clone());
        self.arguments.iter().map(named).chain(tags).chain(self.context.iter().map(named)).collect()
    }
}
