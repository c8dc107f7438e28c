//! What events say of an error or a panic.

use std::borrow::Cow;

use crate::events::field::Text;

/// An error or a panic, as events contain it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureFacts<'a> {
    /// Stable error type, of low cardinality.
    pub error_type: Text<'a>,
    /// The error message.
    pub message: Text<'a>,
    /// Messages of the sources, outermost first.
    pub sources: Vec<Text<'a>>,
}

impl FailureFacts<'_> {
    /// Converts all text to owned text.
    #[must_use]
    pub fn to_static(&self) -> FailureFacts<'static> {
        let owned = |text: &Text<'_>| Cow::Owned(text.to_string());
        FailureFacts {
            error_type: owned(&self.error_type),
            message: owned(&self.message),
            sources: self.sources.iter().map(owned).collect(),
        }
    }
}
