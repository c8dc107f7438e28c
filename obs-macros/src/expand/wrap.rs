//! Wraps a function body in a closure or future that is passed to the runtime.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type};

use crate::expand::caller;
use crate::expand::callsite::{Callsite, Settings};
use crate::expand::captures::{self, Captures};
use crate::expand::entry::Entry;
use crate::expand::off;
use crate::expand::shared_keys::SharedKeys;
use crate::item::function::{Function, Shape, ours};
use crate::item::return_type;
use crate::item::returned_future::{self, ReturnedFuture};

/// One call of the runtime around a function body.
pub struct Wrap<'a> {
    pub shared: &'a SharedKeys,
    /// The runtime's function for a closure. The one for a future has the suffix `_async`.
    pub helper: &'static str,
    /// The static of the call site.
    pub callsite: TokenStream,
    /// The expression that begins the call.
    pub begin: TokenStream,
    /// The expression that prepares a call which begins later.
    pub prepare: TokenStream,
    /// The closure that records tags and arguments.
    pub described: Option<TokenStream>,
    /// Whether `ok_if` or `error_if` judges the value.
    pub judged: bool,
    /// The closure that judges the value.
    pub judge: TokenStream,
    /// Further arguments of the runtime's function.
    pub more: Option<TokenStream>,
    /// The value to return if the runtime's function returns `None`.
    pub fallback: Option<&'a Expr>,
}

