//! `#[dq_check]`

use proc_macro2::TokenStream;
use syn::{Expr, LitBool};

use crate::args::Args;
use crate::callsite::Settings;
use crate::check::{self, Check};
use crate::duration;
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::thresholds::Thresholds;
use crate::values;

/// What `#[dq_check]` was told.
pub struct DqCheck {
    shared: Shared,
    dataset: Option<TokenStream>,
    column: Option<TokenStream>,
    owner: Option<TokenStream>,
    severity: Option<&'static str>,
    thresholds: Thresholds,
    timeout: Option<u64>,
    blocking: Option<LitBool>,
    each: Option<Expr>,
}

impl Model for DqCheck {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        check::refuse(args, function, mistakes);
        let severity = |key: &_, expr: &_| values::choice(key, expr, &values::CHECK_SEVERITIES);
        Self {
            shared: Shared::new(args, function, mistakes),
            dataset: args.value("dataset", values::constant_text, mistakes),
            column: args.value("column", values::constant_text, mistakes),
            owner: args.value("owner", values::constant_text, mistakes),
            severity: args.value("severity", severity, mistakes),
            thresholds: Thresholds::new(args, mistakes),
            timeout: args.value("timeout", duration::milliseconds, mistakes),
            blocking: args.value("blocking", values::boolean, mistakes),
            each: args.value("for_each", values::expr, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let mut settings = Settings::new(&self.shared);
        settings.set("timeout_millis", self.timeout.map(duration::literal));
        settings.set("dataset", self.dataset.as_ref());
        settings.set("column", self.column.as_ref());
        settings.set("owner", self.owner.as_ref());
        settings.set("severity", self.severity.map(|severity| self.shared.variant("Severity", severity)));
        self.thresholds.set(&mut settings);
        settings.set("blocking", self.blocking.as_ref());
        let [list, kind, companion] = ["QUALITY_CHECKS", "QualityCheck", "dq_check"];
        Check { shared: &self.shared, list, kind, companion, each: self.each.as_ref(), settings }.register(function)
    }
}
