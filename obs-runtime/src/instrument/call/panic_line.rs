//! The log line of a panic.

use std::borrow::Cow;

use crate::base::level::Level;
use crate::events::event::{Details, Fact, Source};
use crate::events::field::Field;
use crate::events::panics;
use crate::exporters::interface::Topic;
use crate::instrument::call::tracked_call::Call;
use crate::pipeline::global;

/// Emits the line of a panic on this thread.
pub fn emit(message: Cow<'static, str>, backtrace: Option<String>, source: Source<'static>) {
    let thread = std::thread::current();
    let mut fields =
        vec![Field::new("panic", true), Field::new("thread", thread.name().unwrap_or("unnamed").to_owned())];
    fields.extend(hint(&message).map(|hint| Field::new("hint", hint)));
    fields.extend(backtrace.map(|backtrace| Field::new("backtrace", backtrace)));
    let details = Details { fields, ..Details::default() };
    global::emit(Topic::Log, Level::Error, source, |_| (Fact::Log { message }, details));
}

/// What helps against a panic of another crate that obs is the cause of.
fn hint(message: &str) -> Option<&'static str> {
    (message.contains("failed to set global default subscriber") || message.contains("SetGlobalDefaultError")).then_some(
        "obs has installed the process' tracing subscriber: give further layers to Observability::builder().layer(…), or call \
         .subscriber(false) on it and add obs_runtime::layer() to your own subscriber",
    )
}

impl Call {
    /// Emits the line of a panic that unwinds through the call, if no panic was seen on any thread since the call began. The
    /// message is not known then.
    pub(super) fn report_unseen_panic(&self) {
        const MESSAGE: &str = "panicked: the message is not known, because a panic hook that was set after obs was initialised does \
                               not call the previous one, or because the panic was resumed";
        if panics::claim_unseen(self.start) {
            let last = panics::last_since(self.start);
            let message = last.map_or(Cow::Borrowed(MESSAGE), |last| format!("panicked: {last}").into());
            emit(message, None, global::source(self.callsite.place()));
        }
    }
}
