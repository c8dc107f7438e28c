//! The common part of health checks and data-quality checks: registration.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, FnArg, PatType, Receiver, ReceiverKind, Safety, Type, Visibility};

use crate::expand::callsite::{Callsite, Settings};
use crate::expand::entry::Entry;
use crate::expand::off;
use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::item::function::Function;

/// Refuses functions that the runner cannot call.
pub fn refuse(args: &Args, function: &Function, diagnostics: &mut Diagnostics) {
    let signature = &function.signature;
    if let Safety::Unsafe(word) = &signature.safety {
        diagnostics.at(word, "a check is called by the runner, so it cannot be `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.at(abi, "a check is called by the runner, so it cannot be `extern`");
    }
    if !signature.generics.params.is_empty() {
        diagnostics.at(&signature.generics, "a check cannot be generic, as the runner cannot choose its parameters");
    }
    let for_each = args.key("for_each");
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) if !is_shared(receiver) => {
                diagnostics.at(receiver, "a check runs repeatedly, so it takes `&self` or no receiver");
            }
            FnArg::Receiver(receiver) if for_each.is_some() => {
                diagnostics.at(receiver, "a check with `for_each` takes an item and no receiver");
            }
            FnArg::Receiver(_) => {}
            FnArg::Typed(_) if for_each.is_some() => {}
            FnArg::Typed(argument) => {
                let each = if args.attribute().name() == "dq_check" { ", or use `for_each`" } else { "" };
                let message = format!(
                    "a check takes no arguments, as the runner has none to pass; call this function from a check{each}"
                );
                diagnostics.at(argument, message);
            }
        }
    }
    let typed = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    if let Some(key) = for_each.filter(|_| typed != 1) {
        diagnostics.at(
            key,
            format!("a check with `for_each` takes one argument, an item of the list; this one takes {typed}"),
        );
    }
}

/// Whether the receiver is `&self`.
fn is_shared(receiver: &Receiver) -> bool {
    matches!(&receiver.kind, ReceiverKind::Reference(_, _, None))
}

/// A check of one kind.
pub struct Check<'a> {
    pub shared: &'a SharedKeys,
    /// The section of the runtime that lists it.
    pub section: &'static str,
    /// The type of its static.
    pub kind: &'static str,
    /// The suffix of a method's companion.
    pub companion: &'static str,
    /// The list of `for_each`.
    pub each: Option<&'a Expr>,
    /// The function that gives the bounds of a run.
    pub bounds: Option<&'a ExprPath>,
    pub settings: Settings,
}

