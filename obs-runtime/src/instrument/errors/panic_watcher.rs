//! Panics, seen where they begin: also those that nothing unwinds, and those by which the process ends.

use crate::events::event::Source;
use crate::events::panics;
use crate::events::panics::{Panic, Watcher};
use crate::instrument::command::panic_commands;
use crate::instrument::error_dedup::{propagation, registry};
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;

/// Captures panics from now on.
pub fn watch() {
    panics::watch(Watcher { wants_stack_traces, seen, dying });
}

fn wants_stack_traces() -> bool {
    global::pipeline().is_some_and(|pipeline| pipeline.wants_stack_traces())
}

fn seen(panic: Panic) {
    let place = panic.place.clone();
    let source = Source {
        logger: "obs_runtime".into(),
        module: None,
        file: place.as_ref().map(|(file, _)| file.clone().into()),
        line: place.map(|(_, line)| line),
    };
    propagation::panicked(panic, source);
}

/// The process is about to abort: nothing unwinds through the calls that are running.
fn dying() {
    panic_commands();
    registry::flush(FlushMode::Final);
}
