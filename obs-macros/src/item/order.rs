//! Which attribute wraps which: the same whatever the order they are written in.
//!
//! The attribute that is expanded first ends up innermost. So one that belongs further out steps behind those of
//! ours that belong further in and are still to come.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::vocabulary::Attribute;
use crate::item::function::Item;
use crate::item::outer_attribute::OuterAttribute;

/// The names by which obs is known without being told otherwise.
const CRATES: [&str; 3] = ["obs_runtime", "obs_macros", "obs"];

/// Whether one of our attributes is still to come on the item.
pub fn ours_follow(item: &Item, runtime: &RuntimePath) -> bool {
    item.attributes.iter().any(|other| ours(other, runtime).is_some())
}

/// The item with the attribute moved behind the last one that belongs further in, when there is one.
pub fn step_behind(
    attribute: Attribute,
    args: &TokenStream,
    item: &Item,
    runtime: &RuntimePath,
) -> Option<TokenStream> {
    let function = item.function.as_ref().ok()?;
    let last = item.attributes.iter().rposition(|other| ours(other, runtime).is_some_and(|other| other > attribute))?;
    let (before, after) = item.attributes.split_at(last + 1);
    let name = proc_macro2::Ident::new(attribute.name(), Span::mixed_site());
    let (head, braces) = (&function.head, &function.body.braces);
    Some(quote_spanned! {Span::mixed_site()=>
        #(#before)*
        #[#runtime::#name(#args)]
        #(#after)*
        #head #braces
    })
}

/// Which attribute of ours it is.
pub fn ours(other: &OuterAttribute, runtime: &RuntimePath) -> Option<Attribute> {
    let (last, crate_path) = other.path.split_last()?;
    let from_us = match crate_path {
        [] => true,
        [first, ..] => CRATES.contains(&first.as_str()) || crate_path == runtime.segments(),
    };
    Attribute::named(last).filter(|_| from_us)
}
