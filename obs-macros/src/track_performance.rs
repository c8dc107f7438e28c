//! `#[track_performance]`

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::callsite::{Callsite, Settings};
use crate::entry::Entry;
use crate::item::Function;
use crate::judge;
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::shared::Shared;
use crate::wrap::Wrap;

/// What `#[track_performance]` was told.
pub struct TrackPerformance {
    shared: Shared,
}

impl Model for TrackPerformance {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        Self { shared: Shared::new(args, function, mistakes) }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let entry = Entry::new(shared);
        let wrap = Wrap {
            shared,
            helper: "performance",
            callsite: Callsite::wrapped("operation", Settings::new(shared)).to_static(shared),
            begin: entry.begin(),
            described: entry.closure(),
            judged: shared.verdict.names_a_path(),
            judge: judge::closure(shared, function, None),
            more: None,
            fallback: None,
        };
        wrap.around(function)
    }
}
