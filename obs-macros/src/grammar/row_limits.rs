//! `warn_rows`, `fail_rows`, `warn_share`, `fail_share`, `warn_older_than`, `fail_older_than` and `fail_in_future`.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprLit, Lit};

use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::duration;
use crate::grammar::limit::{Limit, constant, limit};
use crate::grammar::values::{self, Number};
use crate::grammar::vocabulary::Key;

/// A limit, with its value if that is known here.
struct RowLimit {
    value: Option<f64>,
    tokens: TokenStream,
}

/// The limits for failing rows and for ages.
pub struct RowLimits(Vec<(&'static str, RowLimit)>);

impl RowLimits {
    /// The keys.
    pub const KEYS: [&'static str; 7] =
        ["warn_rows", "fail_rows", "warn_share", "fail_share", "warn_older_than", "fail_older_than", "fail_in_future"];

    /// Reads the limits and refuses those of a warning that never applies.
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        let mut limits = Vec::new();
        for name in Self::KEYS {
            let read = match name {
                "warn_rows" | "fail_rows" => rows,
                "warn_share" | "fail_share" => share,
                "fail_in_future" => tolerance,
                _ => age,
            };
            if let Some(limit) = args.value(name, read, diagnostics).flatten() {
                limits.push((name, limit));
            }
        }
        let limits = Self(limits);
        for [warns, fails] in
            [["warn_rows", "fail_rows"], ["warn_share", "fail_share"], ["warn_older_than", "fail_older_than"]]
        {
            let (Some(warn), Some(fail), Some(key)) = (limits.value(warns), limits.value(fails), args.key(warns))
            else {
                continue;
            };
            if warn >= fail {
                let message = format!("`{warns}` is not below `{fails}`, so no value can warn without failing");
                diagnostics.at(key, message);
            }
        }
        limits
    }

    /// Each key that was given, with its value.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &TokenStream)> {
        self.0.iter().map(|(name, limit)| (*name, &limit.tokens))
    }

    /// Refuses limits that cannot apply to a value of this type.
    pub fn check_type(&self, args: &Args, name: &str, diagnostics: &mut Diagnostics) {
        let is_integer = name.len() > 1 && name.starts_with(['i', 'u']) && name != "Item";
        for (key, _) in &self.0 {
            let Some(word) = args.key(key) else { continue };
            if key.ends_with("share") && is_integer {
                diagnostics.at(word, format!("`{key}` never applies: the function returns a `{name}`, not a share"));
            } else if *key == "fail_in_future" && is_integer && name.starts_with('u') {
                diagnostics.at(word, format!("`{key}` never applies: no `{name}` is below 0"));
            }
        }
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.0.iter().find_map(|(key, limit)| limit.value.filter(|_| *key == name))
    }
}

/// A number of rows, or the path of a constant.
fn rows(key: &Key, expr: &Expr) -> syn::Result<Option<RowLimit>> {
    if let Expr::Path(path) = values::plain(expr) {
        let tokens = quote_spanned!(Span::mixed_site()=> (#path) as u64);
        return Ok(Some(RowLimit { value: None, tokens: constant("u64", &tokens) }));
    }
    let count = values::count(key, expr)?;
    Ok(Some(RowLimit { value: count.to_string().parse().ok(), tokens: count.into_token_stream() }))
}

/// A part of all rows: above 0, at most 1.
fn share(key: &Key, expr: &Expr) -> syn::Result<Option<RowLimit>> {
    let limit = limit(key, expr)?;
    if let Limit::Number(Number { value, .. }) = &limit
        && !(*value > 0.0 && *value <= 1.0)
    {
        return Err(values::wrong(key, expr, "a share of the rows above 0 and at most \"100%\""));
    }
    let value = if let Limit::Number(number) = &limit { Some(number.value) } else { None };
    Ok(Some(RowLimit { value, tokens: limit.into_token_stream() }))
}

/// A duration, or the path of a constant `Duration`.
fn age(key: &Key, expr: &Expr) -> syn::Result<Option<RowLimit>> {
    if let Expr::Path(path) = values::plain(expr) {
        return Ok(Some(RowLimit { value: None, tokens: path.to_token_stream() }));
    }
    let milliseconds = duration::milliseconds(key, expr)?;
    #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
    let value = Some(milliseconds as f64);
    Ok(Some(RowLimit { value, tokens: time(milliseconds) }))
}

/// `true`, or how far a time may lie in the future. `false` is as if it were not given.
fn tolerance(key: &Key, expr: &Expr) -> syn::Result<Option<RowLimit>> {
    match values::plain(expr) {
        Expr::Lit(ExprLit { lit: Lit::Bool(wanted), .. }) => {
            Ok(wanted.value.then(|| RowLimit { value: None, tokens: time(0) }))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Path(_) => age(key, expr),
        _ => Err(values::wrong(key, expr, "`true`, or a duration in quotes that a time may lie in the future")),
    }
}

fn time(milliseconds: u64) -> TokenStream {
    let mut literal = Literal::u64_unsuffixed(milliseconds);
    literal.set_span(Span::mixed_site());
    quote_spanned!(Span::mixed_site()=> ::core::time::Duration::from_millis(#literal))
}
