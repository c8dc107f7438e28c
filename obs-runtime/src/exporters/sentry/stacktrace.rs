//! Stack traces with names and source locations of functions.

use std::time::Duration;

use ::sentry::protocol::{Addr, Frame, Stacktrace};

use crate::base::stack::Stack;
use crate::exporters::sentry::frames::{self, KnownPlace, without_name};
use crate::exporters::sentry::in_app::InApp;
use crate::exporters::stack_names::StackNames;

/// The most frames that are sent.
const MAX_FRAMES: usize = 100;

/// Makes stack traces of stacks. Without names where their lookup is late: Sentry may resolve the addresses.
#[derive(Debug)]
pub struct Names(StackNames<Frame>);

impl Names {
    /// An empty cache.
    pub fn new(in_app: InApp, limit: Duration) -> Self {
        Self(StackNames::new(move |address| frames::look_up(address, &in_app), limit))
    }

    /// The stack trace of a stack, and of where the event is known to come from, and whether names were late; `None` if it has no frames.
    pub fn stacktrace(&self, stack: &Stack, place: Option<&KnownPlace>) -> Option<(Stacktrace, bool)> {
        let without_names = || stack.frames().iter().map(|address| without_name(*address)).collect();
        let named = self.0.frames(stack);
        let is_late = named.is_none();
        let mut frames = named.unwrap_or_else(without_names);
        frames::trim(&mut frames);
        mark_as_return(&mut frames);
        if let Some(place) = place {
            frames::locate(&mut frames, place);
        }
        frames.truncate(MAX_FRAMES);
        Some((Stacktrace::from_frames_reversed(frames)?, is_late))
    }
}

/// Sentry takes the address of the top frame for that of an instruction, and all others for return addresses, as which it looks up the
/// instruction before. Here, all are return addresses.
fn mark_as_return(frames: &mut [Frame]) {
    let top = frames.first().and_then(|frame| frame.instruction_addr);
    let inlined = frames.iter_mut().take_while(|frame| top.is_some() && frame.instruction_addr == top);
    inlined.for_each(|frame| frame.instruction_addr = top.map(|Addr(address)| Addr(address.saturating_sub(1))));
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    #[test]
    fn an_event_whose_names_are_late_has_addresses() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let resolve = move |_: usize| {
            // Until the test drops its end.
            let _ = released.lock().unwrap().recv();
            Vec::new()
        };
        let names = Names(StackNames::new(resolve, Duration::from_millis(1)));
        let stack = Stack::capture().unwrap();
        let (Stacktrace { frames, .. }, is_late) = names.stacktrace(&stack, None).unwrap();
        drop(release);
        assert!(is_late);
        assert_eq!(frames.len(), stack.frames().len());
        let is_address =
            |frame: &Frame| frame.function.as_deref() == Some("<unknown>") && frame.instruction_addr.is_some();
        assert!(frames.iter().all(is_address), "{frames:?}");
    }
}
