//! The scope that a call has for itself when nothing encloses it.

use crate::context::own_scope::{self, KeptScope};
use crate::context::scope_state;
use crate::instrument::call::tracked_call::Call;

impl Call {
    /// Ends the scope of its own on this thread. A future enters one for each poll instead.
    #[inline]
    pub(crate) fn end_own_scope(&mut self) {
        if std::mem::take(&mut self.own_scope) {
            own_scope::end();
        }
    }

    /// Whether the future of the call has set something in its context, or keeps a scope entered.
    pub(crate) fn has_kept_scope(&self) -> bool {
        self.entry().is_some_and(|entry| entry.kept_scope.is_some())
    }

    /// Enters the scope of its own for one poll of the call's future, unless something encloses the poll.
    #[inline]
    pub(crate) fn enter_own_scope(&mut self) -> OwnScope<'_> {
        let has_begun = self.is_on() && scope_state::begin();
        if has_begun && let Some(kept) = self.entry.as_mut().and_then(|entry| entry.kept_scope.take()) {
            kept.enter();
        }
        OwnScope { call: self, has_begun }
    }
}

/// Leaves the scope of a call's future when it is dropped.
#[derive(Debug)]
pub struct OwnScope<'c> {
    pub(crate) call: &'c mut Call,
    has_begun: bool,
}

impl Drop for OwnScope<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.has_begun
            && let Some(kept) = KeptScope::leave()
            && self.call.is_on()
        {
            self.call.entry.get_or_insert_default().kept_scope = Some(kept);
        }
    }
}