impl<'a> Wrap<'a> {
    /// The parts that all attributes have in common. `constructor` makes the static.
    pub fn new(
        shared: &'a SharedKeys,
        helper: &'static str,
        (constructor, settings): (&'static str, Settings),
        entry: &Entry,
        judge: TokenStream,
    ) -> Self {
        Self {
            shared,
            helper,
            callsite: Callsite::wrapped(constructor, settings).to_static(shared),
            begin: entry.begin(),
            prepare: entry.prepare(),
            described: entry.closure(),
            judged: shared.verdict.names_a_path(),
            judge,
            more: None,
            fallback: None,
        }
    }

    /// The function with its body wrapped.
    pub fn around(&self, function: &Function) -> TokenStream {
        if cfg!(feature = "off") {
            return off::bare(function, self.checked(function));
        }
        if matches!(function.shape, Shape::Sync)
            && matches!(self.helper, "performance" | "errors")
            && !self.needs_no_value(function)
            && caller::is_tracked(function)
            && let Some(split) = caller::split(function, self.helper)
        {
            return self.called(function, split);
        }
        let returns_closure = return_type::is_closure(function);
        if matches!(function.shape, Shape::Async)
            && returns_closure
            && !self.leaves_arguments(function)
            && let Some(split) = caller::split(function, self.helper)
        {
            return self.awaited(function, split);
        }
        let body = &function.body;
        let captures = Captures::of(function, self.leaves_arguments(function));
        let (head, wrapped) = match &function.shape {
            Shape::Sync if self.needs_no_value(function) => (function.head.clone(), self.guard(function)),
            Shape::Sync => (captures.head.clone(), self.closure(function, &captures)),
            Shape::Async if returns_closure && self.needs_no_value(function) && never_waits(&body.statements) => {
                (function.head.clone(), self.guard(function))
            }
            Shape::Async => {
                let output = return_type::of(&function.signature.output);
                let by_move = captures.by_move.then(|| quote_spanned!(Span::mixed_site()=> move));
                let keywords = quote_spanned!(Span::mixed_site()=> async #by_move);
                let block = ours(&body.braces_around(body.statements.clone()));
                // A return type of `_` adds nothing to inference.
                let output = Some(&output).filter(|output| !matches!(output, Type::Infer(_)));
                (captures.head, self.future(output, &keywords, &captures.statements, &block))
            }
            Shape::Future(future) => (captures.head.clone(), self.returned(function, &captures, future)),
        };
        let block = body.braces_around(body.inner_attributes.clone().into_iter().chain(wrapped).collect());
        head.into_iter().chain(block.into_token_stream()).collect()
    }

    /// `main`, which initialises obs before its body and returns the exit code.
    pub fn around_main(&self, function: &Function, lenient: bool) -> TokenStream {
        // The compiler refuses an async `main`.
        if cfg!(feature = "off") || !matches!(function.shape, Shape::Sync) {
            return self.around(function);
        }
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let callsite = &self.callsite;
        let command = self.call("", &body_closure(function, &Captures::of(function, false)));
        let lenient = lenient.then(|| quote_spanned!(site=> .lenient()));
        let statements = quote_spanned! {site=>
            #callsite
            #private::EntryPoint::new(&__CALLSITE, ::core::env!("CARGO_PKG_NAME"), ::core::env!("CARGO_PKG_VERSION")) #lenient
                .run(|| #command, |__value, __reported| {
                    use #private::exit_code::*;
                    (&&Exit::new(__value)).exit_code(__reported)
                })
        };
        let mut signature = function.signature.clone();
        signature.output = syn::parse_quote_spanned!(site=> -> ::std::process::ExitCode);
        let block = function.body.inner_attributes.clone().into_iter().chain(statements).collect();
        let block = function.body.braces_around(block);
        let visibility = &function.visibility;
        quote_spanned!(site=> #visibility #signature #block)
    }

    /// Code for the feature `off`, which type-checks the attribute's expressions without running them.
    fn checked(&self, function: &Function) -> Option<TokenStream> {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let described = self.described.as_ref().map(|closure| quote_spanned!(site=> #private::described(#closure);));
        let output = match &function.shape {
            Shape::Sync | Shape::Async => Some(return_type::of(&function.signature.output)),
            Shape::Future(future) => future.output().map(return_type::without_impl_trait),
        };
        let output = output.filter(|output| !matches!(output, Type::Never(_)));
        let judge = &self.judge;
        let judged = self.judged.then(|| match (&function.shape, &output) {
            (Shape::Future(_), None) => {
                let kind = self.kind(function);
                quote_spanned!(site=> let _ = #kind.judged(#judge);)
            }
            (_, Some(output)) => quote_spanned!(site=> #private::judged::<#output>(#judge);),
            (_, None) => TokenStream::new(),
        });
        let fallback = self.fallback.map(|fallback| match (&function.shape, &output) {
            (Shape::Sync | Shape::Async, _) => quote_spanned!(site=> return #fallback;),
            (Shape::Future(_), Some(output)) => quote_spanned!(site=> let _ = || -> #output { #fallback };),
            (Shape::Future(_), None) => {
                let kind = self.kind(function);
                quote_spanned!(site=> let _ = #kind.given(|| #fallback);)
            }
        });
        let checked: TokenStream = [described, judged, fallback].into_iter().flatten().collect();
        (!checked.is_empty()).then_some(checked)
    }

    /// Whether the outcome depends only on whether the body unwinds.
    fn needs_no_value(&self, function: &Function) -> bool {
        let is_closure = return_type::is_closure(function) && self.fallback.is_none();
        !self.judged && (is_closure || self.opens_no_scope() && return_type::never_fails(function))
    }

    /// Whether the wrapper does not enter a scope. Attributes that capture errors must enter one, because an error is
    /// deduplicated by its enclosing calls.
    fn opens_no_scope(&self) -> bool {
        self.helper == "performance"
    }

    /// The unchanged body after a guard that ends the call.
    fn guard(&self, function: &Function) -> TokenStream {
        let body = &function.body;
        let block = ours(&body.braces_around(body.statements.clone()));
        let private = self.shared.runtime.private();
        let Self { callsite, begin, .. } = self;
        let guard = format_ident!("{}_in_place", self.helper, span = Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> let __call = { #callsite #private::#guard(#begin) }; #block)
    }

    /// The function that calls its former body, now a function of its own.
    fn called(&self, function: &Function, split: caller::Split) -> TokenStream {
        let private = self.shared.runtime.private();
        let Self { callsite, begin, judge, .. } = self;
        let caller::Split { head, call, within, beside } = split;
        let (begin, ended) = if self.opens_no_scope() {
            (begin.clone(), quote!(ended))
        } else {
            (quote_spanned!(Span::mixed_site()=> #private::enclosed(#begin)), quote!(enclosed_ended))
        };
        let statements = quote_spanned! {Span::mixed_site()=>
            #within
            #callsite
            let __call = #begin;
            let __value = #call;
            #private::#ended(__call, __value, #judge)
        };
        let block = function.body.braces_around(statements);
        quote_spanned!(Span::mixed_site()=> #head #block #beside)
    }

    /// The async function that awaits its former body, now a function of its own.
    fn awaited(&self, function: &Function, split: caller::Split) -> TokenStream {
        let caller::Split { head, call, within, beside } = split;
        let callsite = &self.callsite;
        let call = self.call("_async", &call);
        let value = self.or_fallback(&quote_spanned!(Span::mixed_site()=> #call.await), None);
        let block = function.body.braces_around(quote_spanned!(Span::mixed_site()=> #within #callsite #value));
        quote_spanned!(Span::mixed_site()=> #head #block #beside)
    }

    fn closure(&self, function: &Function, captures: &Captures) -> TokenStream {
        let callsite = &self.callsite;
        let call = self.or_fallback(&self.call("", &body_closure(function, captures)), None);
        quote_spanned!(Span::mixed_site()=> #callsite #call)
    }

    /// The way to measure a return type that may be a boxed future. The user's type is named where the runtime's names cannot
    /// shadow it.
    fn kind(&self, function: &Function) -> TokenStream {
        let private = self.shared.runtime.private();
        let output = return_type::of(&function.signature.output);
        // Parenthesised, because a `match` at the start of a statement would end it.
        quote_spanned! {Span::mixed_site()=>
            (match #private::returned::Kind::<#output>::new() {
                __kind => {
                    use #private::returned::*;
                    (&&__kind).kind()
                }
            })
        }
    }

    /// Wraps the body of a function that returns a future. The call begins at the first poll of the future.
    fn returned(&self, function: &Function, captures: &Captures, future: &ReturnedFuture) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let helper = Ident::new(self.helper, site);
        let Self { callsite, prepare, judge, .. } = self;
        let more = self.more.as_ref().map(|more| quote_spanned!(site=> , #more));
        let fallback = self.fallback.map(|fallback| quote_spanned!(site=> , move || #fallback));
        // A box of the user's takes the measured future, instead of a second one.
        if let ReturnedFuture::ByType { output: Some(output), .. } = future
            && !matches!(output, Type::Never(_))
            && let Some((boxed, inner)) = returned_future::boxed_expression(&function.body.statements)
        {
            let output = return_type::without_impl_trait(output);
            let inner = quote_spanned!(site=> #private::returned::of::<#output, _>(#inner));
            let measured =
                quote_spanned!(site=> #private::returned::Direct.#helper(#prepare, #inner, #judge #more #fallback));
            return quote_spanned!(site=> #callsite #boxed(#measured));
        }
        let body = body_closure(function, captures);
        let (kind, body) = match future {
            ReturnedFuture::Opaque { output } => {
                let output = return_type::without_impl_trait(output);
                (
                    quote_spanned!(site=> #private::returned::Direct),
                    quote_spanned!(site=> #private::returned::future::<#output, _>(#body)),
                )
            }
            ReturnedFuture::ByType { .. } => (self.kind(function), body),
        };
        quote_spanned!(site=> #callsite #kind.#helper(#prepare, #body, #judge #more #fallback))
    }

    fn future(
        &self,
        output: Option<&Type>,
        keywords: &TokenStream,
        captures: &TokenStream,
        block: &Group,
    ) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        // `!` is not allowed as a type argument. An uninhabited type takes its place.
        let never = matches!(output, Some(Type::Never(_)));
        let expect = output.map(|output| {
            let at = site.located_at(output.span());
            let output = if never { quote_spanned!(at=> ::core::convert::Infallible) } else { quote!(#output) };
            quote_spanned! {at=>
                if let ::core::option::Option::Some(__value) = #private::expect_return::<#output>() {
                    return __value;
                }
            }
        });
        let call = self.call("_async", &quote_spanned!(site=> #keywords { #captures #expect #block }));
        let call = quote_spanned!(site=> #call.await);
        let value = self.or_fallback(&call, never.then(|| quote_spanned!(site=> match __value {})));
        let value = if never && self.fallback.is_none() { quote_spanned!(site=> match #call {}) } else { value };
        let callsite = &self.callsite;
        quote_spanned!(site=> #callsite #value)
    }

    /// Returns the value of the runtime's function or, if that is `None`, the fallback.
    fn or_fallback(&self, call: &TokenStream, given: Option<TokenStream>) -> TokenStream {
        let site = Span::mixed_site();
        let Some(fallback) = self.fallback else { return call.clone() };
        let given = given.unwrap_or_else(|| quote_spanned!(site=> return __value;));
        quote_spanned! {site=>
            if let ::core::option::Option::Some(__value) = #call {
                #given
            }
            #fallback
        }
    }

    /// Whether a fallback needs to own an argument that the body may only borrow.
    fn leaves_arguments(&self, function: &Function) -> bool {
        let names_owned = |fallback: &Expr| captures::name_owned(&fallback.to_token_stream(), function);
        self.fallback.is_some_and(names_owned) || captures::name_owned(&function.fallbacks(), function)
    }

    fn call(&self, suffix: &str, body: &TokenStream) -> TokenStream {
        let private = self.shared.runtime.private();
        let helper = Ident::new(&format!("{}{suffix}", self.helper), Span::mixed_site());
        let Self { begin, judge, .. } = self;
        let more = self.more.as_ref().map(|more| quote_spanned!(Span::mixed_site()=> , #more));
        quote_spanned!(Span::mixed_site()=> #private::#helper(#begin, #body, #judge #more))
    }
}

/// Whether an async body contains no `.await`, and no macro that might. Its future is never dropped between two polls.
fn never_waits(body: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = body.clone().into_iter().collect();
    let is_word = |tree: &TokenTree, name: &str| matches!(tree, TokenTree::Ident(word) if word == name);
    // `__private::link!`, of another attribute on the same function.
    let is_ours = |before: &[TokenTree]| match before {
        [.., path, _, _, last] => is_word(path, "__private") && is_word(last, "link"),
        _ => false,
    };
    trees.iter().enumerate().all(|(place, tree)| match tree {
        TokenTree::Group(_) if place > 0 && is_ours(&trees[..place - 1]) => true,
        TokenTree::Group(group) => never_waits(&group.stream()),
        TokenTree::Ident(word) => word != "await",
        TokenTree::Punct(mark) => mark.as_char() != '!' || is_ours(&trees[..place]),
        TokenTree::Literal(_) => true,
    })
}

/// The closure `move || -> T { … }`: the statements that capture the arguments in order, then the body. The parts of the return
/// type that cannot be written here are `_`.
fn body_closure(function: &Function, captures: &Captures) -> TokenStream {
    let site = Span::mixed_site();
    let body = &function.body;
    let output = return_type::of(&function.signature.output);
    let mut statements = body.braces_around(body.statements.clone());
    if !captures.statements.is_empty() {
        let block = ours(&statements);
        statements =
            body.braces_around(captures.statements.clone().into_iter().chain(block.into_token_stream()).collect());
    }
    let by_move = captures.by_move.then(|| quote_spanned!(site=> move));
    quote_spanned!(site=> #by_move || -> #output #statements)
}
