//! What a panic said, remembered for the call that it unwinds through.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::clock::Stamp;

thread_local! {
    static LAST: RefCell<Option<(Stamp, String)>> = const { RefCell::new(None) };
}

/// Has panics remembered from now on. The hook that was there is called as before.
pub fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            remember(info);
            previous(info);
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let words = info.payload_as_str().unwrap_or("a value that is not text");
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = format!("{words}{place}");
    // A thread that is ending, or a panic inside of this: the message is lost, nothing else.
    let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some((Stamp::now(), message))));
}

/// What this thread's last panic since then said, and where. One that was resumed from elsewhere was not seen here.
pub fn message_since(start: Stamp) -> Option<String> {
    let recent = |last: &Option<(Stamp, String)>| match last {
        Some((at, message)) if !at.is_before(start) => Some(message.clone()),
        _ => None,
    };
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| recent(&last))).ok().flatten()
}
