//! The stage between arguments and expansion.

use proc_macro2::TokenStream;

use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::item::function::Function;

/// The validated arguments of an attribute.
pub trait Model: Sized {
    /// Validates the arguments; every error is added to `diagnostics`.
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self;

    /// The keys of all attributes.
    fn shared(&self) -> &SharedKeys;

    /// The instrumented function, without its other attributes. Cannot fail.
    fn expand(&self, function: &Function) -> TokenStream;
}
