//! Every shape of function, bare and under each attribute: compares return values, panics, drop order, and the size and
//! auto traits of futures. Compiled in each edition.
#![deny(warnings)]
#![allow(unused_unsafe, unsafe_op_in_unsafe_fn, clippy::all, reason = "the editions disagree on it, or the code is deliberately unusual")]

/// Macros of the program's own, which the attributes do not use.
#[allow(unused_macros, reason = "that is the point")]
macro_rules! concat { ($($_:tt)*) => { compile_error!("a macro of the program") }; }
#[allow(unused_macros, reason = "that is the point")]
macro_rules! stringify { ($($_:tt)*) => { compile_error!("a macro of the program") }; }

#[macro_use]
mod functions;

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub struct Noisy(pub &'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        note(self.0);
    }
}

fn note(what: impl ToString) {
    LOG.with(|log| log.borrow_mut().push(what.to_string()));
}

pub async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|task| {
        task.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn wait<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let mut task = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}

fn give_up<F: Future>(future: F) -> bool {
    let mut future = Box::pin(future);
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// Whether a type is `Send` and `Sync`: an inherent method takes precedence over a trait method.
pub struct Probe<T>(std::marker::PhantomData<T>);

pub fn probe<T>(_: &T) -> Probe<T> {
    Probe(std::marker::PhantomData)
}

impl<T: Send> Probe<T> {
    pub fn is_send(&self) -> bool {
        true
    }
}

impl<T: Sync> Probe<T> {
    pub fn is_sync(&self) -> bool {
        true
    }
}

pub trait NeitherSendNorSync {
    fn is_send(&self) -> bool {
        false
    }

    fn is_sync(&self) -> bool {
        false
    }
}

impl<T> NeitherSendNorSync for Probe<T> {}

/// What a future is: its size, and whether it is `Send` and `Sync`.
type Made = (&'static str, usize, bool, bool);

macro_rules! futures {
    ($($name:literal => $future:expr,)*) => {
        vec![$({
            let future = $future;
            ($name, std::mem::size_of_val(&future), probe(&future).is_send(), probe(&future).is_sync())
        }),*]
    };
}

pub trait Named {
    fn name(&self) -> String;
    fn title(&self) -> Result<String, std::fmt::Error>;
    fn made() -> Self
    where
        Self: Sized;
}

#[derive(Debug)]
pub struct Odd;

impl std::fmt::Display for Odd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("odd")
    }
}

impl std::error::Error for Odd {}

type Cases = Vec<(&'static str, Box<dyn Fn() -> String>)>;

macro_rules! cases {
    ($cases:ident: $($name:literal => $value:expr,)*) => {
        $($cases.push(($name, Box::new(move || format!("{:?}", $value))));)*
    };
}

shapes!(bare,);
shapes!(performance, #[::obs_runtime::track_performance]);
shapes!(errors, #[::obs_runtime::with_error_tracking]);
shapes!(cost, #[::obs_runtime::bq_cost]);
shapes!(command, #[::obs_runtime::tracked_command]);
shapes!(all, #[::obs_runtime::track_performance(level = "info", tags(one = 1))] #[::obs_runtime::with_error_tracking(context(two = 2))] #[::obs_runtime::bq_cost] #[::obs_runtime::tracked_command]);

fn transcript(run: &dyn Fn() -> String) -> String {
    let run = std::panic::AssertUnwindSafe(run);
    let said = match std::panic::catch_unwind(|| run()) {
        Ok(value) => value,
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => format!("panic {}", text),
            Err(_) => "panic".to_string(),
        },
    };
    let log = LOG.with(|log| std::mem::take(&mut *log.borrow_mut()));
    format!("{} {:?}", said, log)
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    let attributes: [(&str, fn() -> Cases, fn() -> Vec<Made>, usize); 5] = [
        ("track_performance", performance::cases, performance::futures, 1),
        ("with_error_tracking", errors::cases, errors::futures, 1),
        ("bq_cost", cost::cases, cost::futures, 1),
        ("tracked_command", command::cases, command::futures, 1),
        ("all four", all::cases, all::futures, 4),
    ];
    for (attribute, _, futures, number) in attributes {
        for ((name, bare, is_send, is_sync), (_, size, sent, shared)) in bare::futures().into_iter().zip(futures()) {
            let most = (0..number).fold(bare, |most, _| most * 5 / 4 + 64);
            if size > most || (is_send, is_sync) != (sent, shared) {
                println!(
                    "the future of {} under {}: {} B, Send {}, Sync {}; bare {} B, Send {}, Sync {}",
                    name, attribute, size, sent, shared, bare, is_send, is_sync
                );
            }
        }
    }
    // Futures dropped unpolled above are not part of the comparison.
    LOG.with(|log| log.borrow_mut().clear());
    let compare = |state: &str| {
        for (attribute, annotated, _, _) in attributes {
            for ((name, bare), (_, annotated)) in bare::cases().iter().zip(annotated()) {
                let (bare, annotated) = (transcript(bare), transcript(&annotated));
                if bare != annotated {
                    println!("{} under {}, {}:\n  bare      {}\n  annotated {}", name, attribute, state, bare, annotated);
                }
            }
        }
    };
    compare("obs not initialised");
    let builder = obs_runtime::Observability::builder().without_environment().prometheus_port(0);
    let guard = builder.log_level("off".parse::<obs_runtime::LogFilter>().unwrap()).init().unwrap();
    compare("obs on");
    drop(guard);
    println!("{} shapes", bare::cases().len());
}
