//! A call that begins when the future of its function is polled for the first time.

use crate::instrument::call::entry::Entry;
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::Callsite;
use crate::pipeline::global;

/// A call that has not begun, with its tags and arguments. One that is dropped instead of begun counts as a panic: only a
/// panic keeps the function from returning its future.
#[derive(Debug)]
pub struct Prepared {
    callsite: &'static Callsite,
    entry: Option<Box<Entry>>,
    has_begun: bool,
}

impl Callsite {
    /// Prepares a call without arguments and tags.
    #[inline]
    pub fn prepare(&'static self) -> Prepared {
        Prepared { callsite: self, entry: None, has_begun: false }
    }

    /// Prepares a call; `describe` records arguments and tags, and runs only when obs is on.
    #[inline]
    pub fn prepare_with(&'static self, describe: impl FnOnce(&mut Entry)) -> Prepared {
        let mut prepared = self.prepare();
        if !global::interest().is_off() {
            describe(prepared.entry.get_or_insert_default());
        }
        prepared
    }
}

impl Prepared {
    /// Begins the call.
    pub fn begin(mut self) -> Call {
        self.start()
    }

    fn start(&mut self) -> Call {
        self.has_begun = true;
        match self.entry.take() {
            Some(entry) if !global::interest().is_off() => self.callsite.begin_described(entry),
            _ => self.callsite.begin(),
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.has_begun {
            drop(self.start());
        }
    }
}
