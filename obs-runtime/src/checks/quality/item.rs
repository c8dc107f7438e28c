//! The items of `for_each`.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::checks::quality::measure::Measure;
use crate::checks::runner::job::Answer;
use crate::events::failure::shown;
use crate::pipeline::global;

/// An item of `for_each`, and its check.
#[derive(Clone)]
pub struct Item {
    /// Its name in that of the check: `users`, or `users.id` for a tuple.
    pub(super) label: String,
    /// The same as results show it: each part redacted by the name of its argument.
    pub(super) shown_label: String,
    /// The data set, if the check names none: the item, or the first part of a tuple.
    pub(super) dataset: String,
    pub(super) shown_dataset: String,
    pub(super) run: Arc<dyn Fn() -> Answer<Measure> + Send + Sync>,
}

/// What a function with `#[dq_check(for_each = …)]` may take.
#[diagnostic::on_unimplemented(
    message = "an item of `for_each` cannot be a `{Self}`",
    label = "the item cannot be shown as a name, or not be sent to the thread of its check",
    note = "an item needs `Display + Send + Sync + 'static`, or is a tuple of two to four such parts"
)]
pub trait Parameter: Display + Send + Sync + 'static {}

impl<T: Display + Send + Sync + 'static> Parameter for T {}

/// A tuple that a function with `#[dq_check(for_each = …)]` may take.
#[diagnostic::on_unimplemented(
    message = "an item of `for_each` cannot be a `{Self}`",
    label = "not a tuple of two to four parts that can be shown as a name and sent to the thread of its check",
    note = "each part needs `Display + Send + Sync + 'static`"
)]
pub trait TupleParameter: Send + Sync + 'static {
    /// The parts of the item's name.
    fn parts(&self) -> Vec<String>;
}

macro_rules! tuple_parameters {
    ($($($name:ident $field:tt)+;)*) => {$(
        impl<$($name: Parameter),+> TupleParameter for ($($name,)+) {
            fn parts(&self) -> Vec<String> {
                vec![$(shown(&self.$field)),+]
            }
        }
    )*};
}
tuple_parameters! {
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}

impl Item {
    pub(super) fn new<T: Send + Sync + 'static>(
        parts: Vec<String>,
        names: &[&str],
        item: T,
        run: fn(Arc<T>) -> Answer<Measure>,
    ) -> Self {
        let item = Arc::new(item);
        let name = |index| match names {
            [name] => *name,
            names if names.len() == parts.len() => names[index],
            _ => "",
        };
        let redacted = |(index, part): (usize, &String)| global::redact_named(name(index), part.clone());
        let shown: Vec<String> = parts.iter().enumerate().map(redacted).collect();
        Self {
            label: parts.join("."),
            shown_label: shown.join("."),
            dataset: parts.into_iter().next().unwrap_or_default(),
            shown_dataset: shown.into_iter().next().unwrap_or_default(),
            run: Arc::new(move || run(Arc::clone(&item))),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Item").field(&self.shown_label).finish()
    }
}
