//! `#[tracked_command]`

use proc_macro2::TokenStream;
use syn::Expr;

use crate::args::Args;
use crate::callsite::Settings;
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
}

impl Model for TrackedCommand {
    fn new(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Self {
        Self { shared: Shared::new(args, function, mistakes), user: args.value("user", values::expr, mistakes) }
    }

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn expand(&self, function: &Function) -> TokenStream {
        let shared = &self.shared;
        let mut entry = Entry::new(shared);
        entry.display("user", self.user.as_ref());
        let judge = judge::closure(shared, function, None);
        Wrap::new(shared, "command", ("command", Settings::new(shared)), &entry, judge).around(function)
    }
}
