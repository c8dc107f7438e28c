//! How the wrapped body captures the function's arguments, and in which order they are dropped.
//!
//! A closure or future drops its captures in the order in which the body first names them; a function drops its
//! arguments from the last to the first. Generated code therefore names the arguments in that order before the body
//! does. A closure also captures only the fields that its body uses: if the body assigns to a `Copy` field of `mut
//! self`, the assignment goes to a copy.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, PatIdent, PatType, Receiver, ReceiverKind, Signature, Type};

use crate::item::function::{Function, bound_names};

/// Primitive types, which have no drop code.
const PLAIN: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

/// How the wrapped body captures the arguments.
pub struct Captures {
    /// The function without its body.
    pub head: TokenStream,
    /// Whether the closure or future is `move`.
    pub by_move: bool,
    /// Statements before the body.
    pub statements: TokenStream,
}

impl Captures {
    /// The captures of a function. `lent`: whether code after the body also uses the arguments.
    pub fn of(function: &Function, lent: bool) -> Self {
        if lent {
            return Self { head: function.head.clone(), by_move: false, statements: TokenStream::new() };
        }
        if changes_what_is_dropped(function) { borrowed(function) } else { in_order(function) }
    }
}

/// Whether there is a `mut self` or `mut a: A`. The body may assign to a field that only the `Drop` of the value reads;
/// in a closure that owns the value, the compiler would report the assignment as unused.
fn changes_what_is_dropped(function: &Function) -> bool {
    function.signature.inputs.iter().any(|argument| match argument {
        FnArg::Receiver(receiver) => is_changed_self(receiver),
        FnArg::Typed(argument) => {
            matches!(&*argument.pat, Pat::Ident(PatIdent { mutability: Some(_), .. })) && !has_no_drop(&argument.ty)
        }
    })
}

fn is_changed_self(receiver: &Receiver) -> bool {
    receiver.mutability.is_some() && !matches!(receiver.kind, ReceiverKind::Reference(..))
}

