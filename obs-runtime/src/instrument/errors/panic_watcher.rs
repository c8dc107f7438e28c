//! Panics, seen where they begin: also those that nothing unwinds, and those by which the process ends.

use std::time::Instant;

use crate::events::event::Source;
use crate::events::panics;
use crate::events::panics::{Panic, Watcher};
use crate::instrument::call::panic_line;
use crate::instrument::command::panic_commands;
use crate::instrument::error_dedup::{propagation, registry};
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;

/// Captures panics from now on.
pub fn watch() {
    panics::watch(Watcher { wants_stack_traces, seen, log, dying });
}

fn wants_stack_traces() -> bool {
    global::pipeline().is_some_and(|pipeline| pipeline.wants_stack_traces())
}

fn source(panic: &Panic) -> Source<'static> {
    let (file, line) = panic.place.clone().unzip();
    Source { logger: "obs_runtime".into(), module: None, file: file.map(Into::into), line }
}

fn seen(panic: &Panic) {
    propagation::panicked(panic.clone(), source(panic));
}

/// Emits the log line of a panic; that of a secondary one only in place of the standard library's message.
fn log(panic: &Panic) -> bool {
    let source = source(panic);
    let is_written = global::pipeline().is_some_and(|pipeline| pipeline.replaces_panic_message(&source.logger));
    if panic.is_secondary && !is_written {
        return false;
    }
    panic_line::emit(format!("panicked: {panic}").into(), panic.backtrace.clone(), source);
    is_written
}

/// The process is about to abort: nothing unwinds through the calls that are running.
fn dying() {
    panic_commands();
    registry::flush(FlushMode::Final(Instant::now()));
}
