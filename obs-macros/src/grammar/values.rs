//! Readers of values: string, choice, number, path, …

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, ExprPath, ExprUnary, Lit, LitBool, LitStr, Path, PathArguments, UnOp};

use crate::grammar::message;
use crate::grammar::vocabulary::Key;

pub const LEVELS: [&str; 6] = ["trace", "debug", "info", "warning", "error", "critical"];
pub const ERROR_SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];
pub const CHECK_SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

/// Any expression.
#[expect(clippy::unnecessary_wraps, reason = "one shape for all readers of values")]
pub fn expr(_key: &Key, expr: &Expr) -> syn::Result<Expr> {
    Ok(expr.clone())
}

/// A non-blank string literal without control characters.
pub fn text(key: &Key, expr: &Expr) -> syn::Result<LitStr> {
    let Some(Lit::Str(text)) = literal(expr) else {
        return Err(wrong(key, expr, "a string literal"));
    };
    if text.value().trim().is_empty() {
        return Err(syn::Error::new_spanned(text, format!("`{}` is empty: `{}`", key.name, key.usage)));
    }
    if text.value().chars().any(char::is_control) {
        return Err(syn::Error::new_spanned(text, format!("`{}` contains a control character", key.name)));
    }
    Ok(text.clone())
}

/// A string literal, or the path of a constant.
pub fn constant_text(key: &Key, expr: &Expr) -> syn::Result<TokenStream> {
    match plain(expr) {
        Expr::Path(path) if is_word(path) => {
            let word = path.to_token_stream();
            let message = format!(
                "`{}` needs quotes around a text: \"{word}\"; the name of a constant is upper case, or has a path: `self::{word}`",
                key.name
            );
            Err(syn::Error::new_spanned(path, message))
        }
        Expr::Path(path) => Ok(path.to_token_stream()),
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => text(key, expr).map(ToTokens::into_token_stream),
        _ => Err(wrong(key, expr, "a string literal or the path of a `&'static str` constant")),
    }
}

/// Whether it is a single word in lower case, which is hardly the name of a constant.
fn is_word(path: &ExprPath) -> bool {
    path.path.get_ident().is_some_and(|word| !word.to_string().chars().any(char::is_uppercase))
}

/// An expression that may be a list.
pub fn list(key: &Key, expr: &Expr) -> syn::Result<Expr> {
    if literal(expr).is_some() {
        return Err(wrong(key, expr, "a list, such as the call of a function that returns one"));
    }
    self::expr(key, expr)
}

/// The address of a page, as a string literal or the path of a constant.
pub fn address(key: &Key, expr: &Expr) -> syn::Result<TokenStream> {
    let address = constant_text(key, expr)?;
    match literal(expr) {
        Some(Lit::Str(text)) if has_credentials(&text.value()) => Err(syn::Error::new_spanned(
            expr,
            format!("`{}` contains credentials; remove what stands before `@`", key.name),
        )),
        Some(Lit::Str(text)) if !is_address(&text.value()) => Err(wrong(key, expr, "the address of a page")),
        _ => Ok(address),
    }
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

fn has_credentials(text: &str) -> bool {
    let host = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| host.contains('@'))
}

/// A string literal out of a fixed set, in any case. `warn` is accepted for `warning`, as in `LOG_LEVEL`.
pub fn choice(key: &Key, expr: &Expr, allowed: &[&'static str]) -> syn::Result<&'static str> {
    let quoted = allowed.iter().map(|word| match *word {
        "warning" => "\"warning\" or \"warn\"".to_owned(),
        word => format!("\"{word}\""),
    });
    let quoted: Vec<String> = quoted.collect();
    let Some(Lit::Str(text)) = literal(expr) else {
        return Err(wrong(key, expr, &format!("one of {}", quoted.join(", "))));
    };
    let written = text.value();
    let lower = written.to_ascii_lowercase();
    let word = if lower == "warn" { "warning" } else { &lower };
    allowed.iter().find(|allowed| **allowed == word).copied().ok_or_else(|| {
        let fault = format!("unknown `{}` \"{written}\"", key.name);
        let then = format!("allowed: {}", quoted.join(", "));
        syn::Error::new_spanned(text, message::with_suggestion(&fault, &written, allowed.iter().copied(), '"', &then))
    })
}

/// One of these words, without quotes.
pub fn word(allowed: &'static [&'static str]) -> impl Fn(&Key, &Expr) -> syn::Result<&'static str> {
    move |key, expr| {
        let needed =
            || format!("one of {}", message::list(&allowed.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>()));
        let Expr::Path(ExprPath { path, .. }) = plain(expr) else { return Err(wrong(key, expr, &needed())) };
        let found = path.get_ident().and_then(|ident| allowed.iter().find(|allowed| ident == **allowed));
        found.copied().ok_or_else(|| wrong(key, expr, &needed()))
    }
}

