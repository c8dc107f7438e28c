//! `#[bq_cost]`

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, LitStr};

use crate::expand::callsite::Settings;
use crate::expand::declared::Declared;
use crate::expand::entry::Entry;
use crate::expand::judge;
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::expand::wrap::Wrap;
use crate::grammar::args::Args;
use crate::grammar::bytes;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::fields::{self, Field};
use crate::grammar::values::{self, Number};
use crate::item::function::Function;

/// The validated arguments of `#[bq_cost]`.
pub struct BqCost {
    shared: SharedKeys,
    declared: Declared,
    query_type: Option<LitStr>,
    dataset: Option<Expr>,
    alert_over_usd: Option<Number>,
    max_usd: Option<Number>,
    max_bytes: Option<u64>,
    max_slot_hours: Option<Number>,
    budget: Option<LitStr>,
    labels: Vec<Field>,
}

impl Model for BqCost {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        Self {
            shared: SharedKeys::new(args, function, diagnostics),
            declared: Declared::new(args, diagnostics),
            query_type: args.value("query_type", values::text, diagnostics),
            dataset: args.value("dataset", values::expr, diagnostics),
            alert_over_usd: args.value("alert_over_usd", values::amount, diagnostics),
            max_usd: args.value("max_usd", values::amount, diagnostics),
            max_bytes: args.value("max_bytes", bytes::number, diagnostics),
            max_slot_hours: args.value("max_slot_hours", values::amount, diagnostics),
            budget: args.value("budget", values::text, diagnostics),
            labels: fields::job_labels(args, diagnostics),
        }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let private = shared.runtime.private();
        let mut settings = Settings::new(shared);
        self.declared.set(&mut settings);
        settings.set("query_type", self.query_type.as_ref());
        settings.set("alert_over_usd", self.alert_over_usd.as_ref());
        settings.set("max_usd", self.max_usd.as_ref());
        settings.set("max_bytes", self.max_bytes.map(bytes::literal));
        settings.set("max_slot_hours", self.max_slot_hours.as_ref());
        settings.set("budget", self.budget.as_ref());
        let mut entry = Entry::new(shared);
        entry.display("dataset", self.dataset.as_ref());
        entry.labels(&self.labels);
        let statistics = quote_spanned! {Span::mixed_site()=>
            |__value| { use #private::statistics::*; (&&Statistics(__value)).statistics() }
        };
        let judge = judge::closure(shared, function, None);
        let mut wrap = Wrap::new(shared, "cost", ("cost", settings), &entry, judge);
        wrap.more = Some(statistics);
        wrap.around(function)
    }
}
