//! Attributes on whole blocks: accepted forms, then wrong uses.

use obs_runtime::{bq_cost, health_check, track_performance, tracked_command, with_error_tracking};

struct Store;

#[track_performance(only(open, read), level = "info", tags(kind = "store"))]
#[with_error_tracking(skip(close), severity = "warning")]
impl Store {
    fn open(&self) {}
    fn read(&self) {}
    fn close(&self) {}
    const fn size(&self) -> u8 {
        1
    }
}

#[track_performance(skip)]
mod left_out {
    pub fn nothing() {}
}

#[track_performance(name = "load", public_only, skip(inner::Deep::dive))]
mod loader {
    pub fn run() {
        inner::Deep.dive();
    }
    pub mod inner {
        pub struct Deep;
        impl Deep {
            pub fn dive(&self) {}
        }
    }
}

#[track_performance]
impl Drop for Store {
    fn drop(&mut self) {}
}

#[track_performance(only(opne, read, read), args(a), ok_if = fine)]
impl Store {
    fn opened(&self) {}
    fn reads(&self) {}
}

#[track_performance(only(a), skip(b), timeout = "2s", severity = "warning")]
mod both {
    pub fn a() {}
    pub fn b() {}
}

#[track_performance(public_only = true, skip, only = "a", onyl(a))]
mod shapes {
    pub fn a() {}
}

#[with_error_tracking(public_only, fallback = 3, severity = "warnin", context(password = 1), tags(outcome = 2))]
trait Public {
    fn f(&self) {}
}

#[with_error_tracking(only())]
trait Empty {
    fn f(&self);
}

#[track_performance(skip(f))]
trait NoBody {
    fn f(&self);
}

#[track_performance(only(a + b))]
mod no_paths {
    pub fn a() {}
}

#[track_performance(public_only)]
fn function() {}

#[track_performance(skip, name = "x")]
fn left_out_by_halves() {}

#[track_performance]
mod with_constant {
    #[obs_runtime::track_performance]
    pub const fn constant() {}
}

#[tracked_command]
impl Store {
    fn command(&self) {}
}

#[bq_cost]
trait Costly {
    fn query(&self) {}
}

#[health_check]
mod checks {
    pub fn check() {}
}

fn main() {
    Store.open();
    Store.read();
    Store.close();
    let _ = Store.size();
    left_out::nothing();
    loader::run();
}
