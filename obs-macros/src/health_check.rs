//! `#[health_check]`

use proc_macro2::{Literal, TokenStream};
use syn::LitBool;

use crate::expand::callsite::Settings;
use crate::expand::check::{self, Check};
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::duration;
use crate::grammar::string_list::StringList;
use crate::grammar::values;
use crate::item::function::Function;

/// The validated arguments of `#[health_check]`.
pub struct HealthCheck {
    shared: SharedKeys,
    timeout: Option<u64>,
    critical: Option<LitBool>,
    groups: Option<StringList>,
    cache: Option<u64>,
    after: Option<StringList>,
    failures: Option<Literal>,
    owner: Option<TokenStream>,
    runbook: Option<TokenStream>,
}

impl Model for HealthCheck {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        check::refuse(args, function, diagnostics);
        Self {
            shared: SharedKeys::new(args, function, diagnostics),
            timeout: args.value("timeout", duration::milliseconds, diagnostics),
            critical: args.value("critical", values::boolean, diagnostics),
            groups: StringList::new("groups", args, diagnostics),
            cache: args.value("cache", duration::milliseconds, diagnostics),
            after: StringList::new("after", args, diagnostics),
            failures: args.value("failures", values::count, diagnostics),
            owner: args.value("owner", values::constant_text, diagnostics),
            runbook: args.value("runbook", values::address, diagnostics),
        }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let mut settings = Settings::new(&self.shared);
        settings.set("timeout_millis", self.timeout.map(duration::literal));
        settings.set("critical", self.critical.as_ref());
        settings.set("groups", self.groups.as_ref().map(StringList::slice));
        settings.set("cache_millis", self.cache.map(duration::literal));
        settings.set("after", self.after.as_ref().map(StringList::slice));
        settings.set("failures", self.failures.as_ref());
        settings.set("owner", self.owner.as_ref());
        settings.set("runbook", self.runbook.as_ref());
        let [section, kind, companion] = ["Health", "HealthCheck", "health_check"];
        Check { shared: &self.shared, section, kind, companion, each: None, bounds: None, settings }.register(function)
    }
}
