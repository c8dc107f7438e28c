//! Events of sentry's own functions, such as `sentry::capture_message` and those of its integrations. They go through the client of
//! obs, and are redacted as everything else.

use std::cell::Cell;
use std::sync::Arc;

use ::sentry::protocol::Event;
use ::sentry::{ClientOptions, Integration};
use serde_json::Value as Json;

/// Redacts the value of a name.
pub type Redact = Arc<dyn Fn(&str, String) -> String + Send + Sync>;

thread_local! {
    /// Whether the client prepares an event of obs, which is redacted.
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// Marks what the client prepares in `run` as events of obs.
pub fn own<R>(run: impl FnOnce() -> R) -> R {
    let before = IS_OWN.replace(true);
    let result = run();
    IS_OWN.set(before);
    result
}

/// Redacts the events that are not those of obs.
pub struct ForeignEvents(pub Redact);

impl Integration for ForeignEvents {
    fn name(&self) -> &'static str {
        "obs"
    }

    fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        if IS_OWN.get() {
            return Some(event);
        }
        // What cannot be redacted is not sent.
        let mut json = serde_json::to_value(&event).ok()?;
        self.redact("", &mut json);
        serde_json::from_value(json).ok()
    }
}

impl ForeignEvents {
    fn redact(&self, name: &str, json: &mut Json) {
        match json {
            Json::String(text) => *text = (self.0)(name, std::mem::take(text)),
            Json::Array(values) => values.iter_mut().for_each(|value| self.redact(name, value)),
            Json::Object(fields) => fields.iter_mut().for_each(|(name, value)| self.redact(name, value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}
