//! Nesting of attributes, independent of the order in which they are written.
//!
//! The attribute that is expanded first ends up innermost. An attribute that belongs further out therefore moves behind
//! the remaining ones that belong further in.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::vocabulary::Attribute;
use crate::item::function::Item;
use crate::item::outer_attribute::{OuterAttribute, value_of};

/// Crate names under which the attributes are recognised without `crate = …`.
const CRATES: [&str; 3] = ["obs_runtime", "obs_macros", "obs"];

/// Whether another attribute of this crate follows on the item.
pub fn ours_follow(item: &Item, runtime: &RuntimePath) -> bool {
    item.attributes.iter().any(|other| ours(other, runtime).is_some())
}

/// The same attribute with the same name, if it follows on the item: it would count each call twice.
pub fn repeated<'i>(
    attribute: Attribute,
    args: &TokenStream,
    item: &'i Item,
    runtime: &RuntimePath,
) -> Option<&'i OuterAttribute> {
    let name = |args: TokenStream| value_of("name", args).to_string();
    let is_repeated = |other: &&OuterAttribute| {
        ours(other, runtime) == Some(attribute) && name(other.arguments().unwrap_or_default()) == name(args.clone())
    };
    item.attributes.iter().find(is_repeated)
}

/// The item with the attribute moved behind the last one that belongs further in, if there is one.
pub fn step_behind(
    attribute: Attribute,
    args: &TokenStream,
    item: &Item,
    runtime: &RuntimePath,
    initialises: bool,
) -> Option<TokenStream> {
    let function = item.function.as_ref().ok()?;
    // What starts an async runtime makes a sync function of `main`, which then initialises obs before the runtime.
    let starts_runtime = |other: &OuterAttribute| initialises && other.path.last().is_some_and(|word| word == "main");
    let last = item
        .attributes
        .iter()
        .rposition(|other| ours(other, runtime).is_some_and(|other| other > attribute) || starts_runtime(other))?;
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

/// The attribute of this crate that `other` is, if it is one.
pub fn ours(other: &OuterAttribute, runtime: &RuntimePath) -> Option<Attribute> {
    let (last, crate_path) = other.path.split_last()?;
    let from_us = match crate_path {
        [] => true,
        [first, ..] => CRATES.contains(&first.as_str()) || crate_path == runtime.segments(),
    };
    Attribute::named(last).filter(|_| from_us)
}