/// The body captures by reference what it does not consume. Two kinds of argument are rebound by `let a = a;`, which
/// moves them: arguments of a future, which may be `Send` but not `Sync`; and mutable references, which a closure may
/// return with a lifetime longer than the call.
fn borrowed(function: &Function) -> Captures {
    let site = Span::mixed_site();
    let is_async = function.signature.asyncness.is_some();
    let mut signature = function.signature.clone();
    let mut statements = TokenStream::new();
    for argument in &mut signature.inputs {
        match argument {
            FnArg::Receiver(receiver) if is_async && is_changed_self(receiver) => {
                let name = &receiver.self_token;
                statements.extend(quote_spanned!(site=> if false { let _ = &mut #name; }));
            }
            FnArg::Typed(argument) if is_conditional(argument) => {}
            FnArg::Typed(argument) if is_async && !is_copy(&argument.ty) || is_borrowed_mutably(&argument.ty) => {
                if let Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, ident, .. }) = &mut *argument.pat
                    && !is_marked_unused(ident)
                {
                    let mutability = mutability.take();
                    statements.extend(quote_spanned!(site=> let #mutability #ident = #ident;));
                }
            }
            FnArg::Receiver(_) | FnArg::Typed(_) => {}
        }
    }
    Captures { head: with_visibility(function, &signature), by_move: false, statements }
}

/// Whether the argument may not exist: `#[cfg(…)] a: A`.
fn is_conditional(argument: &PatType) -> bool {
    argument.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

fn is_borrowed_mutably(kind: &Type) -> bool {
    matches!(kind, Type::Reference(reference) if reference.mutability.is_some())
}

/// `let _ = (&b, &a);`, unless no argument has drop code. The body then captures each argument as a whole, in the order
/// of the tuple.
fn in_order(function: &Function) -> Captures {
    let mut taken: Vec<Ident> = names(function, has_no_drop);
    // A single argument that the body does not use is not captured, so that the compiler reports it as unused.
    if let [only] = taken.as_slice()
        && !mentions(&function.body.statements, &only.unraw().to_string())
    {
        taken.clear();
    }
    taken.reverse();
    let site = Span::mixed_site();
    let statements = match taken.as_slice() {
        [] => TokenStream::new(),
        // The left side of an assignment: lints do not count it as a use of a name that is marked as unused.
        [..] if taken.iter().any(is_marked_unused) => {
            let place = Literal::usize_unsuffixed(taken.len());
            quote_spanned!(site=> *(#(&#taken),*, &mut ()).#place = ();)
        }
        [only] => quote_spanned!(site=> let _ = &#only;),
        [..] => quote_spanned!(site=> let _ = (#(&#taken),*);),
    };
    Captures { head: head_with_names(function), by_move: true, statements }
}

/// The function without its body. An unnamed argument gets a name, if it may be dropped before another one.
fn head_with_names(function: &Function) -> TokenStream {
    if !names(function, has_no_drop).iter().any(|name| name.to_string().starts_with(UNNAMED)) {
        return function.head.clone();
    }
    let mut signature = function.signature.clone();
    for (place, argument) in signature.inputs.iter_mut().enumerate() {
        if let FnArg::Typed(argument) = argument
            && let Pat::Wild(wild) = &*argument.pat
        {
            let ident = unnamed_argument(place, wild.underscore_token.span);
            let named = PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None };
            *argument.pat = Pat::Ident(named);
        }
    }
    with_visibility(function, &signature)
}

fn with_visibility(function: &Function, signature: &Signature) -> TokenStream {
    function.visibility.to_token_stream().into_iter().chain(signature.to_token_stream()).collect()
}

/// Lints treat one leading `_` as the mark of an unused name.
fn is_marked_unused(name: &Ident) -> bool {
    let name = name.to_string();
    name.starts_with('_') && !name.starts_with("__")
}

const UNNAMED: &str = "__unnamed";

fn unnamed_argument(place: usize, span: Span) -> Ident {
    Ident::new(&format!("{UNNAMED}{place}"), Span::mixed_site().located_at(span))
}

/// Whether tokens name an argument that can be used only once.
pub fn name_owned(tokens: &TokenStream, function: &Function) -> bool {
    names(function, is_copy).iter().any(|name| mentions(tokens, &name.unraw().to_string()))
}

/// The names of the arguments in their order, without those that may not exist or whose type matches `leaves_out`. Unnamed arguments get
/// names, unless all are unnamed.
fn names(function: &Function, leaves_out: fn(&Type) -> bool) -> Vec<Ident> {
    let mut names = Vec::new();
    for (place, argument) in function.signature.inputs.iter().enumerate() {
        match argument {
            FnArg::Typed(argument) if is_conditional(argument) => {}
            FnArg::Typed(argument) if !leaves_out(&argument.ty) && matches!(&*argument.pat, Pat::Wild(_)) => {
                names.push(unnamed_argument(place, argument.pat.span()));
            }
            FnArg::Typed(argument) if !leaves_out(&argument.ty) => bound_names(&argument.pat, &mut names),
            FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                names.push(Ident::new("self", receiver.self_token.span));
            }
            FnArg::Typed(_) | FnArg::Receiver(_) => {}
        }
    }
    if names.iter().all(|name| name.to_string().starts_with(UNNAMED)) {
        names.clear();
    }
    names
}

/// Whether the type is known to be `Copy`.
fn is_copy(kind: &Type) -> bool {
    match kind {
        Type::Reference(reference) => reference.mutability.is_none(),
        other => has_no_drop(other),
    }
}

/// Whether the type is known to have no drop code.
fn has_no_drop(kind: &Type) -> bool {
    match kind {
        Type::Group(inner) => has_no_drop(&inner.elem),
        Type::Paren(inner) => has_no_drop(&inner.elem),
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) => true,
        Type::Path(path) => path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        _ => false,
    }
}

/// Whether tokens contain a name, as an identifier or in a format string.
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Ident(ident) => ident.unraw() == name,
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}
