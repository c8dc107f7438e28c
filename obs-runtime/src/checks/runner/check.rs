//! What a health check and a data-quality check have in common: a name, a place and a function to call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::runner::job::Answer;
use crate::instrument::call::entry::Entry;
use crate::metrics::callsite::Place;

/// Says what else a check's line tells.
pub type Describe = fn(&mut Entry);

/// A declared check.
pub struct Check<R> {
    pub name: Cow<'static, str>,
    pub place: Place,
    pub run: R,
    pub timeout: Duration,
    /// Level of its line when it is well.
    pub level: Level,
    pub describe: Describe,
}

impl<R> Check<R> {
    /// A check of that name, at that place.
    pub const fn new(name: Cow<'static, str>, place: Place, run: R, timeout: Duration) -> Self {
        Self { name, place, run, timeout, level: Level::Debug, describe: |_| {} }
    }
}

impl<R> fmt::Debug for Check<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, place, timeout, level, run: _, describe: _ } = self;
        let mut shown = formatter.debug_struct("Check");
        shown.field("name", name).field("place", place).field("timeout", timeout).field("level", level).finish()
    }
}

/// A function that anybody may call, time and again.
pub enum Callable<V: 'static> {
    /// Known when the program is linked.
    Function(fn() -> Answer<V>),
    /// Registered by hand.
    Closure(Box<dyn Fn() -> Answer<V> + Send + Sync>),
}

impl<V> Callable<V> {
    /// Calls it.
    pub fn call(&self) -> Answer<V> {
        match self {
            Self::Function(function) => function(),
            Self::Closure(closure) => closure(),
        }
    }
}

/// `const` methods that set one field each.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $($field:ident).+ = $value:expr;)*) => {$(
        $(#[$doc])*
        pub const fn $name(mut self, $name: $type) -> Self {
            self.$($field).+ = $value;
            self
        }
    )*};
}
pub(crate) use setters;
