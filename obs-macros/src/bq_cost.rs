//! `#[bq_cost]`

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, LitStr};

use crate::args::Args;
use crate::callsite::Settings;
use crate::entry::Entry;
use crate::item::Function;
use crate::judge;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::values::{self, Number};
use crate::wrap::Wrap;

/// What `#[bq_cost]` was told.
pub struct BqCost {
    shared: Shared,
    query_type: Option<LitStr>,
    dataset: Option<Expr>,
    alert_over_usd: Option<Number>,
}

impl Model for BqCost {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        Self {
            shared: Shared::new(args, function, mistakes),
            query_type: args.value("query_type", values::text, mistakes),
            dataset: args.value("dataset", values::expr, mistakes),
            alert_over_usd: args.value("alert_over_usd", values::amount, mistakes),
        }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let private = shared.runtime.private();
        let mut settings = Settings::new(shared);
        settings.set("query_type", self.query_type.as_ref());
        settings.set("alert_over_usd", self.alert_over_usd.as_ref());
        let mut entry = Entry::new(shared);
        entry.display("dataset", self.dataset.as_ref());
        let statistics = quote_spanned! {Span::mixed_site()=>
            |__value| { use #private::statistics::*; (&&Statistics(__value)).statistics() }
        };
        let judge = judge::closure(shared, function, None);
        let mut wrap = Wrap::new(shared, "cost", ("cost", settings), &entry, judge);
        wrap.more = Some(statistics);
        wrap.around(function)
    }
}
