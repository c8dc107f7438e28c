//! What health checks and data-quality checks have in common: a name, a place and a function to call.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::runner::job::Answer;
use crate::instrument::call::entry::Entry;
use crate::metrics::callsite::SourceLocation;

/// Adds fields to a check's log line.
pub type Describe = fn(&mut Entry);

/// A declared check.
pub struct Check<R> {
    pub name: Cow<'static, str>,
    pub place: SourceLocation,
    /// The name of the function, if it does not follow from `name`.
    pub function: Option<&'static str>,
    pub run: R,
    pub timeout: Duration,
    /// Level of the log line when the check passes.
    pub level: Level,
    pub describe: Describe,
}

impl<R> Check<R> {
    pub const fn new(name: Cow<'static, str>, place: SourceLocation, run: R, timeout: Duration) -> Self {
        Self { name, place, function: None, run, timeout, level: Level::Debug, describe: |_| {} }
    }

    /// The name of the function with the attribute; `None` if the program has registered the check.
    pub fn function_name(&self) -> Option<Cow<'static, str>> {
        let Cow::Borrowed(name) = self.name else { return None };
        self.place.function(self.function, name)
    }
}

impl<R> fmt::Debug for Check<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, place, timeout, level, function: _, run: _, describe: _ } = self;
        let mut shown = formatter.debug_struct("Check");
        shown.field("name", name).field("place", place).field("timeout", timeout).field("level", level).finish()
    }
}

/// The place of a check that a program registers itself.
pub fn caller_place(caller: &'static Location<'static>) -> SourceLocation {
    SourceLocation { module: "", file: caller.file(), line: caller.line() }
}

/// A function that can be called any number of times.
pub enum Callable<V: 'static> {
    /// Known at link time.
    Function(fn() -> Answer<V>),
    /// Registered at run time.
    Closure(Box<dyn Fn() -> Answer<V> + Send + Sync>),
}

impl<V> Callable<V> {
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