/// `true` or `false`.
pub fn boolean(key: &Key, expr: &Expr) -> syn::Result<LitBool> {
    match literal(expr) {
        Some(Lit::Bool(boolean)) => Ok(boolean.clone()),
        _ => Err(wrong(key, expr, "`true` or `false`")),
    }
}

/// A number, with the expression it was read from.
#[derive(Clone)]
pub struct Number {
    pub value: f64,
    pub written: Expr,
}

impl ToTokens for Number {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut literal = Literal::f64_unsuffixed(self.value.abs());
        literal.set_span(Span::mixed_site());
        if self.value.is_sign_negative() {
            tokens.extend(quote!(-));
        }
        tokens.extend(quote!(#literal));
    }
}

/// A finite number of either sign.
pub fn number(key: &Key, expr: &Expr) -> syn::Result<Number> {
    let (sign, digits) = match plain(expr) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (-1.0, plain(expr)),
        other => (1.0, other),
    };
    let magnitude = match literal(digits) {
        Some(Lit::Int(int)) => int.base10_parse::<u64>().map(int_as_float)?,
        Some(Lit::Float(float)) => float.base10_parse::<f64>()?,
        _ => return Err(wrong(key, expr, "a number")),
    };
    if !magnitude.is_finite() {
        return Err(syn::Error::new_spanned(expr, format!("`{}` is too large a number", key.name)));
    }
    Ok(Number { value: sign * magnitude, written: expr.clone() })
}

#[expect(clippy::cast_precision_loss, reason = "a threshold above 2^53 is compared with floats anyway")]
fn int_as_float(int: u64) -> f64 {
    int as f64
}

/// A finite number that is not negative.
pub fn amount(key: &Key, expr: &Expr) -> syn::Result<Number> {
    let number = number(key, expr)?;
    if number.value < 0.0 {
        return Err(syn::Error::new_spanned(expr, format!("`{}` is below zero: `{}`", key.name, key.usage)));
    }
    Ok(number)
}

/// A `u32` greater than zero.
pub fn count(key: &Key, expr: &Expr) -> syn::Result<Literal> {
    let needed = "a whole number, 1 or more";
    let Some(Lit::Int(int)) = literal(expr) else { return Err(wrong(key, expr, needed)) };
    match int.base10_parse::<u32>()? {
        0 => Err(wrong(key, expr, needed)),
        count => {
            let mut literal = Literal::u32_unsuffixed(count);
            literal.set_span(Span::mixed_site());
            Ok(literal)
        }
    }
}

/// The path of a function.
pub fn function(key: &Key, expr: &Expr) -> syn::Result<ExprPath> {
    match plain(expr) {
        Expr::Path(path) => Ok(path.clone()),
        _ => Err(wrong(key, expr, "the path of a function")),
    }
}

/// A path that resolves the same in every module: `::name` or `crate::…`.
pub fn absolute_path(key: &Key, expr: &Expr) -> syn::Result<Path> {
    let Expr::Path(ExprPath { qself: None, path, .. }) = plain(expr) else {
        return Err(wrong(key, expr, "a path"));
    };
    if path.segments.iter().any(|segment| !matches!(segment.arguments, PathArguments::None)) {
        return Err(wrong(key, expr, "a path without generic arguments"));
    }
    let first = path.segments.first().map(|segment| segment.ident.to_string());
    if path.leading_colon.is_none() && !matches!(first.as_deref(), Some("crate" | "$crate")) {
        let message = format!(
            "`{}` needs an absolute path: `::{}` when that is a crate, or one that begins with `crate::`",
            key.name,
            path.to_token_stream().to_string().replace(' ', ""),
        );
        return Err(syn::Error::new_spanned(path, message));
    }
    Ok(path.clone())
}

/// The expression without the invisible groups that `macro_rules!` puts around fragments.
pub fn plain(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

/// The literal that the expression is.
pub fn literal(expr: &Expr) -> Option<&Lit> {
    match plain(expr) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// The error for a value of the wrong kind.
pub fn wrong(key: &Key, expr: &Expr, needed: &str) -> syn::Error {
    syn::Error::new_spanned(expr, format!("`{}` needs {needed}: `{}`", key.name, key.usage))
}
