//! What a call that ends does to the errors on their way through it.

use std::borrow::Cow;

use crate::base::call_scope;
use crate::base::outcome::Outcome;
use crate::events::failure::Failure;
use crate::events::report::Layer;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::error_dedup::pending_error;
use crate::instrument::error_dedup::pending_error::{Captures, Passed, Step};
use crate::instrument::error_dedup::store;
use crate::metrics::callsite::CallsiteKind;
use crate::pipeline::global;

impl Call {
    /// Has an error or a panic pass that ends the call, or ends the way of those that were handled in it.
    #[inline]
    pub(super) fn pass(&self, outcome: Outcome, failure: Option<&Failure<'_>>) -> Passed {
        match (outcome, failure) {
            (Outcome::Error, Some(failure)) => self.fail(failure),
            (Outcome::Panic, _) => self.unwind(),
            _ => {
                if self.encloses && store::anything_waits() {
                    pending_error::end(self.frame(), outcome == Outcome::Ok);
                }
                Passed::default()
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn fail(&self, failure: &Failure<'_>) -> Passed {
        if self.is_passed_by_nothing() {
            Passed::default()
        } else {
            pending_error::fail(&self.step(), failure, || self.layer())
        }
    }

    #[cold]
    #[inline(never)]
    fn unwind(&self) -> Passed {
        if self.is_passed_by_nothing() {
            Passed::default()
        } else {
            pending_error::unwind(&self.step(), || self.layer())
        }
    }

    /// Whether there is nothing to say of an error, or nobody to whom.
    fn is_passed_by_nothing(&self) -> bool {
        let says_nothing = || self.entry().is_none() && !store::anything_waits();
        !self.encloses && (call_scope::current() == 0 || says_nothing())
    }

    fn step(&self) -> Step {
        let captures = match self.callsite.kind() {
            CallsiteKind::Errors => Captures::Yes,
            CallsiteKind::Operation | CallsiteKind::Cost => Captures::IfTheNextDoes,
            CallsiteKind::Command => Captures::No,
        };
        Step {
            name: Cow::Borrowed(self.callsite.name()),
            level: self.line_level(Outcome::Error),
            source: global::source(self.callsite.place()),
            frame: self.frame(),
            start: self.start,
            captures,
            swallows: self.swallows,
        }
    }

    /// What the call says of itself.
    pub(crate) fn layer(&self) -> Layer<'static> {
        let details = self.details();
        let callsite = self.callsite;
        let (name, attribute) = (Cow::Borrowed(callsite.name()), callsite.kind().as_str());
        Layer { name, attribute, fields: details.fields, tags: details.tags }
    }
}
