//! Ends a command whose function will not return.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::clock::Stamp;
use crate::base::outcome::Outcome;
use crate::events::failure::Failure;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::Callsite;
use crate::metrics::cells::Cells;

/// Ends a command on behalf of its call, once, with the arguments and tags of its start.
#[derive(Debug)]
pub struct CommandFinisher {
    callsite: &'static Callsite,
    cells: Option<&'static Cells>,
    start: Stamp,
    ended: Arc<AtomicBool>,
    entry: Entry,
}

impl Call {
    pub(crate) fn finisher(&mut self) -> CommandFinisher {
        let entry = self.entry.get_or_insert_default();
        let ended = Arc::clone(entry.ended.get_or_insert_default());
        let entry = entry.for_finisher();
        CommandFinisher { callsite: self.callsite, cells: self.cells, start: self.start, ended, entry }
    }
}

impl CommandFinisher {
    /// The command's name.
    pub(crate) const fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// Whether the command has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Ends the call by an exit code that the command itself has asked for.
    pub(crate) fn end_by_exit(&self, exit_code: u8) {
        let failure = (exit_code != 0).then(|| Failure::words("exit_code", "the program exited"));
        let outcome = if failure.is_some() { Outcome::Error } else { Outcome::Ok };
        self.end(outcome, failure.as_ref(), Some(exit_code));
    }

    /// Ends the call as cancelled; false when it has ended already.
    pub(crate) fn cancel(&self, reason: &Failure<'_>, exit_code: Option<u8>) -> bool {
        self.end(Outcome::Cancelled, Some(reason), exit_code)
    }

    /// Ends the call as panicked: the process is about to abort.
    pub(crate) fn end_by_panic(&self) {
        self.end(Outcome::Panic, None, Some(134));
    }

    fn end(&self, outcome: Outcome, failure: Option<&Failure<'_>>, exit_code: Option<u8>) -> bool {
        let first = !self.ended.swap(true, Ordering::SeqCst);
        if first {
            let mut call = Call::new(self.callsite, self.cells, self.start);
            call.entry = Some(Box::new(self.entry.for_finisher()));
            call.end(outcome, failure, exit_code);
        }
        first
    }
}
