//! The body of a function, handed to the runtime as a closure or as a future.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type};

use crate::callsite::{Callsite, Settings};
use crate::captures;
use crate::entry::Entry;
use crate::item::{Function, Shape, ours};
use crate::off;
use crate::return_type;
use crate::shared::Shared;

/// One call into the runtime, around a body.
pub struct Wrap<'a> {
    pub shared: &'a Shared,
    /// The runtime's function for a closure; the one for a future has `_async` behind it.
    pub helper: &'static str,
    /// The static.
    pub callsite: TokenStream,
    /// What begins the call.
    pub begin: TokenStream,
    /// What it notes of it.
    pub described: Option<TokenStream>,
    /// Whether a path of the user's judges its value.
    pub judged: bool,
    /// What judges its value.
    pub judge: TokenStream,
    /// What else the helper takes.
    pub more: Option<TokenStream>,
    /// What is returned when the helper gives nothing.
    pub fallback: Option<&'a Expr>,
}

impl<'a> Wrap<'a> {
    /// What every attribute around a body has in common; `constructor` makes the static.
    pub fn new(
        shared: &'a Shared,
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
        let body = &function.body;
        let inner_attributes = &body.inner_attributes;
        let wrapped = match &function.shape {
            Shape::Sync => self.closure(function),
            Shape::Async => {
                let output = return_type::of(&function.signature.output);
                let by_move = self.by_move(function);
                let keywords = quote_spanned!(Span::mixed_site()=> async #by_move);
                let statements = body.braces_around(body.statements.clone());
                let output = (!output.inferred).then_some(&output.written);
                let captures = self.captures(function);
                self.future(output, &keywords, captures.as_ref(), &ours(&statements))
            }
            Shape::BoxedFuture(boxed) => {
                let future = self.future(boxed.output.as_ref(), &boxed.keywords, None, &ours(&boxed.braces));
                boxed.around(future)
            }
        };
        let block = body.braces_around(inner_attributes.clone().into_iter().chain(wrapped).collect());
        let head = &function.head;
        head.to_token_stream().into_iter().chain(block.into_token_stream()).collect()
    }

    /// What is left to check when the call is not made.
    fn checked(&self, function: &Function) -> Option<TokenStream> {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let described = self.described.as_ref().map(|closure| quote_spanned!(site=> #private::described(#closure);));
        let output = match &function.shape {
            Shape::Sync | Shape::Async => Some(return_type::of(&function.signature.output).written),
            Shape::BoxedFuture(boxed) => {
                boxed.output.as_ref().map(|output| return_type::without_impl_trait(output).written)
            }
        };
        let output = output.filter(|output| !matches!(output, Type::Never(_)));
        let judge = &self.judge;
        let judged =
            output.filter(|_| self.judged).map(|output| quote_spanned!(site=> #private::judged::<#output>(#judge);));
        let fallback = self.fallback.map(|fallback| quote_spanned!(site=> return #fallback;));
        let checked: TokenStream = [described, judged, fallback].into_iter().flatten().collect();
        (!checked.is_empty()).then_some(checked)
    }

    fn closure(&self, function: &Function) -> TokenStream {
        let body = &function.body;
        let output = return_type::of(&function.signature.output).written;
        let mut statements = body.braces_around(body.statements.clone());
        if let Some(captures) = self.captures(function) {
            let block = ours(&statements);
            statements = body.braces_around(captures.into_iter().chain(block.into_token_stream()).collect());
        }
        let callsite = &self.callsite;
        let by_move = self.by_move(function);
        let call = self.call("", &quote_spanned!(Span::mixed_site()=> #by_move || -> #output #statements));
        let call = self.or_fallback(&call, None);
        quote_spanned!(Span::mixed_site()=> #callsite #call)
    }

    fn future(
        &self,
        output: Option<&Type>,
        keywords: &TokenStream,
        captures: Option<&TokenStream>,
        block: &Group,
    ) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        // `!` is no type argument, so a type without values stands in for it.
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

    /// Returns what the helper gave, else the fallback.
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

    /// `move`, unless a fallback needs an argument that the body may not need to own.
    fn by_move(&self, function: &Function) -> Option<TokenStream> {
        (!self.leaves_arguments(function)).then(|| quote_spanned!(Span::mixed_site()=> move))
    }

    fn captures(&self, function: &Function) -> Option<TokenStream> {
        if self.leaves_arguments(function) { None } else { captures::in_order(function) }
    }

    fn leaves_arguments(&self, function: &Function) -> bool {
        let names_owned = |fallback: &Expr| captures::name_owned(&fallback.to_token_stream(), function);
        self.fallback.is_some_and(names_owned) || captures::name_owned(&function.fallbacks, function)
    }

    fn call(&self, suffix: &str, body: &TokenStream) -> TokenStream {
        let private = self.shared.runtime.private();
        let helper = Ident::new(&format!("{}{suffix}", self.helper), Span::mixed_site());
        let Self { begin, judge, .. } = self;
        let more = self.more.as_ref().map(|more| quote_spanned!(Span::mixed_site()=> , #more));
        quote_spanned!(Span::mixed_site()=> #private::#helper(#begin, #body, #judge #more))
    }
}
