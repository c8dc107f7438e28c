//! `#[track_performance]`

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::callsite::Settings;
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
        let judge = judge::closure(shared, function, None);
        Wrap::new(shared, "performance", ("operation", Settings::new(shared)), &entry, judge).around(function)
    }
}
