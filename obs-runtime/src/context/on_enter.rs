//! What is entered on a thread together with a context, such as the subscriber of a test.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many there are.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The id of the one that is entered.
    static ENTERED: Cell<u64> = const { Cell::new(0) };
}

/// An extension of a context that is entered with it, on each thread.
pub struct OnEnter {
    id: u64,
    enter: Box<dyn Fn() -> Box<dyn Any> + Send + Sync>,
}

impl OnEnter {
    /// Calls `enter` when a context with this is entered on a thread on which it is not. The result is dropped when the context is
    /// exited.
    #[cfg(feature = "testing")]
    pub fn new(enter: impl Fn() -> Box<dyn Any> + Send + Sync + 'static) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self { id: IDS.fetch_add(1, Ordering::Relaxed) + 1, enter: Box::new(enter) }
    }
}

impl Drop for OnEnter {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for OnEnter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnEnter").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What was entered with a context. It cannot be sent to another thread.
pub struct Entered {
    previous: u64,
    inner: Option<Box<dyn Any>>,
}

impl Entered {
    /// Enters what a context has, unless it is entered. `of_context` is called only if any context may have something.
    pub fn of(of_context: impl FnOnce() -> Option<Arc<OnEnter>>) -> Option<Box<Self>> {
        if ALIVE.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let on_enter = of_context()?;
        let previous = ENTERED.try_with(|entered| entered.replace(on_enter.id)).ok()?;
        (previous != on_enter.id).then(|| Box::new(Self { previous, inner: Some((on_enter.enter)()) }))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.inner.take());
        let _ = ENTERED.try_with(|entered| entered.set(self.previous));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entered").field("previous", &self.previous).finish_non_exhaustive()
    }
}
