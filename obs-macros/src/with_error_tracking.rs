//! `#[with_error_tracking]`

use proc_macro2::TokenStream;
use syn::{Expr, ExprPath};

use crate::expand::callsite::Settings;
use crate::expand::declared::Declared;
use crate::expand::entry::Entry;
use crate::expand::judge;
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::expand::wrap::Wrap;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::fields::{self, Field};
use crate::grammar::values;
use crate::item::function::Function;

/// The validated arguments of `#[with_error_tracking]`.
pub struct WithErrorTracking {
    shared: SharedKeys,
    declared: Declared,
    context: Vec<Field>,
    fingerprint: Vec<Expr>,
    severity: Option<&'static str>,
    ignore_if: Option<ExprPath>,
    fallback: Option<Expr>,
}

impl Model for WithErrorTracking {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        let severity = |key: &_, expr: &_| values::choice(key, expr, &values::ERROR_SEVERITIES);
        Self {
            shared: SharedKeys::new(args, function, diagnostics),
            declared: Declared::new(args, diagnostics),
            context: fields::fields("context", args, diagnostics),
            fingerprint: fields::expressions("fingerprint", args, diagnostics),
            severity: args.value("severity", severity, diagnostics),
            ignore_if: args.value("ignore_if", values::function, diagnostics),
            fallback: args.value("fallback", values::expr, diagnostics),
        }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut settings = Settings::new(shared);
        self.declared.set(&mut settings);
        settings.set("severity", self.severity.map(|severity| shared.variant("Level", severity)));
        let mut entry = Entry::new(shared);
        entry.context(&self.context);
        entry.fingerprint(&self.fingerprint);
        let helper = if self.fallback.is_some() { "errors_or" } else { "errors" };
        let judge = judge::closure(shared, function, self.ignore_if.as_ref());
        let mut wrap = Wrap::new(shared, helper, ("errors", settings), &entry, judge);
        wrap.judged |= self.ignore_if.is_some();
        wrap.fallback = self.fallback.as_ref();
        wrap.around(function)
    }
}
