//! What every attribute is between its arguments and its expansion.

use proc_macro2::TokenStream;

use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::item::function::Function;

/// What an attribute was told, checked.
pub trait Model: Sized {
    /// All that can be wrong is found here.
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self;

    /// What the shared keys say.
    fn shared(&self) -> &SharedKeys;

    /// The function with what the attribute puts around it, without the attributes that stand on it. Cannot fail.
    fn expand(&self, function: &Function) -> TokenStream;
}
