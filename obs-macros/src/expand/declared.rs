//! What operators need to know of a function: its owner, its runbook and its objectives.

use proc_macro2::TokenStream;

use crate::expand::callsite::Settings;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::{duration, objective, values};

/// A day: the longest bucket of durations, in milliseconds.
const LONGEST: u64 = 24 * 60 * 60 * 1000;

/// The validated keys `owner`, `runbook`, `slo` and `slo_latency`.
pub struct Declared {
    owner: Option<TokenStream>,
    runbook: Option<TokenStream>,
    slo: Option<u32>,
    slo_latency: Option<u64>,
}

impl Declared {
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        let latency = args.value("slo_latency", duration::milliseconds, diagnostics);
        if let Some(key) = args.key("slo_latency") {
            if args.key("slo").is_none() {
                diagnostics
                    .at(key, "`slo_latency` needs the share of calls that must end in time; add `slo = \"99.5%\"`");
            }
            if latency.is_some_and(|latency| latency > LONGEST) {
                diagnostics.at(key, "`slo_latency` is at most a day: `slo_latency = \"24h\"`");
            }
        }
        Self {
            owner: args.value("owner", values::constant_text, diagnostics),
            runbook: args.value("runbook", values::address, diagnostics),
            slo: args.value("slo", objective::share, diagnostics),
            slo_latency: latency,
        }
    }

    /// Adds them to the call site.
    pub fn set(&self, settings: &mut Settings) {
        settings.set("owner", self.owner.as_ref());
        settings.set("runbook", self.runbook.as_ref());
        settings.set("slo_parts_per_million", self.slo.map(objective::literal));
        settings.set("slo_latency_millis", self.slo_latency.map(duration::literal));
    }
}
