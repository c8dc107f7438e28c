//! Which arguments commands are given, told by a parser of command lines.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::command_run::CommandRun;
use crate::events::event::Fact;
use crate::pipeline::global;

/// The arguments of a command that has not begun.
static PENDING: Mutex<Option<Given>> = Mutex::new(None);

/// Whether there are some, so that other commands take no lock.
static ANY_PENDING: AtomicBool = AtomicBool::new(false);

struct Given {
    names: Vec<String>,
    at: &'static Location<'static>,
}

/// Counts the arguments for the command that runs here, or else for the next one that begins.
#[track_caller]
pub fn given(names: Vec<String>) {
    let given = Given { names, at: Location::caller() };
    let context = Context::current();
    if context.extension::<CommandRun>().is_some() {
        report(&given, context.operation().unwrap_or_default());
    } else {
        *PENDING.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        ANY_PENDING.store(true, Ordering::Release);
    }
}

/// Counts the arguments that were given before the command began, at its start.
pub fn begun(command: &str) {
    if ANY_PENDING.load(Ordering::Acquire) && ANY_PENDING.swap(false, Ordering::AcqRel) {
        let given = PENDING.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(given) = given {
            report(&given, command);
        }
    }
}

fn report(given: &Given, command: &str) {
    for name in &given.names {
        let fact = Fact::ArgumentUsed { command: command.into(), argument: name.as_str().into() };
        global::emit_fact(Level::Debug, global::caller(given.at), fact);
    }
}
