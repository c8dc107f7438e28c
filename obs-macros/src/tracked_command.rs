//! `#[tracked_command]`

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, LitStr, Type};

use crate::expand::callsite::Settings;
use crate::expand::declared::Declared;
use crate::expand::entry::Entry;
use crate::expand::judge;
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::expand::wrap::Wrap;
use crate::grammar::args::Args;
use crate::grammar::cron;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::duration;
use crate::grammar::values;
use crate::item::function::{Function, Shape};
use crate::item::return_type;
use crate::item::returned_future::{ReturnedFuture, mentions_impl};

/// The validated arguments of `#[tracked_command]`.
pub struct TrackedCommand {
    shared: SharedKeys,
    declared: Declared,
    user: Option<Expr>,
    schedule: Option<Schedule>,
    init: Option<Init>,
}

/// Whether and how the command, `main`, initialises obs.
struct Init {
    lenient: bool,
}

impl Init {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Option<Self> {
        let key = args.key("init")?;
        let lenient = args.value("init", |key, expr| values::choice(key, expr, &["lenient"]), diagnostics).is_some();
        if !function.is_main() {
            diagnostics.at(key, "`init` initialises the program, so it goes on `main`; remove it here");
        } else if function.signature.receiver().is_some() || !function.signature.inputs.is_empty() {
            diagnostics.at(key, "`init` goes on the `main` of a program, which takes no arguments");
        }
        Some(Self { lenient })
    }
}

/// The schedule of a command: cron expression or interval, time zone, allowed run time and delay, and thresholds of alerts.
struct Schedule {
    cron: LitStr,
    every: Option<u64>,
    timezone: Option<LitStr>,
    max_runtime: Option<u64>,
    margin: Option<u64>,
    monitor: Option<LitStr>,
    failure_threshold: Option<Literal>,
    recovery_threshold: Option<Literal>,
}

/// The keys that say more of a schedule.
const MORE: [&str; 6] = ["timezone", "max_runtime", "margin", "monitor", "failure_threshold", "recovery_threshold"];

impl Schedule {
    fn new(args: &Args, diagnostics: &mut Diagnostics) -> Option<Self> {
        let cron = args.value("cron", cron::schedule, diagnostics);
        let timezone = args.value("timezone", cron::timezone, diagnostics);
        let max_runtime = args.value("max_runtime", duration::milliseconds, diagnostics);
        let margin = args.value("margin", duration::milliseconds, diagnostics);
        let monitor = args.value("monitor", cron::monitor, diagnostics);
        let every = args.value("every", duration::interval, diagnostics);
        let failure_threshold = args.value("failure_threshold", values::count, diagnostics);
        let recovery_threshold = args.value("recovery_threshold", values::count, diagnostics);
        match (args.key("cron"), args.key("every")) {
            (None, None) => {
                for key in MORE.iter().filter_map(|key| args.key(key)) {
                    diagnostics.at(key, format!("`{key}` needs a schedule; add `cron = \"0 3 * * *\"`"));
                }
            }
            (Some(_), Some(every)) => diagnostics.at(every, "a command has one schedule: `cron` or `every`"),
            (None, Some(_)) => {
                if let Some(timezone) = args.key("timezone") {
                    diagnostics.at(timezone, "`timezone` goes with `cron`: an interval has none");
                }
            }
            (Some(_), None) => {}
        }
        let (cron, every) = match every {
            Some((text, milliseconds)) => (text, Some(milliseconds)),
            None => (cron?, None),
        };
        Some(Self { cron, every, timezone, max_runtime, margin, monitor, failure_threshold, recovery_threshold })
    }

    /// The constructor call for the call site.
    fn setting(&self, shared: &SharedKeys) -> TokenStream {
        let private = shared.runtime.private();
        let mut more = Settings::default();
        more.set("timezone", self.timezone.as_ref());
        more.set("max_runtime_millis", self.max_runtime.map(duration::literal));
        more.set("margin_millis", self.margin.map(duration::literal));
        more.set("monitor", self.monitor.as_ref());
        more.set("every_millis", self.every.map(duration::literal));
        more.set("failure_threshold", self.failure_threshold.as_ref());
        more.set("recovery_threshold", self.recovery_threshold.as_ref());
        let cron = &self.cron;
        quote_spanned!(Span::mixed_site()=> #private::Schedule::new(#cron) #more)
    }
}

/// Whether the future of a command waits for the flush at its end: if its output is `Send`, which the compiler decides.
fn at_end(shared: &SharedKeys, function: &Function) -> Option<TokenStream> {
    let written = &function.signature.output;
    let output = match &function.shape {
        Shape::Sync => return None,
        Shape::Async => Some(return_type::of(written)).filter(|_| !mentions_impl(written)),
        Shape::Future(future) => match &**future {
            ReturnedFuture::Opaque { output } => Some(output.clone()).filter(|_| !mentions_impl(output)),
            ReturnedFuture::ByType { .. } => None,
        },
    };
    let site = Span::mixed_site();
    let private = shared.runtime.private();
    let Some(output) = output.filter(|output| !matches!(output, Type::Never(_))) else {
        return Some(quote_spanned!(site=> #private::at_end::ReturnAtOnce));
    };
    Some(quote_spanned! {site=> {
        use #private::at_end::{IsAny as _, IsSend as _};
        (&&#private::at_end::Output::<#output>::new()).at_end()
    }})
}

impl Model for TrackedCommand {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        Self {
            shared: SharedKeys::new(args, function, diagnostics),
            declared: Declared::new(args, diagnostics),
            user: args.value("user", values::expr, diagnostics),
            schedule: Schedule::new(args, diagnostics),
            init: Init::new(args, function, diagnostics),
        }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut settings = Settings::new(shared);
        self.declared.set(&mut settings);
        settings.set("schedule", self.schedule.as_ref().map(|schedule| schedule.setting(shared)));
        let mut entry = Entry::new(shared);
        entry.display("user", self.user.as_ref());
        let judge = judge::closure(shared, function, None);
        let mut wrap = Wrap::new(shared, "command", ("command", settings), &entry, judge);
        wrap.more = at_end(shared, function);
        match &self.init {
            Some(init) => wrap.around_main(function, init.lenient),
            None => wrap.around(function),
        }
    }
}
