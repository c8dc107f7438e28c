//! What health checks and data-quality checks have in common: a function that anyone may run, registered.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{FnArg, Safety};

use crate::callsite::{Callsite, Settings};
use crate::entry::Entry;
use crate::item::{Function, Shape};
use crate::mistakes::Mistakes;
use crate::off;
use crate::shared::Shared;

/// Refuses what the registry cannot call.
pub fn refuse(function: &Function, mistakes: &mut Mistakes) {
    let signature = &function.signature;
    if let Safety::Unsafe(word) = &signature.safety {
        mistakes.at(word, "a check is called by obs, so it cannot be `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        mistakes.at(abi, "a check is called by obs, so it cannot be `extern`");
    }
    if !signature.generics.params.is_empty() {
        mistakes.at(&signature.generics, "a check is called by obs, which cannot choose generic parameters for it");
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                mistakes.at(receiver, "a check is called by obs, which has no `self` for it; make it a free function");
            }
            FnArg::Typed(argument) => {
                let message = "a check is called by obs, which has no arguments for it; \
                               let it find what it needs, or call this function from one without arguments";
                mistakes.at(argument, message);
            }
        }
    }
}

/// A check of one kind.
pub struct Check<'a> {
    pub shared: &'a Shared,
    /// The registry's list of such checks.
    pub list: &'static str,
    /// The type of its static.
    pub kind: &'static str,
    pub settings: Settings,
}

impl Check<'_> {
    /// The function, with its static as the first item of its body. It stands in a constant of its own, so that another
    /// check of the function may stand beside it.
    pub fn register(self, function: &Function) -> TokenStream {
        if cfg!(feature = "off") {
            return self.bare(function);
        }
        let run = self.run(function);
        let mut settings = self.settings;
        settings.set("describe", Entry::new(self.shared).closure());
        let callsite =
            Callsite { list: self.list, name: "CHECK", kind: self.kind, constructor: "new", more: Some(run), settings };
        let body = &function.body;
        let registered = callsite.to_static(self.shared);
        let registered = quote_spanned!(Span::mixed_site()=> const _: () = { #registered };);
        let statements = body.inner_attributes.clone().into_iter();
        let statements = statements.chain(registered).chain(body.statements.clone());
        let block = body.braces_around(statements.collect());
        function.head.clone().into_iter().chain(block.into_token_stream()).collect()
    }

    /// The function alone, which nobody else may call.
    fn bare(self, function: &Function) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let described = Entry::new(self.shared).closure();
        let described = described.map(|closure| quote_spanned!(site=> #private::described(#closure);));
        let constants = self.settings.constants().map(|constant| quote_spanned!(site=> let _ = #constant;));
        let checked: TokenStream = described.into_iter().chain(constants).collect();
        let bare = off::bare(function, (!checked.is_empty()).then_some(checked));
        quote_spanned!(site=> #[allow(dead_code)] #bare)
    }

    /// `|| Kind::ready(function())`, located at the return type, of which it asks what a check must return.
    fn run(&self, function: &Function) -> TokenStream {
        let at = Span::mixed_site().located_at(function.return_span());
        let private = self.shared.runtime.private();
        let kind = Ident::new(self.kind, at);
        let how = match function.shape {
            Shape::Sync => "ready",
            Shape::Async | Shape::BoxedFuture(_) => "pending",
        };
        let how = Ident::new(how, at);
        let mut name = function.signature.ident.clone();
        name.set_span(name.span().located_at(at));
        quote_spanned!(at=> || #private::#kind::#how(#name()))
    }
}
