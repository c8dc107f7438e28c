//! `warn_above`, `fail_above`, `warn_below` and `fail_below`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, GenericArgument, Lit, PathArguments, ReturnType, Type};

use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
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
            Self::Constant(path) => tokens.extend(quote_spanned! {Span::mixed_site()=> {
                #[allow(clippy::all, clippy::pedantic, trivial_numeric_casts)]
                const __LIMIT: f64 = (#path) as f64;
                __LIMIT
            }}),
        }
    }
}

/// The limits for the value of a data-quality check.
pub struct Thresholds {
    limits: [(&'static str, Option<Limit>); 4],
}

impl Thresholds {
    /// Reads the limits and refuses contradictory ones.
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        let limits = ["warn_above", "fail_above", "warn_below", "fail_below"]
            .map(|name| (name, args.value(name, limit, diagnostics)));
        let thresholds = Self { limits };
        thresholds.check(diagnostics);
        thresholds
    }

    /// Each key with its limit, if it was given.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, Option<&Limit>)> {
        self.limits.iter().map(|(name, limit)| (*name, limit.as_ref()))
    }

    fn check(&self, diagnostics: &mut Diagnostics) {
        let never_warns = "no value can warn without failing";
        let mut contradicts = self.contradiction("warn_above", "fail_above", never_warns, diagnostics);
        contradicts |= self.contradiction("fail_below", "warn_below", never_warns, diagnostics);
        if contradicts {
            return;
        }
        let outcomes = [
            ("fail_below", "fail_above", "every value fails"),
            ("warn_below", "warn_above", "every value warns or fails"),
            ("fail_below", "warn_above", "every value warns or fails"),
            ("warn_below", "fail_above", "every value warns or fails"),
        ];
        for (low, high, outcome) in outcomes {
            if self.contradiction(low, high, outcome, diagnostics) {
                return;
            }
        }
    }

    /// Reports a `low` that is greater than `high`.
    fn contradiction(&self, low: &str, high: &str, outcome: &str, diagnostics: &mut Diagnostics) -> bool {
        let (Some(low_limit), Some(high_limit)) = (self.number(low), self.number(high)) else { return false };
        let contradicts = low_limit.value > high_limit.value;
        if contradicts {
            let (low_value, high_value) = (low_limit.value, high_limit.value);
            let message = format!("`{low}` ({low_value}) is greater than `{high}` ({high_value}), so {outcome}");
            diagnostics.at(&low_limit.written, message);
        }
        contradicts
    }

    fn number(&self, name: &str) -> Option<&Number> {
        self.limits.iter().find_map(|(limit, number)| match number {
            Some(Limit::Number(number)) if *limit == name => Some(number),
            _ => None,
        })
    }

    /// Refuses limits that cannot apply to what the function returns, and a number that nothing judges.
    pub fn check_type(&self, args: &Args, output: &ReturnType, is_judged: bool, diagnostics: &mut Diagnostics) {
        let ReturnType::Type(_, written) = output else { return };
        let Some(name) = measured_type(written) else { return };
        match &*name {
            "bool" | "Verdict" => {
                for (key, _) in self.limits.iter().filter(|(_, limit)| limit.is_some()) {
                    if let Some(word) = args.key(key) {
                        diagnostics
                            .at(word, format!("`{key}` never applies: the function returns a `{name}`, not a number"));
                    }
                }
            }
            "Measured" | "f32" | "f64" | "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64"
            | "usize" => {
                if !self.limits.iter().any(|(key, _)| args.key(key).is_some()) && !is_judged {
                    let message = "nothing judges this number, so the check always passes; add `fail_above`, `fail_below`, \
                                   `warn_above` or `warn_below`, or `severity = \"info\"` if it is only to be measured";
                    diagnostics.at(written, message);
                }
                for key in ["warn_below", "fail_below"] {
                    if let Some(limit) = self.number(key).filter(|limit| limit.value <= 0.0 && name.starts_with('u')) {
                        diagnostics
                            .at(&limit.written, format!("`{key}` never applies: no `{name}` is below {}", limit.value));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The name of the type that is judged: that in an `Option`, or of the value in a `Result`.
fn measured_type(written: &Type) -> Option<String> {
    let Type::Path(path) = written else { return None };
    let last = path.path.segments.last()?;
    if last.ident == "Result" || last.ident == "Option" {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        return match arguments.args.first()? {
            GenericArgument::Type(inner) => measured_type(inner),
            _ => None,
        };
    }
    Some(last.ident.to_string())
}

/// A number, a percentage (`"5%"` is 0.05), a duration (`"6h"` is 21600 seconds), or the path of a constant.
fn limit(key: &Key, expr: &Expr) -> syn::Result<Limit> {
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
