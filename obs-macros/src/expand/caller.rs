//! Functions whose body moves to a function, which the annotated one calls: a closure does not get the caller's location that
//! `#[track_caller]` gives; and the compiler infers the signature of a closure that an async function returns only in the function.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, GenericParam, Pat, PatIdent, Safety, Visibility};

use crate::item::function::Function;
use crate::item::outer_attribute::OuterAttribute;
use crate::item::parameters;

/// A function whose body was moved to an inner function.
pub struct Split {
    /// The annotated function without its body.
    pub head: TokenStream,
    /// The call of the inner function.
    pub call: TokenStream,
    /// The inner function, if it is an item in the annotated function's body.
    pub within: TokenStream,
    /// The inner function, if it is an item next to the annotated function.
    pub beside: TokenStream,
}

/// Whether the function is under `#[track_caller]`.
pub fn is_tracked(function: &Function) -> bool {
    function.attributes.iter().any(OuterAttribute::is_track_caller)
}

/// Splits a function. Returns `None` for a method that may belong to a trait, where no item can be added, and for arguments that
/// are patterns.
pub fn split(function: &Function, suffix: &str) -> Option<Split> {
    let tracked = with_path(function, OuterAttribute::is_track_caller);
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
            FnArg::Typed(argument) => {
                let conditions = argument.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
                let conditions: TokenStream = conditions.map(ToTokens::to_token_stream).collect();
                let name = handed_on(&mut argument.pat, place)?;
                quote_spanned!(site=> #conditions #name)
            }
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

/// The tokens of the attributes that match.
fn with_path(function: &Function, of_kind: impl Fn(&OuterAttribute) -> bool) -> TokenStream {
    let attributes = function.attributes.iter().filter(|attribute| of_kind(attribute));
    attributes.flat_map(|attribute| attribute.tokens.clone()).collect()
}

/// Replaces the pattern by a plain name to pass to the inner function, and returns the name.
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

/// Whether the function may be in a generic `impl` and name one of its parameters, which an item in the body cannot do.
/// The heuristic: a name that is not a parameter of the function, and that has one or two characters, in capitals; or is
/// usual for parameters; or is an argument of a generic type of the signature that is not one of the standard library's.
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
    let head = flat(function.head.clone());
    let arguments = arguments_of_generic_types(&head);
    let names = head.iter().chain(&flat(function.body.statements.clone())).filter_map(word).collect::<Vec<_>>();
    let foreign = |name: &String| !own.iter().any(|parameter| parameter == name);
    names.iter().filter(|name| parameters::is_usual(name)).chain(&arguments).any(foreign)
}

/// Types of the standard library with type arguments, which usually are types of their own.
const STANDARD: [&str; 24] = [
    "Arc",
    "AsRef",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "Cell",
    "Cow",
    "From",
    "HashMap",
    "HashSet",
    "Into",
    "IntoIterator",
    "Iterator",
    "Mutex",
    "Option",
    "Pin",
    "Rc",
    "RefCell",
    "Result",
    "RwLock",
    "Vec",
    "VecDeque",
    "Fn",
    "PhantomData",
];

/// The names in capitals that are whole arguments of types outside of the standard library: `Key` in `Table<Key>`.
fn arguments_of_generic_types(trees: &[TokenTree]) -> Vec<String> {
    let is_type = |name: &str| name.starts_with(|letter: char| letter.is_ascii_uppercase());
    let mark = |place: usize| match trees.get(place) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    };
    let mut arguments = Vec::new();
    let mut outer: Vec<Option<String>> = Vec::new();
    for (place, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '<' => {
                outer.push(place.checked_sub(1).and_then(|before| word(&trees[before])).filter(|name| is_type(name)));
            }
            TokenTree::Punct(punct) if punct.as_char() == '>' && place.checked_sub(1).and_then(mark) != Some('-') => {
                outer.pop();
            }
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let ends =
                    matches!(mark(place + 1), Some(',' | '>')) && place.checked_sub(1).and_then(mark) != Some(':');
                let of = outer.last().and_then(Option::as_deref);
                if ends && is_type(&name) && of.is_some_and(|of| !STANDARD.contains(&of)) && !is_text(&name) {
                    arguments.push(name);
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) | TokenTree::Group(_) => {}
        }
    }
    arguments
}

fn is_text(name: &str) -> bool {
    name == "String" || STANDARD.contains(&name)
}

fn word(tree: &TokenTree) -> Option<String> {
    match tree {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

/// The leaves of all token trees, without delimiters.
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
