//! What a panic said, remembered for the call that it unwinds through.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
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
    let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(message)));
}

/// What this thread's last panic said, and where.
pub fn last_message() -> Option<String> {
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| last.clone())).ok().flatten()
}
