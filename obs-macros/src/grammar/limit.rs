//! A limit of a data-quality check: a number, a percentage, a duration, or a constant.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Lit};

use crate::grammar::duration;
use crate::grammar::values::{self, Number};
use crate::grammar::vocabulary::Key;

/// A limit for the value of a data-quality check.
pub enum Limit {
    /// Known here.
    Number(Number),
    /// The path of a constant.
    Constant(Expr),
}

impl ToTokens for Limit {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Number(number) => number.to_tokens(tokens),
            Self::Constant(path) => {
                tokens.extend(constant("f64", &quote_spanned!(Span::mixed_site()=> (#path) as f64)));
            }
        }
    }
}

/// A number, a percentage (`"5%"` is 0.05), a duration (`"6h"` is 21600 seconds), or the path of a constant.
pub fn limit(key: &Key, expr: &Expr) -> syn::Result<Limit> {
    if let Expr::Path(path) = values::plain(expr) {
        if path.path.segments.last().is_some_and(|last| last.ident == "INFINITY" || last.ident == "NAN") {
            return values::number(key, expr).map(Limit::Number);
        }
        return Ok(Limit::Constant(expr.clone()));
    }
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return values::number(key, expr).map(Limit::Number);
    };
    let written = text.value();
    let value = match written.trim().strip_suffix('%') {
        Some(percent) => {
            percent.trim().parse().ok().filter(|percent: &f64| percent.is_finite()).map(|percent| percent / 100.0)
        }
        None => duration::parse(&written).ok().map(milliseconds_as_seconds),
    };
    let value = value.ok_or_else(|| {
        let needed = "a number, a percentage as \"5%\", a duration as \"6h\", or the path of a constant";
        values::wrong(key, expr, needed)
    })?;
    Ok(Limit::Number(Number { value, written: expr.clone() }))
}

#[expect(clippy::cast_precision_loss, reason = "a duration of 2^53 milliseconds is no threshold")]
fn milliseconds_as_seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// A block that evaluates an expression at compile time.
pub fn constant(kind: &str, expr: &TokenStream) -> TokenStream {
    let kind = Ident::new(kind, Span::mixed_site());
    quote_spanned! {Span::mixed_site()=> {
        #[allow(clippy::all, clippy::pedantic, trivial_numeric_casts)]
        const __LIMIT: #kind = #expr;
        __LIMIT
    }}
}
