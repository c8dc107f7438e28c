//! What every attribute is between its arguments and its expansion.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::shared::Shared;

/// What an attribute was told, checked.
pub trait Model: Sized {
    /// All that can be wrong is found here.
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self;

    /// What the shared keys say.
    fn shared(&self) -> &Shared;

    /// The function with what the attribute puts around it, without the attributes that stand on it. Cannot fail.
    fn expand(&self, function: &Function) -> TokenStream;
}
