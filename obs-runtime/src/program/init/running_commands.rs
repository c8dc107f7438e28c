//! Commands that were started before obs was initialised.

use std::borrow::Cow;

use crate::context::current::Context;
use crate::context::scope::new_correlation_id;
use crate::instrument::command::unrecorded_commands;
use crate::pipeline::global;

/// Sets the inherited context as the root. If a command is running that was started before obs was initialised, the root
/// gets its name and a correlation id, so that further lines have them, and a warning says what is missing.
pub fn adopt(inherited: Option<Context>) {
    let running = unrecorded_commands();
    let Some(first) = running.first() else { return Context::set_root(inherited) };
    let mut context = inherited.unwrap_or_default();
    context.set_operation(Cow::Borrowed(first));
    if context.correlation_id().is_none() {
        context.set_correlation_id(&new_correlation_id());
    }
    Context::set_root(Some(context));
    global::warn_with_help(
        "init-in-command",
        format!(
            "obs was initialised inside of the command {first}, which has no start and finish lines and no metrics therefore: \
         write #[tracked_command(init)] on `main`, or initialise before the command starts"
        ),
    );
}
