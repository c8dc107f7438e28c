//! What is recorded when a call begins: tags, arguments and the attribute's own values.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use crate::expand::shared_keys::SharedKeys;
use crate::grammar::arguments::{Argument, Recorded};
use crate::grammar::fields::Field;

/// The statements that fill the entry of a call.
pub struct Entry<'a> {
    shared: &'a SharedKeys,
    statements: TokenStream,
}

impl<'a> Entry<'a> {
    /// Tags and arguments.
    pub fn new(shared: &'a SharedKeys) -> Self {
        let mut entry = Self { shared, statements: TokenStream::new() };
        for Field { name, value } in &shared.tags {
            let (name, value) = (text(name), entry.displayed(value));
            entry.push("tag", &quote!(#name, #value));
        }
        for Argument { name, recorded } in &shared.arguments {
            let text = text(name);
            match recorded {
                Recorded::Shown(value) => {
                    let shown = entry.shown(value);
                    entry.push("argument", &quote!(#text, #shown));
                }
                Recorded::Redacted => entry.push("redacted", &quote!(#text)),
                Recorded::Hashed(value) => {
                    let shown = entry.shown_by(value, "hashed");
                    entry.push("hashed", &quote!(#text, #shown));
                }
                Recorded::Length(value) => {
                    let length = quote_spanned!(at(value)=> (#value).len());
                    entry.push("length", &quote!(#text, #length));
                }
            }
        }
        entry
    }

    /// `context(k = expr, …)`.
    pub fn context(&mut self, fields: &[Field]) {
        for Field { name, value } in fields {
            let (name, shown) = (text(name), self.shown(value));
            self.push("context", &quote!(#name, #shown));
        }
    }

    /// `fingerprint(expr, …)`.
    pub fn fingerprint(&mut self, parts: &[Expr]) {
        for part in parts {
            self.display("fingerprint", Some(part));
        }
    }

    /// `labels(k = expr, …)`.
    pub fn labels(&mut self, fields: &[Field]) {
        for Field { name, value } in fields {
            let (name, value) = (text(name), self.displayed(value));
            self.push("label", &quote!(#name, #value));
        }
    }

    /// A key whose value is rendered by `Display`.
    pub fn display(&mut self, method: &str, value: Option<&Expr>) {
        if let Some(value) = value {
            let value = self.displayed(value);
            self.push(method, &value);
        }
    }

    /// `__CALLSITE.begin()`, or `begin_with(…)` if there is something to record.
    pub fn begin(&self) -> TokenStream {
        let with = self.closure().map(|closure| quote_spanned!(Span::mixed_site()=> __CALLSITE.begin_with(#closure)));
        with.unwrap_or_else(|| quote_spanned!(Span::mixed_site()=> __CALLSITE.begin()))
    }

    /// `__CALLSITE.prepare()`, or `prepare_with(…)` if there is something to record.
    pub fn prepare(&self) -> TokenStream {
        let with = self.closure().map(|closure| quote_spanned!(Span::mixed_site()=> __CALLSITE.prepare_with(#closure)));
        with.unwrap_or_else(|| quote_spanned!(Span::mixed_site()=> __CALLSITE.prepare()))
    }

    /// `|__entry| { … }`, if there is something to record.
    pub fn closure(&self) -> Option<TokenStream> {
        let statements = &self.statements;
        (!statements.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> |__entry| { #statements }))
    }

    fn push(&mut self, method: &str, arguments: &TokenStream) {
        let method = Ident::new(method, Span::mixed_site());
        self.statements.extend(quote_spanned!(Span::mixed_site()=> __entry.#method(#arguments);));
    }

    /// The value rendered by `Display`, with the span of the expression.
    fn displayed(&self, value: &Expr) -> TokenStream {
        let (private, at) = (self.shared.runtime.private(), at(value));
        let value = borrowed(value);
        quote_spanned! {at=>
            match #value {
                __value => {
                    use #private::text::*;
                    (&&Text(__value)).text()
                }
            }
        }
    }

    /// The value as a field of a log line.
    fn shown(&self, value: &Expr) -> TokenStream {
        self.shown_by(value, "show")
    }

    /// The value rendered by a module of the runtime, with the span of the expression. The user's expression is evaluated
    /// before the runtime's names come into scope.
    fn shown_by(&self, value: &Expr, module: &str) -> TokenStream {
        let (private, at) = (self.shared.runtime.private(), at(value));
        let module = Ident::new(module, Span::mixed_site());
        let value = borrowed(value);
        quote_spanned! {at=>
            match #value {
                __value => {
                    use #private::#module::*;
                    (&&&&&Show(__value)).show()
                }
            }
        }
    }
}

/// `&(expr)` with the span of the expression, so that type errors point to it.
fn borrowed(value: &Expr) -> TokenStream {
    quote_spanned!(at(value)=> &(#value))
}

fn at(value: &Expr) -> Span {
    Span::mixed_site().located_at(value.span())
}

fn text(name: &Ident) -> LitStr {
    LitStr::new(&name.unraw().to_string(), Span::mixed_site().located_at(name.span()))
}
