//! `#[with_error_tracking]`

use proc_macro2::TokenStream;
use syn::{Expr, ExprPath};

use crate::args::Args;
use crate::callsite::Settings;
use crate::entry::Entry;
use crate::fields::{self, Field};
use crate::item::Function;
use crate::judge;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::values;
use crate::wrap::Wrap;

/// What `#[with_error_tracking]` was told.
pub struct ErrorTracking {
    shared: Shared,
    context: Vec<Field>,
    severity: Option<&'static str>,
    ignore_if: Option<ExprPath>,
    fallback: Option<Expr>,
}

impl Model for ErrorTracking {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        let severity = |key: &_, expr: &_| values::choice(key, expr, &values::ERROR_SEVERITIES);
        Self {
            shared: Shared::new(args, function, mistakes),
            context: fields::fields("context", args, mistakes),
            severity: args.value("severity", severity, mistakes),
            ignore_if: args.value("ignore_if", values::function, mistakes),
            fallback: args.value("fallback", values::expr, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut settings = Settings::new(shared);
        settings.set("severity", self.severity.map(|severity| shared.variant("Level", severity)));
        let mut entry = Entry::new(shared);
        entry.context(&self.context);
        let helper = if self.fallback.is_some() { "errors_or" } else { "errors" };
        let judge = judge::closure(shared, function, self.ignore_if.as_ref());
        let mut wrap = Wrap::new(shared, helper, ("errors", settings), &entry, judge);
        wrap.judged |= self.ignore_if.is_some();
        wrap.fallback = self.fallback.as_ref();
        wrap.around(function)
    }
}
