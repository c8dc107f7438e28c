//! Errors that the program logs, for `SENTRY_EVENTS_FROM_LOGS`.

use std::borrow::Cow;

use crate::base::clock::Stamp;
use crate::context::current::Context;
use crate::events::event::{Details, Source, UNKNOWN_OPERATION};
use crate::events::failure::Failure;
use crate::events::report::{Layer, ReportKind};
use crate::instrument::error_dedup::propagation::{self, CallExit, Captures};
use crate::instrument::errors::message::report_message;
use crate::pipeline::global;
use crate::pipeline::layer::log_capture::LoggedError;

/// Captures a line: its error if it has one, which may be captured by an annotated function too, else its message, unless that is of an
/// error which was captured before.
pub fn capture(line: &LoggedError<'_>) {
    // Its own lines are of no error, or of one that is reported.
    if global::pipeline().is_none() || line.source.logger.starts_with("obs_runtime") {
        return;
    }
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    let name = operation.map_or(Cow::Borrowed(UNKNOWN_OPERATION), Cow::Owned);
    let exit = CallExit {
        name: name.clone(),
        level: line.level,
        source: owned(&line.source),
        ends_scope: false,
        start: Stamp::now(),
        captures: Captures::Manually,
        swallows: false,
    };
    if let Some(error) = line.error {
        let layer = || Layer { name, attribute: "log", ..Layer::default() };
        propagation::fail(&exit, &Failure::borrowed(&error), layer);
    } else if !propagation::is_known(&exit, &Failure::display(&line.message)) {
        let message = line.message.to_owned().into();
        report_message(ReportKind::Message, line.level, message, exit.source, Details::default());
    }
}

fn owned(source: &Source<'_>) -> Source<'static> {
    let text = |text: &Cow<'_, str>| Cow::Owned(text.to_string());
    Source {
        logger: text(&source.logger),
        module: source.module.as_ref().map(text),
        file: source.file.as_ref().map(text),
        line: source.line,
    }
}
