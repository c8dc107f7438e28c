//! `warn_above`, `fail_above`, `warn_below`, `fail_below` and `between`.

use proc_macro2::TokenStream;
use syn::{Expr, ExprRange, GenericArgument, PathArguments, RangeLimits, ReturnType, Type};

use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::limit::{Limit, limit};
use crate::grammar::row_limits::RowLimits;
use crate::grammar::values::{self, Number};
use crate::grammar::vocabulary::Key;

/// The limits for the value of a data-quality check.
pub struct Thresholds {
    limits: [(&'static str, Option<Limit>); 4],
    rows: RowLimits,
}

impl Thresholds {
    /// Reads the limits and refuses contradictory ones.
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        let mut limits = ["warn_above", "fail_above", "warn_below", "fail_below"]
            .map(|name| (name, args.value(name, limit, diagnostics)));
        for (name, end) in args.value("between", between, diagnostics).into_iter().flatten() {
            let Some((_, limit)) = limits.iter_mut().find(|(limit, _)| *limit == name) else { continue };
            if let (Some(_), Some(key)) = (&limit, args.key("between")) {
                diagnostics.at(key, format!("`between` sets `{name}` too; remove one"));
            }
            *limit = Some(end);
        }
        let thresholds = Self { limits, rows: RowLimits::new(args, diagnostics) };
        thresholds.check(diagnostics);
        thresholds
    }

    /// Each key with its limit, if it was given.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, Option<&Limit>)> {
        self.limits.iter().map(|(name, limit)| (*name, limit.as_ref()))
    }

    /// Each further key that was given, with its value.
    pub fn row_limits(&self) -> impl Iterator<Item = (&'static str, &TokenStream)> {
        self.rows.settings()
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

    /// All keys of limits.
    fn keys() -> impl Iterator<Item = &'static str> {
        ["warn_above", "fail_above", "warn_below", "fail_below", "between", "bounds"].into_iter().chain(RowLimits::KEYS)
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
                for key in Self::keys() {
                    if let Some(word) = args.key(key) {
                        diagnostics
                            .at(word, format!("`{key}` never applies: the function returns a `{name}`, not a number"));
                    }
                }
            }
            "Measured" | "f32" | "f64" | "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64"
            | "usize" => {
                if !Self::keys().any(|key| args.key(key).is_some()) && !is_judged {
                    let message = "nothing judges this number, so the check always passes; add `fail_above`, `fail_below`, \
                                   `warn_above`, `warn_below` or another limit, or `severity = \"info\"` if it is only to be \
                                   measured";
                    diagnostics.at(written, message);
                }
                self.rows.check_type(args, &name, diagnostics);
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

/// `1..=5`, `1..` or `..=5`: the limits below and above which a value fails.
fn between(key: &Key, expr: &Expr) -> syn::Result<Vec<(&'static str, Limit)>> {
    let needed = "a range whose ends belong to it: `1..=5`, `1..` or `..=5`";
    let Expr::Range(ExprRange { start, limits, end, .. }) = values::plain(expr) else {
        return Err(values::wrong(key, expr, needed));
    };
    if (start.is_none() && end.is_none()) || (end.is_some() && matches!(limits, RangeLimits::HalfOpen(_))) {
        return Err(values::wrong(key, expr, needed));
    }
    let mut ends = Vec::new();
    for (name, end) in [("fail_below", start), ("fail_above", end)] {
        if let Some(end) = end {
            ends.push((name, limit(key, end)?));
        }
    }
    Ok(ends)
}
