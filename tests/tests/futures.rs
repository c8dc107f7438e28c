//! An attribute leaves a future `Send`, as it was.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;

use obs_runtime::{bq_cost, track_performance, tracked_command, with_error_tracking};

type Answer = Result<usize, std::io::Error>;

const fn assert_send<T: Send>(_: &T) {}

macro_rules! shapes {
    ($module:ident, $(#[$attribute:meta])*) => {
        mod $module {
            use super::*;

            $(#[$attribute])*
            pub async fn not_sync(cell: Cell<usize>) -> Answer {
                tokio::task::yield_now().await;
                Ok(cell.get())
            }

            $(#[$attribute])*
            pub async fn boxed_error(fails: bool) -> Result<usize, Box<dyn Error>> {
                tokio::task::yield_now().await;
                if fails { Err("failed".into()) } else { Ok(1) }
            }

            $(#[$attribute])*
            pub async fn generic<T>(make: fn() -> T) -> T {
                tokio::task::yield_now().await;
                make()
            }

            $(#[$attribute])*
            pub async fn borrowed<'a>(text: &'a str, _: &u8) -> Option<&'a str> {
                tokio::task::yield_now().await;
                Some(text)
            }

            $(#[$attribute])*
            pub fn returned() -> impl Future<Output = Result<usize, Box<dyn Error>>> + Send {
                async { Ok(1) }
            }

            $(#[$attribute])*
            pub fn boxed() -> Pin<Box<dyn Future<Output = Result<usize, Box<dyn Error>>> + Send>> {
                Box::pin(async { Ok(1) })
            }
        }
    };
}

shapes!(performance, #[track_performance]);
shapes!(errors, #[with_error_tracking]);
shapes!(command, #[tracked_command]);
shapes!(cost, #[bq_cost]);
shapes!(stack, #[tracked_command] #[with_error_tracking] #[bq_cost] #[track_performance]);

#[test]
fn a_future_that_owns_what_is_send_but_not_sync_stays_send() {
    assert_send(&performance::not_sync(Cell::new(1)));
    assert_send(&errors::not_sync(Cell::new(1)));
    assert_send(&command::not_sync(Cell::new(1)));
    assert_send(&cost::not_sync(Cell::new(1)));
    assert_send(&stack::not_sync(Cell::new(1)));
}

/// A task needs a future that is `Send`, but may take an output out of it that is not.
#[test]
fn a_future_with_an_output_that_is_not_send_stays_send() {
    macro_rules! check {
        ($($module:ident),*) => {$(
            assert_send(&$module::boxed_error(true));
            assert_send(&$module::generic(|| Rc::new(1)));
            assert_send(&$module::borrowed("text", &1));
            assert_send(&$module::returned());
            assert_send(&$module::boxed());
        )*};
    }
    check!(performance, errors, command, cost, stack);
}

/// The size of a future, bare and under each attribute.
macro_rules! sizes {
    ($name:ident, ($($argument:ident: $kind:ty = $given:expr),*), $output:ty, $body:block) => {
        #[test]
        fn $name() {
            mod bare {
                #[allow(unused_imports, reason = "some bodies need nothing")]
                use super::*;
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            mod performance {
                use super::*;
                #[track_performance]
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            mod errors {
                use super::*;
                #[with_error_tracking]
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            mod cost {
                use super::*;
                #[bq_cost]
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            mod command {
                use super::*;
                #[tracked_command]
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            mod noted {
                use super::*;
                #[track_performance(tags(kind = "x"), args(size = 1 + 1), level = "info")]
                pub async fn run($($argument: $kind),*) -> $output $body
            }
            let bare = size_of_val(&bare::run($($given),*));
            let annotated = [
                ("track_performance", size_of_val(&performance::run($($given),*))),
                ("with_error_tracking", size_of_val(&errors::run($($given),*))),
                ("bq_cost", size_of_val(&cost::run($($given),*))),
                ("tracked_command", size_of_val(&command::run($($given),*))),
                ("track_performance(…)", size_of_val(&noted::run($($given),*))),
            ];
            for (attribute, size) in annotated {
                assert!(size * 4 <= bare * 5 + 4 * 64, "{attribute}: {size} B, bare {bare} B");
            }
        }
    };
}

async fn pause() {
    tokio::task::yield_now().await;
}

async fn deep(levels: u8) -> usize {
    if levels == 0 { 1 } else { 1 + Box::pin(deep(levels - 1)).await }
}

sizes!(without_arguments, (), Answer, {
    pause().await;
    Ok(1)
});
sizes!(with_nothing_to_wait_for, (), usize, { 1 });
sizes!(an_array_that_is_used_after_a_pause, (bytes: [u8; 1024] = [1; 1024]), Answer, {
    pause().await;
    Ok(bytes.len())
});
sizes!(an_array_that_is_used_at_once, (bytes: [u8; 1024] = [1; 1024]), usize, {
    let length = bytes.iter().map(|byte| usize::from(*byte)).sum();
    pause().await;
    length
});
sizes!(borrowed_arguments, (text: &str = "text", more: &[u8] = &[1]), usize, {
    pause().await;
    text.len() + more.len()
});
sizes!(many_arguments, (a: String = String::new(), b: Vec<u8> = vec![], c: Option<String> = None, d: u64 = 1), usize, {
    pause().await;
    a.len() + b.len() + c.map_or(0, |text| text.len()) + usize::try_from(d).unwrap_or_default()
});
sizes!(locals_over_pauses, (), usize, {
    let first = [1_u8; 512];
    pause().await;
    let second = [2_u8; 256];
    pause().await;
    first.len() + second.len()
});
sizes!(futures_within_futures, (), usize, { deep(3).await + deep(2).await });
