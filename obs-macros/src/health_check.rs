//! `#[health_check]`

use proc_macro2::{Literal, TokenStream};
use syn::LitBool;

use crate::args::Args;
use crate::callsite::Settings;
use crate::check::{self, Check};
use crate::duration;
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::texts::Texts;
use crate::values;

/// What `#[health_check]` was told.
pub struct HealthCheck {
    shared: Shared,
    timeout: Option<u64>,
    critical: Option<LitBool>,
    groups: Option<Texts>,
    cache: Option<u64>,
    after: Option<Texts>,
    failures: Option<Literal>,
}

impl Model for HealthCheck {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        check::refuse(args, function, mistakes);
        Self {
            shared: Shared::new(args, function, mistakes),
            timeout: args.value("timeout", duration::milliseconds, mistakes),
            critical: args.value("critical", values::boolean, mistakes),
            groups: Texts::new("groups", args, mistakes),
            cache: args.value("cache", duration::milliseconds, mistakes),
            after: Texts::new("after", args, mistakes),
            failures: args.value("failures", values::count, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let mut settings = Settings::new(&self.shared);
        settings.set("timeout_millis", self.timeout.map(duration::literal));
        settings.set("critical", self.critical.as_ref());
        settings.set("groups", self.groups.as_ref().map(Texts::slice));
        settings.set("cache_millis", self.cache.map(duration::literal));
        settings.set("after", self.after.as_ref().map(Texts::slice));
        settings.set("failures", self.failures.as_ref());
        let [list, kind, companion] = ["HEALTH_CHECKS", "HealthCheck", "health_check"];
        Check { shared: &self.shared, list, kind, companion, each: None, settings }.register(function)
    }
}
