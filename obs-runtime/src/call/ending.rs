//! The end of a command from elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Call;
use crate::callsite::Callsite;
use crate::cells::Cells;
use crate::clock::Stamp;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// What it takes to end a command from elsewhere, when its function will not return.
#[derive(Debug)]
pub struct Ending {
    callsite: &'static Callsite,
    cells: Option<&'static Cells>,
    start: Stamp,
    ended: Arc<AtomicBool>,
}

impl Call {
    pub(crate) fn ending(&mut self) -> Ending {
        let ended = Arc::clone(self.entry.get_or_insert_default().ended.get_or_insert_default());
        Ending { callsite: self.callsite, cells: self.cells, start: self.start, ended }
    }
}

impl Ending {
    /// The command's name.
    pub(crate) const fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// Ends the call with the outcome that an exit code tells.
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

    fn end(&self, outcome: Outcome, failure: Option<&Failure<'_>>, exit_code: u8) -> bool {
        let Self { callsite, cells, start, ref ended } = *self;
        let first = !ended.swap(true, Ordering::SeqCst);
        if first {
            let unless_finished = Outcome::Ok;
            let mut call = Call { callsite, cells, here: None, start, entry: None, unless_finished, flushes: false };
            call.end(outcome, failure, Some(exit_code));
        }
        first
    }
}
