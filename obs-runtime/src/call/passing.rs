//! What a call that ends does to the errors on their way through it.

use std::borrow::Cow;

use super::Call;
use crate::callsite::CallsiteKind;
use crate::event::Layer;
use crate::failure::Failure;
use crate::frame;
use crate::global;
use crate::journey::{self, Captures, Passed, Step};
use crate::outcome::Outcome;

impl Call {
    /// Has an error or a panic pass that ends the call, or ends the way of those that were handled in it.
    #[inline]
    pub(super) fn pass(&self, outcome: Outcome, failure: Option<&Failure<'_>>) -> Passed {
        match (outcome, failure) {
            (Outcome::Error, Some(failure)) => self.fail(failure),
            (Outcome::Panic, _) => self.unwind(),
            _ => {
                if self.encloses && journey::anything_waits() {
                    journey::end(self.frame(), outcome == Outcome::Ok);
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
            journey::fail(&self.step(), failure, || self.layer())
        }
    }

    #[cold]
    #[inline(never)]
    fn unwind(&self) -> Passed {
        if self.is_passed_by_nothing() { Passed::default() } else { journey::unwind(&self.step(), || self.layer()) }
    }

    /// Whether there is nothing to say of an error, or nobody to whom.
    fn is_passed_by_nothing(&self) -> bool {
        let says_nothing = || self.entry().is_none() && !journey::anything_waits();
        !self.encloses && (frame::current() == 0 || says_nothing())
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