impl Check<'_> {
    /// The registered function, or the method with its companion.
    pub fn register(mut self, function: &Function) -> TokenStream {
        let is_method = matches!(function.signature.inputs.first(), Some(FnArg::Receiver(_)));
        if cfg!(feature = "off") && !is_method {
            return self.bare(function);
        }
        self.settings.set("function", self.shared.function.as_ref());
        self.settings.set("describe", Entry::new(self.shared).closure());
        if is_method { self.with_companion(function) } else { self.with_static(function) }
    }

    /// The function with its static as the first item of its body. The static is inside of a constant, so that a function
    /// can have both kinds of check.
    fn with_static(self, function: &Function) -> TokenStream {
        let (constructor, run) = match self.each {
            Some(each) => ("declared_each", self.run_each(each, function)),
            None => ("declared", self.run(function)),
        };
        let Self { shared, section, kind, settings, .. } = self;
        let callsite = Callsite { section, name: "CHECK", kind, constructor, more: Some(run), settings };
        let body = &function.body;
        let registered = callsite.to_static(shared);
        let registered = quote_spanned!(Span::mixed_site()=> const _: () = { #registered };);
        let statements = body.inner_attributes.clone().into_iter();
        let statements = statements.chain(registered).chain(body.statements.clone());
        let block = body.braces_around(statements.collect());
        function.head.clone().into_iter().chain(block.into_token_stream()).collect()
    }

    /// The unchanged method, and a companion that returns the check of a value: `ping_health_check` for `ping`.
    fn with_companion(self, function: &Function) -> TokenStream {
        let site = Span::mixed_site();
        let Self { shared, settings, .. } = &self;
        let private = shared.runtime.private();
        let (kind, operation) = (Ident::new(self.kind, site), &shared.name);
        let method = &function.signature.ident;
        let companion = format_ident!("{}_{}", function.name(), self.companion, span = method.span());
        let visibility = visibility(&function.head);
        let at = site.located_at(function.return_span());
        let ready = Ident::new("ready", at);
        let run = if function.gives_future() {
            quote_spanned! {at=> {
                let __value = #private::Arc::clone(&__value);
                #private::#kind::pending(async move { __value.#method().await })
            }}
        } else {
            quote_spanned!(at=> #private::#kind::#ready(__value.#method()))
        };
        let run = self.bounded(run, &TokenStream::new());
        let run = quote_spanned!(at=> move || #run);
        let doc = format!("The check that [`{method}`](Self::{method}) is of this value, to be registered.");
        let documented = &shared.documented;
        let companion = quote_spanned! {site=>
            #[doc = #doc]
            #[allow(dead_code)]
            #visibility fn #companion(self: &#private::Arc<Self>) -> #private::#kind
            where
                Self: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
            {
                #documented
                let __value = #private::Arc::clone(self);
                #private::#kind::of_value(#operation, ::core::module_path!(), ::core::file!(), ::core::line!(), #run)
                    #settings
            }
        };
        let braces = function.body.braces.to_token_stream();
        let method = function.head.clone().into_iter().chain(braces).collect::<TokenStream>();
        quote!(#method #companion)
    }

    /// The function alone, for the feature `off`.
    fn bare(self, function: &Function) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let described = Entry::new(self.shared).closure();
        let described = described.map(|closure| quote_spanned!(site=> #private::described(#closure);));
        let constants = self.settings.constants().map(|constant| quote_spanned!(site=> let _ = #constant;));
        let each = self.each.map(|each| quote_spanned!(site=> let _ = || #each;));
        let bounds = self.bounds.map(|path| quote_spanned!(site=> let _ = #path;));
        let checked: TokenStream = described.into_iter().chain(constants).chain(each).chain(bounds).collect();
        let bare = off::bare(function, (!checked.is_empty()).then_some(checked));
        quote_spanned!(site=> #[allow(dead_code)] #bare)
    }

    /// `|| Kind::ready(function())`, with the span of the return type, so that type errors point to it.
    fn run(&self, function: &Function) -> TokenStream {
        let at = Span::mixed_site().located_at(function.return_span());
        let answer = self.answer(function, &TokenStream::new());
        quote_spanned!(at=> || #answer)
    }

    /// `|| Ok(Kind::each(list, |item| Kind::ready(function(item))))`.
    fn run_each(&self, each: &Expr, function: &Function) -> TokenStream {
        let site = Span::mixed_site();
        let private = self.shared.runtime.private();
        let kind = Ident::new(self.kind, site);
        let item = match function.signature.inputs.first() {
            Some(FnArg::Typed(PatType { ty, .. })) if matches!(**ty, Type::Reference(_)) => {
                quote_spanned!(site=> &*__item)
            }
            _ => quote_spanned!(site=> ::core::clone::Clone::clone(&*__item)),
        };
        let answer = self.answer(function, &item);
        // Type errors of the list and of its items point to the list.
        let at = site.located_at(each.span());
        let items = quote_spanned!(at=> (&Each(&__items)).each().items(__items));
        let is_tuple = matches!(
            function.signature.inputs.first(), Some(FnArg::Typed(PatType { ty, .. })) if is_tuple(ty)
        );
        let constructor = Ident::new(if is_tuple { "each_tuple" } else { "each" }, at);
        let names = function.argument_names().into_iter().map(|name| name.unraw().to_string());
        let names = quote_spanned!(site=> &[#(#names),*]);
        let instances = quote_spanned!(at=> #private::#kind::#constructor(__items, #names, |__item| #answer));
        quote_spanned! {site=> || {
            let __items = #each;
            let __items = {
                use #private::each::*;
                #items
            };
            #instances
        }}
    }

    /// `Kind::ready(function(item))`, or the same of its future.
    fn answer(&self, function: &Function, item: &TokenStream) -> TokenStream {
        let at = Span::mixed_site().located_at(function.return_span());
        let private = self.shared.runtime.private();
        let kind = Ident::new(self.kind, at);
        let mut name = function.signature.ident.clone();
        name.set_span(name.span().located_at(at));
        let call = quote_spanned!(at=> #name(#item));
        let answer = if !function.gives_future() {
            quote_spanned!(at=> #private::#kind::ready(#call))
        } else if item.is_empty() {
            quote_spanned!(at=> #private::#kind::pending(#call))
        } else {
            // The future borrows the item.
            quote_spanned!(at=> #private::#kind::pending(async move { #call.await }))
        };
        self.bounded(answer, item)
    }

    /// `Kind::bounded(bounds(item), || answer)` if a function gives the bounds, else the answer.
    fn bounded(&self, answer: TokenStream, item: &TokenStream) -> TokenStream {
        let Some(bounds) = self.bounds else { return answer };
        let site = Span::mixed_site();
        let (private, kind) = (self.shared.runtime.private(), Ident::new(self.kind, site));
        // Type errors of the bounds point to their function.
        let at = site.located_at(bounds.span());
        let given = quote_spanned!(at=> #bounds(#item));
        quote_spanned!(site=> #private::#kind::bounded(#given, move || #answer))
    }
}

/// Whether the type is a tuple, or a reference to one.
fn is_tuple(written: &Type) -> bool {
    match written {
        Type::Tuple(_) => true,
        Type::Reference(reference) => is_tuple(&reference.elem),
        _ => false,
    }
}

fn visibility(head: &TokenStream) -> Option<Visibility> {
    let parse = |input: ParseStream| {
        let visibility = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(visibility)
    };
    parse.parse2(head.clone()).ok()
}
