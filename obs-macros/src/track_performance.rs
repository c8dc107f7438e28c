//! `#[track_performance]`

use proc_macro2::TokenStream;

use crate::expand::callsite::Settings;
use crate::expand::declared::Declared;
use crate::expand::entry::Entry;
use crate::expand::judge;
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::expand::wrap::Wrap;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::item::function::Function;

/// The validated arguments of `#[track_performance]`.
pub struct TrackPerformance {
    shared: SharedKeys,
    declared: Declared,
}

impl Model for TrackPerformance {
    fn new(args: &Args, function: &Function, diagnostics: &mut Diagnostics) -> Self {
        Self { shared: SharedKeys::new(args, function, diagnostics), declared: Declared::new(args, diagnostics) }
    }

    fn shared(&self) -> &SharedKeys {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut settings = Settings::new(shared);
        self.declared.set(&mut settings);
        let entry = Entry::new(shared);
        let judge = judge::closure(shared, function, None);
        Wrap::new(shared, "performance", ("operation", settings), &entry, judge).around(function)
    }
}
