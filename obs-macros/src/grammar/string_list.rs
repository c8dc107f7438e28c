//! Lists of strings: `groups("live", "ready")`, `after("database")`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Token};

use crate::grammar::args::{Args, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::values;
use crate::grammar::vocabulary::Key;

/// String literals or paths of constants, without duplicates.
#[derive(Default)]
pub struct StringList(Vec<TokenStream>);

impl StringList {
    /// Reads the list of a key, if it was given.
    pub fn new(name: &str, args: &Args, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (Value::List(group), key) = (args.written(name)?, args.definition(name)?) else { return None };
        let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
        let list = diagnostics.keep(parse.parse2(group.stream()))?;
        if list.is_empty() {
            diagnostics.at(group, format!("`{name}` is empty: `{}`", key.usage));
        }
        let mut seen: Vec<String> = Vec::new();
        let mut texts = Vec::new();
        for expr in &list {
            let Some(text) = diagnostics.keep(text(key, expr)) else { continue };
            let written = expr.to_token_stream().to_string();
            if seen.contains(&written) {
                diagnostics.at(expr, format!("{written} is a duplicate in `{name}`; remove one"));
            }
            seen.push(written);
            texts.push(text);
        }
        Some(Self(texts))
    }

    /// `&[a, b]`.
    pub fn slice(&self) -> TokenStream {
        let texts = &self.0;
        quote_spanned!(proc_macro2::Span::mixed_site()=> &[#(#texts),*])
    }
}

fn text(key: &Key, expr: &Expr) -> syn::Result<TokenStream> {
    match values::literal(expr) {
        Some(Lit::Str(_)) | None => values::constant_text(key, expr),
        Some(_) => Err(values::wrong(key, expr, "string literals")),
    }
}
