//! Ends a command whose function will not return.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::clock::Stamp;
use crate::base::command_run::CommandRun;
use crate::base::outcome::Outcome;
use crate::events::failure::Failure;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::Callsite;
use crate::metrics::cells::Cells;

/// Ends a command on behalf of its call, once.
#[derive(Debug)]
pub struct CommandFinisher {
    callsite: &'static Callsite,
    cells: Option<&'static Cells>,
    start: Stamp,
    ended: Arc<AtomicBool>,
    run: Option<Arc<CommandRun>>,
}

impl Call {
    pub(crate) fn finisher(&mut self) -> CommandFinisher {
        let entry = self.entry.get_or_insert_default();
        let ended = Arc::clone(entry.ended.get_or_insert_default());
        CommandFinisher { callsite: self.callsite, cells: self.cells, start: self.start, ended, run: entry.run.clone() }
    }
}

impl CommandFinisher {
    /// The command's name.
    pub(crate) const fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// Ends the call by an exit code.
    pub(crate) fn end_by_exit(&self, exit_code: u8) {
        let failure = (exit_code != 0).then(|| Failure::words("exit_code", "the program exited"));
        let outcome = if failure.is_some() { Outcome::Error } else { Outcome::Ok };
        self.end(outcome, failure.as_ref(), exit_code);
    }

    /// Ends the call as cancelled, by a signal of that name; false when it has ended already.
    #[cfg(unix)]
    pub(crate) fn end_by_signal(&self, signal: &'static str, exit_code: u8) -> bool {
        self.end(Outcome::Cancelled, Some(&Failure::words("signal", signal)), exit_code)
    }

    /// Ends the call as panicked: the process is about to abort.
    pub(crate) fn end_by_panic(&self) {
        self.end(Outcome::Panic, None, 134);
    }

    fn end(&self, outcome: Outcome, failure: Option<&Failure<'_>>, exit_code: u8) -> bool {
        let first = !self.ended.swap(true, Ordering::SeqCst);
        if first {
            let mut call = Call::new(self.callsite, self.cells, self.start);
            call.entry = Some(Box::new(Entry { run: self.run.clone(), ..Entry::default() }));
            call.end(outcome, failure, Some(exit_code));
        }
        first
    }
}
