//! Which call encloses which, for those that errors pass on their way out: by number, on a thread or in a task.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// The innermost call that is running here.
    static CURRENT: Cell<Frame> = const { Cell::new(Frame::NONE) };
    /// The number last given here.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Numbers that a thread gives without asking others: so many of them lie between two threads' first ones.
const EACH_THREAD: u64 = 1 << 32;

/// A call, and the one that encloses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its number; 0 for no call.
    pub number: u64,
    /// The number of the call that encloses it; 0 for none.
    pub parent: u64,
    /// Of a run that is recorded: the span that is running here; 0 for the run itself.
    pub span: u64,
}

impl Frame {
    /// No call.
    pub const NONE: Self = Self { number: 0, parent: 0, span: 0 };

    /// A call that begins in the current one.
    #[inline]
    #[must_use]
    pub fn begin() -> Self {
        let current = Self::current();
        Self { number: next(), parent: current.number, span: current.span }
    }

    /// The innermost call that is running here.
    #[inline]
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Cell::get).unwrap_or_default()
    }

    /// Whether it is a call.
    #[inline]
    pub const fn is_some(self) -> bool {
        self.number != 0
    }

    /// The same call, while that span runs in it.
    #[must_use]
    pub const fn with_span(self, span: u64) -> Self {
        Self { span, ..self }
    }

    /// Makes it the current call until further notice, and gives the one that was.
    #[must_use]
    pub fn replace(self) -> Self {
        CURRENT.try_with(|current| current.replace(self)).unwrap_or_default()
    }

    /// Makes it the current call until what is given is dropped.
    #[inline]
    #[must_use]
    pub fn enter(self) -> Inside {
        Inside { previous: self.replace() }
    }
}

/// The number of the current call; 0 for none.
#[inline]
#[must_use]
pub fn current() -> u64 {
    Frame::current().number
}

/// What a task or a closure takes along of the call that it was carried away from. Smaller than the call's frame, as it
/// stands beside futures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    number: u64,
    span: u64,
}

/// What is to be taken along of the current call.
#[must_use]
pub fn carried() -> Carried {
    let Frame { number, parent: _, span } = Frame::current();
    Carried { number, span }
}

/// Makes a call the current one where there is none: that from which a task or a closure was carried here.
#[must_use]
pub fn inherit(Carried { number, span }: Carried) -> Inside {
    let here = Frame::current();
    if here.is_some() || here.span != 0 { here } else { Frame { number, parent: 0, span } }.enter()
}

fn next() -> u64 {
    static BLOCKS: AtomicU64 = AtomicU64::new(0);
    let given = LAST.try_with(|last| {
        if last.get().is_multiple_of(EACH_THREAD) {
            last.set(BLOCKS.fetch_add(EACH_THREAD, Ordering::Relaxed));
        }
        last.set(last.get() + 1);
        last.get()
    });
    // The thread is ending: a number nobody else has is still to be had.
    given.unwrap_or_else(|_| BLOCKS.fetch_add(EACH_THREAD, Ordering::Relaxed) + 1)
}

/// Goes back to the enclosing call when it is dropped.
#[derive(Debug)]
pub struct Inside {
    previous: Frame,
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.previous));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_know_what_encloses_them_and_have_numbers_of_their_own() {
        let outer = Frame::begin();
        let _outer = outer.enter();
        let inner = Frame::begin();
        assert_eq!((outer.parent, inner.parent), (0, outer.number));
        let elsewhere = std::thread::spawn(|| (Frame::begin(), current())).join().unwrap();
        assert_eq!((elsewhere.0.parent, elsewhere.1), (0, 0));
        assert!(elsewhere.0.number != inner.number && inner.number != outer.number);
        drop(inner.enter());
        assert_eq!(current(), outer.number);
    }

    #[test]
    fn what_is_carried_elsewhere_is_inherited_only_where_nothing_runs() {
        let outer = Frame::begin();
        {
            let _carried = inherit(Carried { number: outer.number, span: 0 });
            assert_eq!(current(), outer.number);
            let _again = inherit(Carried { number: 7, span: 0 });
            assert_eq!(current(), outer.number);
        }
        assert_eq!(current(), 0);
    }
}
