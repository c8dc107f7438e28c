//! Panics, seen where they begin: also those that nothing unwinds, and those by which the process ends.

use crate::analytics::panic_commands;
use crate::event::Source;
use crate::flush::Occasion;
use crate::global;
use crate::journey;
use crate::panics::{self, Panic, Watcher};

/// Has panics captured from now on.
pub fn watch() {
    panics::watch(Watcher { wants_stacks, seen, dying });
}

fn wants_stacks() -> bool {
    global::pipeline().is_some_and(|pipeline| pipeline.wants_stacks())
}

fn seen(panic: Panic) {
    let place = panic.place.clone();
    let source = Source {
        logger: "obs_runtime".into(),
        module: None,
        file: place.as_ref().map(|(file, _)| file.clone().into()),
        line: place.map(|(_, line)| line),
    };
    journey::panicked(panic, source);
}

/// The process is about to end: nothing will unwind through the calls that are running.
fn dying() {
    panic_commands();
    journey::flush(Occasion::Last);
}
