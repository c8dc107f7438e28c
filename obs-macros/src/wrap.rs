//! The body of a function, handed to the runtime as a closure or as a future.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::item::{Function, Shape};
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
    /// What judges its value.
    pub judge: TokenStream,
    /// What else the helper takes.
    pub more: Option<TokenStream>,
}

impl Wrap<'_> {
    /// The function with its body wrapped.
    pub fn around(&self, function: &Function) -> TokenStream {
        let body = &function.body;
        let inner_attributes = &body.inner_attributes;
        let wrapped = match &function.shape {
            Shape::Sync => self.closure(function),
            Shape::Async => {
                let output = return_type::of(&function.signature.output);
                let keywords = quote_spanned!(Span::mixed_site()=> async move);
                let statements = body.braces_around(body.statements.clone());
                self.future((!output.inferred).then_some(&output.written), &keywords, &statements)
            }
            Shape::BoxedFuture(boxed) => {
                let future = self.future(boxed.output.as_ref(), &boxed.keywords, &boxed.braces);
                boxed.around(future)
            }
        };
        let block = body.braces_around(inner_attributes.clone().into_iter().chain(wrapped).collect());
        let head = &function.head;
        head.to_token_stream().into_iter().chain(block.into_token_stream()).collect()
    }

    fn closure(&self, function: &Function) -> TokenStream {
        let body = &function.body;
        let output = return_type::of(&function.signature.output).written;
        let statements = body.braces_around(body.statements.clone());
        let callsite = &self.callsite;
        let call = self.call("", &quote_spanned!(Span::mixed_site()=> move || -> #output #statements));
        quote_spanned!(Span::mixed_site()=> #callsite #call)
    }

    /// The statements stand in a block of their own, so that items may still come first in it. Its braces are the
    /// user's in place, ours in name: no lint takes them for superfluous.
    fn future(&self, output: Option<&Type>, keywords: &TokenStream, statements: &Group) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let mut block = statements.clone();
        block.set_span(site.located_at(statements.span()));
        // `!` is no type argument, so a type without values stands in for it.
        let never = matches!(output, Some(Type::Never(_)));
        let expect = output.map(|output| {
            let at = site.located_at(output.span());
            let output = if never { quote_spanned!(at=> ::core::convert::Infallible) } else { quote!(#output) };
            quote_spanned! {at=>
                if let ::core::option::Option::Some(value) = #private::expect_return::<#output>() {
                    return value;
                }
            }
        });
        let call = self.call("_async", &quote_spanned!(site=> #keywords { #expect #block }));
        let value =
            if never { quote_spanned!(site=> match #call.await {}) } else { quote_spanned!(site=> #call.await) };
        let callsite = &self.callsite;
        quote_spanned!(site=> #callsite #value)
    }

    fn call(&self, suffix: &str, body: &TokenStream) -> TokenStream {
        let private = self.shared.runtime.private();
        let helper = Ident::new(&format!("{}{suffix}", self.helper), Span::mixed_site());
        let Self { begin, judge, .. } = self;
        let more = self.more.as_ref().map(|more| quote_spanned!(Span::mixed_site()=> , #more));
        quote_spanned!(Span::mixed_site()=> #private::#helper(#begin, #body, #judge #more))
    }
}
