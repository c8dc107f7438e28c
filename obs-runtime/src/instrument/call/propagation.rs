//! What a call that ends does with its error, and with those that wait for it.

use std::borrow::Cow;

use crate::base::call_scope;
use crate::base::outcome::Outcome;
use crate::events::failure::Failure;
use crate::events::report::Layer;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::error_dedup::propagation::{self, CallExit, CaptureOutcome, Captures};
use crate::metrics::callsite::CallsiteKind;
use crate::pipeline::global;

impl Call {
    pub(super) fn propagate(&self, outcome: Outcome, failure: Option<&Failure<'_>>) -> CaptureOutcome {
        match (outcome, failure) {
            (Outcome::Error, Some(failure)) if self.is_passed() => {
                propagation::fail(&self.exit(), failure, || self.layer())
            }
            // Also where nothing waits: it may be a panic that no hook of obs has seen.
            (Outcome::Panic, _) => propagation::unwind(&self.exit(), || self.layer()),
            _ => {
                if self.encloses {
                    propagation::end();
                }
                CaptureOutcome::default()
            }
        }
    }

    /// Whether the call has something to add to its error, or to find out about it.
    fn is_passed(&self) -> bool {
        self.encloses || call_scope::has_waiting() || self.entry().is_some() && call_scope::is_inside()
    }

    fn exit(&self) -> CallExit {
        let captures = match self.callsite.kind() {
            CallsiteKind::Errors => Captures::Yes,
            CallsiteKind::Operation | CallsiteKind::Cost => Captures::Deferred,
            // One that is ended from outside has no error of its own.
            CallsiteKind::Command => {
                if self.encloses {
                    Captures::Yes
                } else {
                    Captures::No
                }
            }
        };
        CallExit {
            name: Cow::Borrowed(self.callsite.name()),
            level: self.line_level(Outcome::Error),
            source: global::source(self.callsite.place()),
            ends_scope: self.encloses,
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
        let fingerprint = self.entry().map(|entry| entry.fingerprint.iter().cloned().map(Cow::Owned).collect());
        let fingerprint = fingerprint.unwrap_or_default();
        Layer { name, attribute, fields: details.fields, tags: details.tags, fingerprint, ..Layer::default() }
    }
}
