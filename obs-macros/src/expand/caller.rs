//! `#[track_caller]`: the body as a function of its own, called by the annotated one, as no closure is told its caller.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, GenericParam, Pat, PatIdent, Safety, Visibility};

use crate::item::function::Function;
use crate::item::outer_attribute::OuterAttribute;

/// A function whose body became another one.
pub struct Split {
    /// What stands before the braces of the annotated function.
    pub head: TokenStream,
    /// The call of the other one.
    pub call: TokenStream,
    /// The other one, when it goes into the annotated function.
    pub within: TokenStream,
    /// The other one, when it goes beside it.
    pub beside: TokenStream,
}

/// Splits a function under `#[track_caller]`. None for a method that may be one of a trait, which takes no other beside
/// it, and for arguments that are patterns.
pub fn split(function: &Function, suffix: &str) -> Option<Split> {
    let tracked = with_path(function, says_track_caller);
    if tracked.is_empty() {
        return None;
    }
    let site = Span::mixed_site();
    let mut inner = function.signature.clone();
    let mut outer = function.signature.clone();
    inner.ident = format_ident!("__{}_under_{suffix}", inner.ident.unraw(), span = site);
    let mut given = Vec::new();
    for (place, argument) in outer.inputs.iter_mut().enumerate() {
        given.push(match argument {
            FnArg::Receiver(receiver) => {
                receiver.mutability = None;
                receiver.self_token.to_token_stream()
            }
            FnArg::Typed(argument) => handed_on(&mut argument.pat, place)?.into_token_stream(),
        });
    }
    let of_type = function.signature.receiver().is_some() || says_self(function);
    let expects = || !with_path(function, |attribute| attribute.path == ["expect"]).is_empty();
    if of_type && (matches!(function.visibility, Visibility::Inherited) || expects()) {
        return None;
    }
    if !of_type && may_name_outer_generics(function) {
        return None;
    }
    let name = &inner.ident;
    let parameters = outer.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
        GenericParam::Lifetime(_) => None,
    });
    let of = of_type.then(|| quote_spanned!(site=> Self::));
    let mut call = quote_spanned!(site=> #of #name::<#(#parameters),*>(#(#given),*));
    if matches!(outer.safety, Safety::Unsafe(_)) {
        call = quote_spanned!(site=> unsafe { #call });
    }
    let lints =
        of_type.then(|| with_path(function, |attribute| ["allow", "cfg"].iter().any(|word| attribute.path == [*word])));
    let braces = &function.body.braces;
    let other = quote_spanned!(site=> #tracked #lints #inner #braces);
    let (within, beside) = if of_type { (TokenStream::new(), other) } else { (other, TokenStream::new()) };
    let head = function.visibility.to_token_stream().into_iter().chain(outer.to_token_stream()).collect();
    Some(Split { head, call, within, beside })
}

/// The tokens of the attributes of a kind.
fn with_path(function: &Function, of_kind: impl Fn(&OuterAttribute) -> bool) -> TokenStream {
    let attributes = function.attributes.iter().filter(|attribute| of_kind(attribute));
    attributes.flat_map(|attribute| attribute.tokens.clone()).collect()
}

/// Whether it has a `panic!` or an `unwrap()` in the body name the caller.
fn says_track_caller(attribute: &OuterAttribute) -> bool {
    let word = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "track_caller");
    match attribute.path.last().map(String::as_str) {
        Some("track_caller") => true,
        Some("cfg_attr") => flat(attribute.tokens.clone()).iter().any(word),
        _ => false,
    }
}

/// Makes the argument one that is handed on, and gives its name.
fn handed_on(pattern: &mut Pat, place: usize) -> Option<Ident> {
    match pattern {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, ident, .. }) => {
            *mutability = None;
            Some(ident.clone())
        }
        Pat::Wild(_) => {
            let ident = format_ident!("__unnamed{place}", span = Span::mixed_site());
            *pattern = Pat::Ident(PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident: ident.clone(),
                subpat: None,
            });
            Some(ident)
        }
        _ => None,
    }
}

fn says_self(function: &Function) -> bool {
    let word = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "Self");
    flat(function.head.clone()).iter().chain(&flat(function.body.statements.clone())).any(word)
}

/// Whether the function may be in a generic `impl` and name a parameter of it, which no function inside of it can: it has a
/// short name, all in capitals, that is not a parameter of its own.
fn may_name_outer_generics(function: &Function) -> bool {
    let own: Vec<_> = function
        .signature
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
            GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let is_parameter = |name: &str| {
        name.len() <= 2
            && name.starts_with(|letter: char| letter.is_ascii_uppercase())
            && !name.contains(|letter: char| letter.is_ascii_lowercase())
            && !own.iter().any(|parameter| parameter == name)
    };
    let trees = flat(function.head.clone()).into_iter().chain(flat(function.body.statements.clone()));
    trees.into_iter().any(|tree| matches!(tree, TokenTree::Ident(word) if is_parameter(&word.to_string())))
}

/// The tokens without their brackets.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => flat.extend(self::flat(group.stream())),
            leaf => flat.push(leaf),
        }
    }
    flat
}
