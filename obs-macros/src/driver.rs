//! Runs the stages: tokens, arguments, model, expansion. The only place where mistakes become `compile_error!`.

use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt};

use crate::args::Args;
use crate::bq_cost::BqCost;
use crate::dq_check::DqCheck;
use crate::error_tracking::ErrorTracking;
use crate::health_check::HealthCheck;
use crate::item::{Function, Item};
use crate::mistakes::Mistakes;
use crate::model::Model;
use crate::order;
use crate::runtime_path::RuntimePath;
use crate::shared::Shared;
use crate::track_performance::TrackPerformance;
use crate::tracked_command::TrackedCommand;
use crate::vocabulary::{Attribute, Vocabulary};
use crate::whole_block;

/// Expands one attribute on one item.
pub fn expand(attribute: Attribute, args: &TokenStream, item: TokenStream) -> TokenStream {
    if !attribute.block_keys().is_empty() {
        if whole_block::is_left_out(args) {
            return item;
        }
        if let Some(block) = whole_block::Block::parse(&item) {
            let mut mistakes = Mistakes::default();
            let expansion = whole_block::expand(attribute, args, block, &mut mistakes);
            return if mistakes.is_empty() { expansion } else { beside(mistakes, item) };
        }
    }
    let stages = match attribute {
        Attribute::TrackedCommand => stages::<TrackedCommand>,
        Attribute::HealthCheck => stages::<HealthCheck>,
        Attribute::DqCheck => stages::<DqCheck>,
        Attribute::BqCost => stages::<BqCost>,
        Attribute::WithErrorTracking => stages::<ErrorTracking>,
        Attribute::TrackPerformance => stages::<TrackPerformance>,
    };
    stages(attribute, args, item)
}

fn stages<M: Model>(attribute: Attribute, tokens: &TokenStream, untouched: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let args = Args::parse(Vocabulary { attribute, on_block: false }, tokens.clone(), &mut mistakes);
    let item = Item::parse(untouched.clone());
    let function = match &item.function {
        Ok(function) => function,
        Err(refusal) => {
            let runtime = RuntimePath::new(&args, &mut mistakes);
            // One refusal is enough for all the attributes on an item: that of the last.
            if !order::ours_follow(&item, &runtime) {
                mistakes.add(refusal.clone());
            }
            return beside(mistakes, untouched);
        }
    };
    let model = M::new(&args, function, &mut mistakes);
    if !mistakes.is_empty() {
        return beside(mistakes, with_keys(&item, function, model.shared()));
    }
    // Around a bare function, the order is of no account.
    if !cfg!(feature = "off")
        && let Some(reordered) = order::step_behind(attribute, tokens, &item, &model.shared().runtime)
    {
        return reordered;
    }
    let mut expansion = TokenStream::new();
    expansion.append_all(&item.attributes);
    model.expand(function).to_tokens(&mut expansion);
    expansion
}

/// The item as it was, but for what rust-analyzer is shown of keys that may be half typed.
fn with_keys(item: &Item, function: &Function, shared: &Shared) -> TokenStream {
    let mut body = function.body.inner_attributes.clone();
    body.extend(shared.documented.clone());
    body.extend(function.body.statements.clone());
    let mut tokens = TokenStream::new();
    tokens.append_all(&item.attributes);
    tokens.extend(function.head.clone());
    function.body.braces_around(body).to_tokens(&mut tokens);
    tokens
}

fn beside(mistakes: Mistakes, item: TokenStream) -> TokenStream {
    mistakes.into_compile_errors().into_iter().chain(item).collect()
}
