//! Functions that return a future without being `async`. Their calls begin with the first poll of the future; one that is
//! dropped before counts as cancelled.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::bigquery::cost::{cost, cost_async};
use crate::bigquery::statistics::QueryStatistics;
use crate::instrument::call::prepared::Prepared;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::command::{command, command_async};
use crate::instrument::command_future::{AtEnd, ReturnAtOnce};
use crate::instrument::errors::tracked::{errors, errors_async, errors_or, errors_or_async};
use crate::instrument::performance::{performance, performance_async};

/// Begins a call, and gives its future.
struct Start<S: FnOnce() -> T, T>(Option<S>);

impl<S: FnOnce() -> T, T> Drop for Start<S, T> {
    fn drop(&mut self) {
        // Begun and dropped at once: cancelled.
        if let Some(start) = self.0.take() {
            drop(start());
        }
    }
}

pin_project! {
    /// A future that is made of another one when it is polled for the first time.
    #[project = ReturnedProjection]
    enum Returned<S, T>
    where
        S: FnOnce() -> T,
    {
        Unpolled { start: Start<S, T> },
        Polled { #[pin] future: T },
    }
}

impl<S: FnOnce() -> T, T: Future> Returned<S, T> {
    const fn new(start: S) -> Self {
        Self::Unpolled { start: Start(Some(start)) }
    }
}

impl<S: FnOnce() -> T, T: Future> Future for Returned<S, T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T::Output> {
        let start = match self.as_mut().project() {
            ReturnedProjection::Unpolled { start } => start.0.take(),
            ReturnedProjection::Polled { .. } => None,
        };
        if let Some(start) = start {
            let future = start();
            self.set(Self::Polled { future });
        }
        match self.project() {
            ReturnedProjection::Polled { future } => future.poll(task),
            ReturnedProjection::Unpolled { .. } => Poll::Pending,
        }
    }
}

/// Runs a body that returns a future with this output.
#[inline]
pub fn future<T, F: Future<Output = T>>(body: impl FnOnce() -> F) -> F {
    body()
}

/// The future of a function with this output.
#[inline]
pub const fn of<T, F: Future<Output = T>>(future: F) -> F {
    future
}

/// Functions that return `impl Future`.
#[derive(Clone, Copy, Debug)]
pub struct Direct;

impl Direct {
    /// Under `#[track_performance]`.
    pub fn performance<F, J>(self, prepared: Prepared, future: F, judge: J) -> impl Future<Output = F::Output>
    where
        F: Future,
        J: FnOnce(&F::Output, &mut Call) -> bool,
    {
        Returned::new(move || performance_async(prepared.begin(), future, judge))
    }

    /// Under `#[with_error_tracking]`.
    pub fn errors<F, J>(self, prepared: Prepared, future: F, judge: J) -> impl Future<Output = F::Output>
    where
        F: Future,
        J: FnOnce(&F::Output, &mut Call) -> bool,
    {
        Returned::new(move || errors_async(prepared.begin(), future, judge))
    }

    /// Under `#[with_error_tracking(fallback = …)]`.
    pub fn errors_or<F, J, B>(
        self,
        prepared: Prepared,
        future: F,
        judge: J,
        fallback: B,
    ) -> impl Future<Output = F::Output>
    where
        F: Future,
        J: FnOnce(&F::Output, &mut Call) -> bool,
        B: FnOnce() -> F::Output,
    {
        Returned::new(move || async move {
            match errors_or_async(prepared.begin(), future, judge).await {
                Some(value) => value,
                None => fallback(),
            }
        })
    }

    /// Under `#[tracked_command]`.
    pub fn command<F, J, A>(self, prepared: Prepared, future: F, judge: J, at_end: A) -> impl Future<Output = F::Output>
    where
        F: Future,
        A: AtEnd<F::Output>,
        J: FnOnce(&F::Output, &mut Call) -> bool,
    {
        Returned::new(move || command_async(prepared.begin(), future, judge, at_end))
    }

    /// Under `#[bq_cost]`.
    pub fn cost<F, J, S>(
        self,
        prepared: Prepared,
        future: F,
        judge: J,
        statistics: S,
    ) -> impl Future<Output = F::Output>
    where
        F: Future,
        J: FnOnce(&F::Output, &mut Call) -> bool,
        S: FnOnce(&F::Output) -> Option<QueryStatistics>,
    {
        Returned::new(move || cost_async(prepared.begin(), future, judge, statistics))
    }
}

/// A return type, to be asked whether it is a boxed future.
#[derive(Clone, Copy, Debug)]
pub struct Kind<R>(PhantomData<fn() -> R>);

impl<R> Kind<R> {
    /// The return type.
    #[expect(clippy::new_without_default, reason = "for generated code only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Types that are no boxed future: measured as values.
#[derive(Clone, Copy, Debug)]
pub struct Value<R>(PhantomData<fn() -> R>);

/// Every type.
pub trait IsValue {
    /// The type.
    type Type;

