//! `#[tracked_command]`

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, LitStr};

use crate::args::Args;
use crate::callsite::Settings;
use crate::cron;
use crate::duration;
use crate::entry::Entry;
use crate::item::Function;
use crate::judge;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::values;
use crate::wrap::Wrap;

/// What `#[tracked_command]` was told.
pub struct TrackedCommand {
    shared: Shared,
    user: Option<Expr>,
    schedule: Option<Schedule>,
}

/// When the command is to run, and how late and how long it may.
struct Schedule {
    cron: LitStr,
    timezone: Option<LitStr>,
    max_runtime: Option<u64>,
    margin: Option<u64>,
    monitor: Option<LitStr>,
}

impl Schedule {
    fn new(args: &Args, mistakes: &mut Mistakes) -> Option<Self> {
        let cron = args.value("cron", cron::schedule, mistakes);
        let timezone = args.value("timezone", cron::timezone, mistakes);
        let max_runtime = args.value("max_runtime", duration::milliseconds, mistakes);
        let margin = args.value("margin", duration::milliseconds, mistakes);
        let monitor = args.value("monitor", cron::monitor, mistakes);
        if args.key("cron").is_none() {
            for key in ["timezone", "max_runtime", "margin", "monitor"].iter().filter_map(|key| args.key(key)) {
                mistakes.at(key, format!("`{key}` is about a schedule, and there is none: add `cron = \"0 3 * * *\"`"));
            }
        }
        Some(Self { cron: cron?, timezone, max_runtime, margin, monitor })
    }

    /// The static's setting.
    fn setting(&self, shared: &Shared) -> TokenStream {
        let private = shared.runtime.private();
        let mut more = Settings::default();
        more.set("timezone", self.timezone.as_ref());
        more.set("max_runtime_millis", self.max_runtime.map(duration::literal));
        more.set("margin_millis", self.margin.map(duration::literal));
        more.set("monitor", self.monitor.as_ref());
        let cron = &self.cron;
        quote_spanned!(Span::mixed_site()=> #private::Schedule::new(#cron) #more)
    }
}

impl Model for TrackedCommand {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        Self {
            shared: Shared::new(args, function, mistakes),
            user: args.value("user", values::expr, mistakes),
            schedule: Schedule::new(args, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut settings = Settings::new(shared);
        settings.set("schedule", self.schedule.as_ref().map(|schedule| schedule.setting(shared)));
        let mut entry = Entry::new(shared);
        entry.display("user", self.user.as_ref());
        let judge = judge::closure(shared, function, None);
        Wrap::new(shared, "command", ("command", settings), &entry, judge).around(function)
    }
}
