//! Functions that return a future without being `async` are measured as the `async` form of the same function.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, FutureExt as _, LocalBoxFuture};
use obs_runtime::testing::{Captured, capture, capture_async};
use obs_runtime::{Outcome, bq_cost, track_performance, tracked_command, with_error_tracking};

const PAUSE: Duration = Duration::from_millis(20);

type Answer = Result<u8, std::io::Error>;

async fn work() -> Answer {
    tokio::time::sleep(PAUSE).await;
    Err(std::io::Error::other("it failed"))
}

struct Files(u8);

trait Loader {
    type Future: Future<Output = Answer>;
    fn load(&self) -> impl Future<Output = Answer> + Send;
    fn call(&mut self) -> Self::Future;
}

#[async_trait::async_trait]
trait Remote {
    async fn fetch(&self, key: &str) -> Answer;
}

type Aliased<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
type ReplyFuture = Aliased<'static>;
type Reply<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

macro_rules! run_all {
    ($run:ident: $($name:literal => $future:expr,)*) => {
        $($run($name, Box::pin(async { $future.await.is_err() }));)*
    };
}

macro_rules! forms {
    ($module:ident, $(#[$attribute:meta])*) => {
        mod $module {
            use super::*;

            $(#[$attribute])*
            pub async fn reference() -> Answer { work().await }

            $(#[$attribute])*
            fn block() -> impl Future<Output = Answer> { async { work().await } }
            $(#[$attribute])*
            fn called() -> impl Future<Output = Answer> + Send { work() }
            $(#[$attribute])*
            fn question_mark(text: &str) -> impl Future<Output = Answer> + '_ {
                let pause = PAUSE;
                async move {
                    tokio::time::sleep(pause).await;
                    let _: u8 = text.parse().map_err(std::io::Error::other)?;
                    Ok(1)
                }
            }
            $(#[$attribute])*
            fn generic<T: Clone + Send>(value: T) -> impl Future<Output = Result<T, std::io::Error>> + Send {
                let copy = value.clone();
                async move { work().await.map(|_| copy) }
            }
            $(#[$attribute])*
            fn either(left: bool) -> impl Future<Output = Answer> {
                if left { return Either::Left(work()); }
                Either::Right(async { work().await })
            }
            $(#[$attribute])*
            fn unpin() -> impl Future<Output = Answer> + Unpin + Send { Box::pin(work()) }
            $(#[$attribute])*
            fn boxed_block() -> Pin<Box<dyn Future<Output = Answer> + Send>> { Box::pin(async move { work().await }) }
            $(#[$attribute])*
            fn boxed_variable() -> Pin<Box<dyn Future<Output = Answer> + Send>> { let inner = async { work().await }; Box::pin(inner) }
            $(#[$attribute])*
            fn boxed_call() -> Pin<Box<dyn Future<Output = Answer> + Send + Sync>> { Box::pin(work()) }
            $(#[$attribute])*
            fn boxed_local<'a>(files: &'a Files) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
                Box::pin(async move { work().await.map(|_| files.0) })
            }
            $(#[$attribute])*
            fn boxed_early(fast: bool) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
                if fast { return Box::pin(std::future::ready(Ok(1))); }
                Box::pin(work())
            }
            $(#[$attribute])*
            fn combinator() -> BoxFuture<'static, Answer> { work().boxed() }
            $(#[$attribute])*
            fn local_combinator() -> LocalBoxFuture<'static, Answer> { work().boxed_local() }
            $(#[$attribute])*
            fn aliased() -> ReplyFuture { Box::pin(work()) }
            $(#[$attribute])*
            fn renamed(files: &Files) -> Reply<'_> { Box::pin(async move { work().await.map(|_| files.0) }) }
            $(#[$attribute])*
            fn renamed_combinator() -> Reply<'static> { let inner = work(); inner.boxed() }
            $(#[$attribute])*
            fn taken(fast: bool) -> BoxFuture<'static, Answer> { Box::pin(async move { if fast { return Ok(1); } work().await?; Ok(2) }) }

            pub struct Annotated;
            impl Loader for Annotated {
                type Future = Aliased<'static>;
                $(#[$attribute])*
                fn load(&self) -> impl Future<Output = Answer> + Send { work() }
                $(#[$attribute])*
                fn call(&mut self) -> Self::Future { Box::pin(work()) }
            }
            #[async_trait::async_trait]
            impl Remote for Annotated {
                $(#[$attribute])*
                async fn fetch(&self, key: &str) -> Answer { let _ = key.len(); work().await }
            }

            /// Each form, awaited or dropped by `run`.
            pub fn each(run: &dyn Fn(&str, Pin<Box<dyn Future<Output = bool> + '_>>)) {
                let files = Files(1);
                run_all! { run:
                    "block" => block(), "called" => called(), "question mark" => question_mark("x"),
                    "generic" => generic("x"), "either" => either(true), "unpin" => unpin(),
                    "boxed block" => boxed_block(), "boxed variable" => boxed_variable(), "boxed call" => boxed_call(),
                    "boxed local" => boxed_local(&files), "boxed early" => boxed_early(false),
                    "combinator" => combinator(), "local combinator" => local_combinator(), "aliased" => aliased(),
                    "renamed" => renamed(&files), "renamed combinator" => renamed_combinator(), "taken" => taken(false),
                    "trait method" => Annotated.load(), "associated type" => Annotated.call(), "async trait" => Annotated.fetch("x"),
                }
            }

            /// Two of them, made and dropped.
            pub fn unpolled() {
                drop(called());
                drop(combinator());
            }
        }
    };
}

forms!(performance, #[track_performance(name = "op")]);
forms!(errors, #[with_error_tracking(name = "op")]);
forms!(cost, #[bq_cost(name = "op")]);
forms!(command, #[tracked_command(name = "op")]);
forms!(all, #[track_performance(name = "op")] #[with_error_tracking(name = "op")] #[bq_cost(name = "op")] #[tracked_command(name = "op")]);

/// What must be the same in both forms: outcomes, errors and lines.
fn summary(captured: &Captured<bool>) -> String {
    let records = &captured.records;
    let calls: Vec<_> = records
        .calls
        .iter()
        .map(|call| {
            (call.attribute, call.outcome, call.duration >= PAUSE, call.failure.as_ref().map(|f| f.error_type.clone()))
        })
        .collect();
    let errors: Vec<_> =
        records.errors.iter().map(|error| (&error.operation, &error.failure.message, &error.layers)).collect();
    format!("{} {calls:?} {errors:?} {:?}", captured.value, captured.records.logs.len())
}

fn awaited<F: Future<Output = bool>>(future: F) -> Captured<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(capture_async(future))
}

macro_rules! compare {
    ($test:ident, $module:ident) => {
        #[test]
        fn $test() {
            let reference = summary(&awaited(async { $module::reference().await.is_err() }));
            assert!(reference.starts_with("true"), "{reference}");
            $module::each(&|name, future| {
                let captured = awaited(future);
                // The reference's error is an `io_Error`; that of the parser is one too.
                let message = |text: String| text.replace("invalid digit found in string", "it failed");
                assert_eq!(message(summary(&captured)), reference, "{name}");
            });
        }
    };
}

compare!(under_track_performance_they_are_measured, performance);
compare!(under_with_error_tracking_their_errors_are_captured_once, errors);
compare!(under_bq_cost_they_are_a_scope, cost);
compare!(under_tracked_command_they_are_commands, command);
compare!(under_all_four_they_are_as_the_async_form, all);

#[test]
fn a_future_that_is_never_polled_is_cancelled() {
    for (run, least) in [
        (performance::unpolled as fn(), 2),
        (errors::unpolled, 0),
        (cost::unpolled, 0),
        (command::unpolled, 2),
        (all::unpolled, 4),
    ] {
        let captured = capture(run);
        let outcomes: Vec<_> = captured.records.calls.iter().map(|call| call.outcome).collect();
        assert!(outcomes.len() >= least, "{captured:?}");
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Cancelled), "{captured:?}");
    }
}

#[test]
fn a_body_that_panics_before_it_returns_a_future_is_a_panic() {
    #[track_performance]
    fn panics(with: &str) -> impl Future<Output = ()> + use<> {
        assert!(with.is_empty(), "asked to");
        async {}
    }
    let captured = capture(|| std::panic::catch_unwind(|| drop(panics("x"))).is_err());
    assert!(captured.value);
    let outcomes: Vec<_> = captured.records.calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Panic]);
}

/// Types with names of the runtime's, which generated code imports.
mod shadowed {
    use super::*;

    #[derive(Debug, PartialEq)]
    pub struct Value(pub u8);
    #[derive(Debug, PartialEq)]
    pub struct Direct(pub u8);
    pub type Kind = Pin<Box<dyn Future<Output = Value> + Send>>;
    pub type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;
    pub struct IsBoxed(pub u8);

    impl IsBoxed {
        #[track_performance]
        #[with_error_tracking]
        pub fn value(&self) -> Pin<Box<dyn Future<Output = Value>>> {
            let value = self.0;
            let made = async move { Value(value) };
            Box::pin(made)
        }
    }

    #[track_performance]
    #[bq_cost]
    pub fn kind() -> Kind {
        let made = async { Value(2) };
        made.boxed()
    }

    #[tracked_command]
    #[track_performance]
    pub fn boxed() -> Boxed<Direct> {
        Box::pin(async { Direct(3) })
    }
}

#[test]
fn return_types_may_be_called_as_types_of_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let captured = runtime.block_on(capture_async(async {
        (shadowed::IsBoxed(1).value().await, shadowed::kind().await, shadowed::boxed().await)
    }));
    assert_eq!(captured.value, (shadowed::Value(1), shadowed::Value(2), shadowed::Direct(3)));
    assert!(captured.records.calls.iter().filter(|call| call.outcome == Outcome::Ok).count() >= 4, "{captured:?}");
}

#[test]
fn a_fallback_replaces_the_output() {
    #[with_error_tracking(fallback = Ok(7))]
    fn direct() -> impl Future<Output = Answer> {
        work()
    }
    #[with_error_tracking(fallback = Ok(8))]
    fn boxed() -> BoxFuture<'static, Answer> {
        work().boxed()
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let captured = runtime.block_on(capture_async(async { (direct().await.unwrap(), boxed().await.unwrap()) }));
    assert_eq!(captured.value, (7, 8));
    assert_eq!(captured.records.errors.len(), 2);
}
