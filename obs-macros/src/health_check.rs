//! `#[health_check]`

use proc_macro2::TokenStream;
use syn::LitBool;

use crate::args::Args;
use crate::callsite::Settings;
use crate::check::{self, Check};
use crate::duration;
use crate::item::Function;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::values;

/// What `#[health_check]` was told.
pub struct HealthCheck {
    shared: Shared,
    timeout: Option<u64>,
    critical: Option<LitBool>,
}

impl Model for HealthCheck {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        check::refuse(function, mistakes);
        Self {
            shared: Shared::new(args, function, mistakes),
            timeout: args.value("timeout", duration::milliseconds, mistakes),
            critical: args.value("critical", values::boolean, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let mut settings = Settings::new(&self.shared);
        settings.set("timeout_millis", self.timeout.map(duration::literal));
        settings.set("critical", self.critical.as_ref());
        Check { shared: &self.shared, list: "HEALTH_CHECKS", kind: "HealthCheck", settings }.register(function)
    }
}
