//! Breadcrumbs that the program adds by calls.

use std::borrow::Cow;
use std::panic::Location;

use crate::base::level::Level;
use crate::events::event::{Details, Fact};
use crate::events::field::{Field, Value};
use crate::exporters::interface::Topic;
use crate::pipeline::global;

/// A step on the way to an error, should there be one. Log lines from `info` on, queries and the ends of commands are
/// steps by themselves.
#[derive(Clone, Debug)]
#[must_use = "a breadcrumb is nowhere before it is given to add_breadcrumb"]
pub struct Breadcrumb {
    message: Cow<'static, str>,
    category: Cow<'static, str>,
    level: Level,
    fields: Vec<Field<'static>>,
}

impl Breadcrumb {
    /// A step of level `info` and category `default`.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), category: Cow::Borrowed("default"), level: Level::Info, fields: Vec::new() }
    }

    /// What kind of step it is: `http`, `file`, …
    pub fn category(mut self, category: impl Into<Cow<'static, str>>) -> Self {
        self.category = category.into();
        self
    }

    /// How much it matters.
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Says something more of it.
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.fields.push(Field::new(name, value));
        self
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Breadcrumb {
    fn from(message: T) -> Self {
        Self::new(message)
    }
}

/// Adds a breadcrumb, a step before a possible error. The next events of the same correlation id contain it. The last 100
/// breadcrumbs are kept. They are redacted, and sent only with an event.
///
/// ```
/// use obs_runtime::{Breadcrumb, add_breadcrumb};
///
/// add_breadcrumb("the manifest is read");
/// add_breadcrumb(Breadcrumb::new("GET /feeds").category("http").field("status", 200));
/// ```
#[track_caller]
pub fn add_breadcrumb(crumb: impl Into<Breadcrumb>) {
    let source = global::caller(Location::caller());
    let Breadcrumb { message, category, level, fields } = crumb.into();
    global::emit(Topic::Report, level, source, |_| {
        (Fact::Breadcrumb { category, message }, Details { fields, tags: Vec::new() })
    });
}
