//! Whether the future of a command waits for the flush at its end: if its output is `Send`.

use std::marker::PhantomData;

pub use crate::instrument::command_future::{ReturnAfterFlush, ReturnAtOnce};

/// The output of a future, to be asked whether it is `Send`.
#[derive(Clone, Copy, Debug)]
pub struct Output<T>(PhantomData<fn() -> T>);

impl<T> Output<T> {
    /// The output.
    #[expect(clippy::new_without_default, reason = "for generated code only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Every type.
pub trait IsAny {
    /// What the future does.
    fn at_end(&self) -> ReturnAtOnce {
        ReturnAtOnce
    }
}

impl<T> IsAny for Output<T> {}

/// Types that are `Send`.
pub trait IsSend {
    /// What the future does.
    fn at_end(&self) -> ReturnAfterFlush {
        ReturnAfterFlush
    }
}

impl<T: Send> IsSend for &Output<T> {}
