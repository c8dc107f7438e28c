//! What the body takes from the function's arguments, and in which order it is dropped.
//!
//! A closure or future drops what it captured in the order in which it was first named; a function drops its arguments
//! from the last to the first. So the arguments are named in that order before the body is.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::{FnArg, ReceiverKind, Type};

use crate::item::{Function, bound_names};

/// Types that leave nothing to drop.
const PLAIN: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

/// `let _ = (&b, &a);`, when the order of their drops may matter.
pub fn in_order(function: &Function) -> Option<TokenStream> {
    let body = &function.body.statements;
    let mut taken: Vec<Ident> = names(function, has_no_drop);
    // An unused argument stays where it is, so that the compiler says so.
    taken.retain(|name| name.to_string().starts_with('_') || mentions(body, &name.unraw().to_string()));
    taken.reverse();
    let unused = taken.iter().any(|name| name.to_string().starts_with('_'));
    let unused = unused.then(|| quote_spanned!(Span::mixed_site()=> #[allow(clippy::used_underscore_binding)]));
    (taken.len() > 1).then(|| quote_spanned!(Span::mixed_site()=> #unused let _ = (#(&#taken),*);))
}

/// Whether tokens name an argument that can be had only once.
pub fn name_owned(tokens: &TokenStream, function: &Function) -> bool {
    names(function, is_copy).iter().any(|name| mentions(tokens, &name.unraw().to_string()))
}

/// The names of arguments, in their order, without those whose type `leaves_out`.
fn names(function: &Function, leaves_out: fn(&Type) -> bool) -> Vec<Ident> {
    let mut names = Vec::new();
    for argument in &function.signature.inputs {
        match argument {
            FnArg::Typed(argument) if !leaves_out(&argument.ty) => bound_names(&argument.pat, &mut names),
            FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                names.push(Ident::new("self", receiver.self_token.span));
            }
            FnArg::Typed(_) | FnArg::Receiver(_) => {}
        }
    }
    names
}

/// Whether a value of the type is surely copied when it is used.
fn is_copy(kind: &Type) -> bool {
    match kind {
        Type::Reference(reference) => reference.mutability.is_none(),
        other => has_no_drop(other),
    }
}

/// Whether a value of the type surely leaves nothing to drop.
fn has_no_drop(kind: &Type) -> bool {
    match kind {
        Type::Group(inner) => has_no_drop(&inner.elem),
        Type::Paren(inner) => has_no_drop(&inner.elem),
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) => true,
        Type::Path(path) => path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        _ => false,
    }
}

/// Whether the name stands in tokens; in text too, where a format string may hold it.
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Ident(ident) => ident.unraw() == name,
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}
