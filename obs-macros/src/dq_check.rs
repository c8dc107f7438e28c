//! `#[dq_check]`

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprPath, LitBool};

use crate::expand::callsite::Settings;
use crate::expand::check::{self, Check};
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::duration;
use crate::grammar::string_list::StringList;
use crate::grammar::thresholds::Thresholds;
use crate::grammar::values;
use crate::item::function::Function;

/// The validated arguments of `#[dq_check]`.
pub struct DqCheck {
    shared: SharedKeys,
    dataset: Option<TokenStream>,
    column: Option<TokenStream>,
    owner: Option<TokenStream>,
    runbook: Option<TokenStream>,
    severity: Option<&'static str>,
    thresholds: Thresholds,
    timeout: Option<u64>,
    require_rows: Option<Literal>,
    allow_no_data: Option<LitBool>,
    blocking: Option<LitBool>,
    after: Option<StringList>,
    bounds: Option<ExprPath>,
    partition: Option<&'static str>,
    each: Option<Expr>,
}

impl Model for DqCheck {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        check::refuse(args, function, diagnostics);
        let severity = |key: &_, expr: &_| values::choice(key, expr, &values::CHECK_SEVERITIES);
        let severity = args.value("severity", severity, diagnostics);
        let thresholds = Thresholds::new(args, diagnostics);
        let is_judged = severity == Some("info") || args.key("require_rows").is_some() || args.key("bounds").is_some();
        thresholds.check_type(args, &function.signature.output, is_judged, diagnostics);
        let blocking = args.value("blocking", values::boolean, diagnostics);
        let never_stops = severity.filter(|severity| *severity != "critical");
        if let (Some(severity), Some(true), Some(key)) =
            (never_stops, blocking.as_ref().map(LitBool::value), args.key("blocking"))
        {
            diagnostics.at(key, format!("`blocking` never applies: a check of severity \"{severity}\" stops nothing"));
        }
        Self {
            shared: SharedKeys::new(args, function, diagnostics),
            dataset: args.value("dataset", values::constant_text, diagnostics),
            column: args.value("column", values::constant_text, diagnostics),
            owner: args.value("owner", values::constant_text, diagnostics),
            runbook: args.value("runbook", values::address, diagnostics),
            severity,
            thresholds,
            timeout: args.value("timeout", duration::milliseconds, diagnostics),
            require_rows: args.value("require_rows", values::count, diagnostics),
            allow_no_data: args.value("allow_no_data", values::boolean, diagnostics),
            blocking,
            after: StringList::new("after", args, diagnostics),
            bounds: args.value("bounds", values::function, diagnostics),
            partition: args.value("partition", values::word(&["Hour", "Day", "Month"]), diagnostics),
            each: args.value("for_each", values::list, diagnostics),
        }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let mut settings = Settings::new(&self.shared);
        settings.set("timeout_millis", self.timeout.map(duration::literal));
        settings.set("declared_dataset", self.dataset.as_ref());
        settings.set("column", self.column.as_ref());
        settings.set("owner", self.owner.as_ref());
        settings.set("runbook", self.runbook.as_ref());
        settings.set("description", function.documentation());
        settings.set("severity", self.severity.map(|severity| self.shared.variant("Severity", severity)));
        for (key, limit) in self.thresholds.limits() {
            settings.set(key, limit);
        }
        for (key, limit) in self.thresholds.row_limits() {
            settings.set(key, Some(limit));
        }
        settings.set(
            "bounds_of_a_run",
            self.bounds.as_ref().map(|path| path.to_token_stream().to_string().replace(' ', "")),
        );
        settings.set("require_rows", self.require_rows.as_ref());
        settings.set("allow_no_data", self.allow_no_data.as_ref());
        settings.set("blocking", self.blocking.as_ref());
        settings.set("after", self.after.as_ref().map(StringList::slice));
        settings.set("partition", self.partition.map(|unit| self.shared.variant("PartitionUnit", unit)));
        let [section, kind, companion] = ["Quality", "QualityCheck", "dq_check"];
        Check {
            shared: &self.shared,
            section,
            kind,
            companion,
            each: self.each.as_ref(),
            bounds: self.bounds.as_ref(),
            settings,
        }
        .register(function)
    }
}
