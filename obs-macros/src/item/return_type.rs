//! Return types, and which outcomes they allow.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Token, Type, TypeInfer, TypeParamBound};

use crate::item::function::{Function, Shape};
use crate::item::returned_future::mentions_impl;

/// The return type, in a form that may be written again inside the function.
pub fn of(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => unit(),
        ReturnType::Type(_, output) => without_impl_trait(output),
    }
}

/// Whether no value of the return type is an error, judging by its tokens.
pub fn never_fails(function: &Function) -> bool {
    match &function.shape {
        Shape::Sync | Shape::Async => is_plain(&of(&function.signature.output)) || is_closure(function),
        Shape::Future(_) => false,
    }
}

/// Whether the function returns `impl Fn…`, also in a tuple. The compiler infers the signature of the returned
/// closure from the return type only if the closure is the last expression of the function itself.
pub fn is_closure(function: &Function) -> bool {
    let ReturnType::Type(_, output) = &function.signature.output else { return false };
    matches!(function.shape, Shape::Sync | Shape::Async) && is_impl_fn(output)
}

fn is_impl_fn(written: &Type) -> bool {
    const CLOSURES: [&str; 6] = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];
    match written {
        Type::Group(inner) => is_impl_fn(&inner.elem),
        Type::Paren(inner) => is_impl_fn(&inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(is_impl_fn),
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                bound.path.segments.last().is_some_and(|last| CLOSURES.iter().any(|name| last.ident == name))
            }
            _ => false,
        }),
        _ => false,
    }
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

/// The type with `_` in place of each `impl Trait`.
pub fn without_impl_trait(written: &Type) -> Type {
    let mut written = written.clone();
    erase(&mut written);
    written
}

fn unit() -> Type {
    Type::Tuple(syn::TypeTuple {
        attrs: Vec::new(),
        paren_token: syn::token::Paren(Span::mixed_site()),
        elems: Punctuated::new(),
    })
}

/// Replaces each `impl Trait` by `_`. Returns whether there was one.
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
            // `dyn Iterator<Item = impl Trait>`: `_` is not allowed inside, so the whole type is inferred.
            let inferred = mentions_impl(object);
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

fn infer() -> Type {
    Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token: Token![_](Span::mixed_site()) })
}