    /// The way to measure it.
    fn kind(&self) -> Value<Self::Type> {
        Value(PhantomData)
    }
}

impl<R> IsValue for Kind<R> {
    type Type = R;
}

impl<R> Value<R> {
    /// Types the closure that judges a value, in a build with obs off.
    pub fn judged<J>(self, _: J)
    where
        J: FnOnce(&R, &mut Call) -> bool,
    {
    }

    /// Types a fallback, in a build with obs off.
    pub fn given(self, _: impl FnOnce() -> R) {}

    /// Under `#[track_performance]`.
    pub fn performance<J>(self, prepared: Prepared, body: impl FnOnce() -> R, judge: J) -> R
    where
        J: FnOnce(&R, &mut Call) -> bool,
    {
        performance(prepared.begin(), body, judge)
    }

    /// Under `#[with_error_tracking]`.
    pub fn errors<J>(self, prepared: Prepared, body: impl FnOnce() -> R, judge: J) -> R
    where
        J: FnOnce(&R, &mut Call) -> bool,
    {
        errors(prepared.begin(), body, judge)
    }

    /// Under `#[with_error_tracking(fallback = …)]`.
    pub fn errors_or<J, B>(self, prepared: Prepared, body: impl FnOnce() -> R, judge: J, fallback: B) -> R
    where
        J: FnOnce(&R, &mut Call) -> bool,
        B: FnOnce() -> R,
    {
        errors_or(prepared.begin(), body, judge).unwrap_or_else(fallback)
    }

    /// Under `#[tracked_command]`.
    pub fn command<J>(self, prepared: Prepared, body: impl FnOnce() -> R, judge: J, _: ReturnAtOnce) -> R
    where
        J: FnOnce(&R, &mut Call) -> bool,
    {
        command(prepared.begin(), body, judge)
    }

    /// Under `#[bq_cost]`.
    pub fn cost<J, S>(self, prepared: Prepared, body: impl FnOnce() -> R, judge: J, statistics: S) -> R
    where
        J: FnOnce(&R, &mut Call) -> bool,
        S: FnOnce(&R) -> Option<QueryStatistics>,
    {
        cost(prepared.begin(), body, judge, statistics)
    }
}

macro_rules! boxed_method {
    ($doc:literal $name:ident $(($extra:ident: $type:ty))? $($bound:ident)*) => {
        #[doc = $doc]
        pub fn $name<'a, J>(
            self,
            prepared: Prepared,
            body: impl FnOnce() -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>,
            judge: J,
            $($extra: $type,)?
        ) -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>
        where
            T: 'a,
            J: FnOnce(&T, &mut Call) -> bool $(+ $bound)* + 'a,
        {
            Box::pin(Direct.$name(prepared, body(), judge $(, $extra)?))
        }
    };
}

macro_rules! boxed_futures {
    ($kind:ident, $trait:ident $(, $bound:ident)*) => {
        /// Boxed futures with these bounds: measured, and boxed again.
        #[derive(Clone, Copy, Debug)]
        pub struct $kind<T>(PhantomData<fn() -> T>);

        /// Types that are boxed futures with these bounds.
        pub trait $trait {
            /// The future's output.
            type Output;

            /// The way to measure it.
            fn kind(&self) -> $kind<Self::Output> {
                $kind(PhantomData)
            }
        }

        impl<'a, T> $trait for &Kind<Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>> {
            type Output = T;
        }

        impl<T> $kind<T> {
            /// Types the closure that judges an output, in a build with obs off.
            pub fn judged<J>(self, _: J)
            where
                J: FnOnce(&T, &mut Call) -> bool,
            {
            }

            /// Types a fallback, in a build with obs off.
            pub fn given(self, _: impl FnOnce() -> T) {}

            boxed_method!("Under `#[track_performance]`." performance $($bound)*);
            boxed_method!("Under `#[with_error_tracking]`." errors $($bound)*);
            boxed_method!("Under `#[tracked_command]`." command (at_end: ReturnAtOnce) $($bound)*);

            /// Under `#[with_error_tracking(fallback = …)]`.
            pub fn errors_or<'a, J, B>(
                self,
                prepared: Prepared,
                body: impl FnOnce() -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>,
                judge: J,
                fallback: B,
            ) -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>
            where
                T: 'a,
                J: FnOnce(&T, &mut Call) -> bool $(+ $bound)* + 'a,
                B: FnOnce() -> T $(+ $bound)* + 'a,
            {
                Box::pin(Direct.errors_or(prepared, body(), judge, fallback))
            }

            /// Under `#[bq_cost]`.
            pub fn cost<'a, J, S>(
                self,
                prepared: Prepared,
                body: impl FnOnce() -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>,
                judge: J,
                statistics: S,
            ) -> Pin<Box<dyn Future<Output = T> $(+ $bound)* + 'a>>
            where
                T: 'a,
                J: FnOnce(&T, &mut Call) -> bool $(+ $bound)* + 'a,
                S: FnOnce(&T) -> Option<QueryStatistics> $(+ $bound)* + 'a,
            {
                Box::pin(Direct.cost(prepared, body(), judge, statistics))
            }
        }
    };
}

boxed_futures!(Boxed, IsBoxed);
boxed_futures!(BoxedSend, IsBoxedSend, Send);
boxed_futures!(BoxedSync, IsBoxedSync, Send, Sync);
