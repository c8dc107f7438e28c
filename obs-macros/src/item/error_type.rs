//! What the tokens of a return type tell about the type of its error.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{
    GenericArgument, GenericParam, PathArguments, ReturnType, Signature, Token, Type, TypeParamBound, WherePredicate,
    punctuated::Punctuated,
};

use crate::item::function::{Function, Shape};
use crate::item::parameters;

/// How the error of a return value can be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// As any type.
    Plain,
    /// It may contain a boxed error that is not `'static`, as it names a lifetime.
    Borrowed,
    /// It may implement `Error` only for type parameters that are `'static`, as it has one that need not be.
    Generic,
}

impl ErrorType {
    /// The error of a function's value.
    pub fn of(function: &Function) -> Self {
        let output = match (&function.shape, &function.signature.output) {
            (Shape::Future(future), _) if future.is_certain() => future.output(),
            (_, ReturnType::Type(_, output)) => Some(&**output),
            (_, ReturnType::Default) => None,
        };
        let Some(Type::Path(path)) = output else { return Self::Plain };
        let Some(last) = path.path.segments.last() else { return Self::Plain };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Self::Plain };
        let types: Vec<_> =
            arguments.args.iter().filter(|argument| matches!(argument, GenericArgument::Type(_))).collect();
        match types.as_slice() {
            [_, GenericArgument::Type(error)] => Self::of_error(error, &function.signature),
            _ if names_lifetime(quote_spanned!(Span::mixed_site()=> #arguments)) => Self::Borrowed,
            _ => Self::Plain,
        }
    }

    fn of_error(error: &Type, signature: &Signature) -> Self {
        if let Type::Path(path) = error
            && let Some(last) = path.path.segments.last()
            && names_parameter(last.arguments.to_token_stream(), signature)
        {
            return Self::Generic;
        }
        if names_lifetime(error.to_token_stream()) { Self::Borrowed } else { Self::Plain }
    }
}

fn names_lifetime(tokens: TokenStream) -> bool {
    let mut after_quote = false;
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => names_lifetime(group.stream()),
        TokenTree::Punct(punct) => {
            after_quote = punct.as_char() == '\'';
            false
        }
        TokenTree::Ident(ident) => std::mem::take(&mut after_quote) && ident != "static",
        TokenTree::Literal(_) => false,
    })
}

/// Whether a type is a type parameter that need not be `'static`, or begins with one as `D::Error` does.
fn names_parameter(tokens: TokenStream, signature: &Signature) -> bool {
    let mut in_path = false;
    let mut marks = 0_u8;
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => {
            in_path = false;
            names_parameter(group.stream(), signature)
        }
        TokenTree::Punct(punct) => {
            marks = if punct.as_char() == ':' { marks.saturating_add(1) } else { 0 };
            in_path = marks == 2 || punct.as_char() == '\'';
            false
        }
        TokenTree::Ident(name) => {
            marks = 0;
            !std::mem::take(&mut in_path) && may_be_short_lived(&name.to_string(), signature)
        }
        TokenTree::Literal(_) => false,
    })
}

fn may_be_short_lived(name: &str, signature: &Signature) -> bool {
    let own = signature.generics.params.iter().find_map(|parameter| match parameter {
        GenericParam::Type(parameter) if parameter.ident == name => Some(&parameter.bounds),
        _ => None,
    });
    match own {
        Some(bounds) => !is_static(bounds) && !is_static_by_clause(name, signature),
        None => name == "Self" || parameters::is_usual(name),
    }
}

fn is_static(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static"))
}

fn is_static_by_clause(name: &str, signature: &Signature) -> bool {
    let predicates = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    predicates.into_iter().any(|predicate| match predicate {
        WherePredicate::Type(predicate) => match &predicate.bounded_ty {
            Type::Path(path) => path.path.is_ident(name) && is_static(&predicate.bounds),
            _ => false,
        },
        _ => false,
    })
}
