//! Functions that are hard to wrap, bare and under each attribute and under all four: they compile without a warning and
//! behave the same.
#![deny(warnings)]
#![allow(dead_code, clippy::all, reason = "the shapes are what is tested")]

#[macro_use]
mod errors;
#[macro_use]
mod closures;
#[macro_use]
mod callers;
#[macro_use]
mod futures;
#[macro_use]
mod outputs;
mod blocks;

macro_rules! under {
    ($module:ident, $(#[$attribute:meta])*) => {
        mod $module {
            pub mod errors { errors!($(#[$attribute])*); }
            pub mod closures { closures!($(#[$attribute])*); }
            pub mod callers { callers!($(#[$attribute])*); }
            pub mod futures { futures!($(#[$attribute])*); }
            pub mod outputs { outputs!($(#[$attribute])*); }

            pub fn run() -> Vec<String> {
                [errors::run(), closures::run(), callers::run(), futures::run(), outputs::run()].concat()
            }
        }
    };
}

under!(bare,);
under!(performance, #[::obs_runtime::track_performance]);
under!(tracking, #[::obs_runtime::with_error_tracking]);
under!(cost, #[::obs_runtime::bq_cost]);
under!(command, #[::obs_runtime::tracked_command]);
under!(all, #[::obs_runtime::track_performance] #[::obs_runtime::with_error_tracking] #[::obs_runtime::bq_cost] #[::obs_runtime::tracked_command]);

/// Polls a future to its end. That of a command waits for the flush.
pub fn now<F: std::future::Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    }
}

fn main() {
    let bare = bare::run();
    let builder = obs_runtime::Observability::builder().without_environment().prometheus_port(0);
    let guard = builder.log_level("off".parse::<obs_runtime::LogFilter>().unwrap()).init().unwrap();
    for (attribute, results) in [
        ("track_performance", performance::run()),
        ("with_error_tracking", tracking::run()),
        ("bq_cost", cost::run()),
        ("tracked_command", command::run()),
        ("all four", all::run()),
        ("track_performance on blocks", blocks::performance::run()),
        ("with_error_tracking on blocks", blocks::tracking::run()),
        ("both on blocks", blocks::both::run()),
    ] {
        assert_eq!(results, bare, "{attribute}");
    }
    drop(guard);
    println!("{} results", bare.len());
}
