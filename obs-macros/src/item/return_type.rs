//! The return type as a closure can say it.

use proc_macro2::Span;
use quote::quote_spanned;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Token, Type, TypeInfer};

use crate::item::function::{Function, Shape};

/// The return type of a function, written down again inside it.
pub struct Written {
    pub written: Type,
    /// Whether it holds `impl Trait`, which became `_`.
    pub inferred: bool,
}

/// The return type; `()` when none is written.
pub fn of(output: &ReturnType) -> Written {
    match output {
        ReturnType::Default => Written { written: unit(), inferred: false },
        ReturnType::Type(_, output) => without_impl_trait(output),
    }
}

/// Whether the type is one of which no value is an error, as far as its words tell.
pub fn never_fails(function: &Function) -> bool {
    let output = match &function.shape {
        Shape::Sync | Shape::Async => of(&function.signature.output).written,
        Shape::BoxedFuture(boxed) => match &boxed.output {
            Some(output) => output.clone(),
            None => return false,
        },
    };
    is_plain(&output)
}

fn is_plain(written: &Type) -> bool {
    const PLAIN: [&str; 16] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize",
    ];
    match written {
        Type::Group(inner) => is_plain(&inner.elem),
        Type::Paren(inner) => is_plain(&inner.elem),
        Type::Tuple(_) | Type::Reference(_) | Type::Array(_) | Type::Never(_) => true,
        Type::Path(path) => path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        _ => false,
    }
}

/// The type with `_` for each `impl Trait` in it.
pub fn without_impl_trait(written: &Type) -> Written {
    let mut written = written.clone();
    let inferred = erase(&mut written);
    Written { written, inferred }
}

fn unit() -> Type {
    Type::Tuple(syn::TypeTuple {
        attrs: Vec::new(),
        paren_token: syn::token::Paren(Span::mixed_site()),
        elems: Punctuated::new(),
    })
}

/// Whether there was one.
fn erase(written: &mut Type) -> bool {
    match written {
        Type::ImplTrait(_) => {
            *written = infer();
            true
        }
        Type::Group(inner) => erase(&mut inner.elem),
        Type::Paren(inner) => erase(&mut inner.elem),
        Type::Array(inner) => erase(&mut inner.elem),
        Type::Slice(inner) => erase(&mut inner.elem),
        Type::Ptr(inner) => erase(&mut inner.elem),
        Type::Reference(inner) => erase(&mut inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().map(erase).fold(false, |found, one| found | one),
        Type::Path(path) => path
            .path
            .segments
            .iter_mut()
            .map(|segment| erase_in_arguments(&mut segment.arguments))
            .fold(false, |found, one| found | one),
        Type::TraitObject(object) => {
            // `dyn Iterator<Item = impl Trait>`: too deep to name a part, so the whole is inferred.
            let inferred = says_impl(quote_spanned!(Span::mixed_site()=> #object));
            if inferred {
                *written = infer();
            }
            inferred
        }
        _ => false,
    }
}

fn erase_in_arguments(arguments: &mut PathArguments) -> bool {
    let PathArguments::AngleBracketed(arguments) = arguments else { return false };
    arguments
        .args
        .iter_mut()
        .map(|argument| match argument {
            GenericArgument::Type(inner) => erase(inner),
            GenericArgument::AssocType(associated) => erase(&mut associated.ty),
            _ => false,
        })
        .fold(false, |found, one| found | one)
}

fn says_impl(tokens: proc_macro2::TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        proc_macro2::TokenTree::Group(group) => says_impl(group.stream()),
        proc_macro2::TokenTree::Ident(ident) => ident == "impl",
        _ => false,
    })
}

fn infer() -> Type {
    Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token: Token![_](Span::mixed_site()) })
}
