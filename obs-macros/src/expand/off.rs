//! The feature `off`: the bare function. Expressions of the attribute are still type-checked and count as used, in a
//! branch that is never taken.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use crate::item::function::{Function, ours};

/// The function, with `checked` in a branch that is never taken.
pub fn bare(function: &Function, checked: Option<TokenStream>) -> TokenStream {
    let Function { head, body, .. } = function;
    let Some(checked) = checked else { return head.clone().into_iter().chain(body.braces.to_token_stream()).collect() };
    let site = Span::mixed_site();
    let branch = quote_spanned!(site=> if false { #checked });
    let statements = ours(&body.braces_around(body.statements.clone()));
    let block = quote_spanned!(site=> #branch #statements);
    let block = body.braces_around(body.inner_attributes.clone().into_iter().chain(block).collect());
    head.clone().into_iter().chain(block.into_token_stream()).collect()
}
