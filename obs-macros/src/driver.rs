//! Runs the stages: tokens → arguments → model → expansion. Only here do diagnostics become `compile_error!`.

use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt};

use crate::bq_cost::BqCost;
use crate::dq_check::DqCheck;
use crate::expand::model::Model;
use crate::expand::shared_keys::SharedKeys;
use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::vocabulary::{Attribute, Vocabulary};
use crate::health_check::HealthCheck;
use crate::item::function::{Function, Item};
use crate::item::order;
use crate::item::whole_block;
use crate::track_performance::TrackPerformance;
use crate::tracked_command::TrackedCommand;
use crate::with_error_tracking::WithErrorTracking;

/// Expands one attribute on one item.
pub fn expand(attribute: Attribute, args: &TokenStream, item: TokenStream) -> TokenStream {
    if !attribute.block_keys().is_empty() {
        if whole_block::is_left_out(args) {
            return item;
        }
        if let Some(block) = whole_block::Block::parse(&item) {
            let mut diagnostics = Diagnostics::default();
            let expansion = whole_block::expand(attribute, args, block, &mut diagnostics);
            return if diagnostics.is_empty() { expansion } else { beside(diagnostics, item) };
        }
    }
    let stages = match attribute {
        Attribute::TrackedCommand => stages::<TrackedCommand>,
        Attribute::HealthCheck => stages::<HealthCheck>,
        Attribute::DqCheck => stages::<DqCheck>,
        Attribute::BqCost => stages::<BqCost>,
        Attribute::WithErrorTracking => stages::<WithErrorTracking>,
        Attribute::TrackPerformance => stages::<TrackPerformance>,
    };
    stages(attribute, args, item)
}

fn stages<M: Model>(attribute: Attribute, tokens: &TokenStream, untouched: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args = Args::parse(Vocabulary { attribute, on_block: false }, tokens.clone(), &mut diagnostics);
    let item = Item::parse(untouched.clone());
    let function = match &item.function {
        Ok(function) => function,
        Err(refusal) => {
            let runtime = RuntimePath::new(&args, &mut diagnostics);
            // All attributes on the item refuse it for the same reason; only the last one reports it.
            if !order::ours_follow(&item, &runtime) {
                diagnostics.add(refusal.clone());
            }
            return beside(diagnostics, untouched);
        }
    };
    let model = M::new(&args, function, &mut diagnostics);
    if let Some(other) = order::repeated(attribute, tokens, &item, &model.shared().runtime) {
        let message = "is on this function twice; remove one, or give it another `name`";
        diagnostics.at(&other.tokens, format!("`#[{}]` {message}", attribute.name()));
    }
    if !diagnostics.is_empty() {
        return beside(diagnostics, with_keys(&item, function, model.shared()));
    }
    // With `off` nothing wraps the function, so the order has no effect.
    if !cfg!(feature = "off")
        && let Some(reordered) =
            order::step_behind(attribute, tokens, &item, &model.shared().runtime, args.key("init").is_some())
    {
        return reordered;
    }
    let mut expansion = TokenStream::new();
    expansion.append_all(&item.attributes);
    model.expand(function).to_tokens(&mut expansion);
    expansion
}

/// The unchanged item, with the item that documents the keys for rust-analyzer: they may be half typed.
fn with_keys(item: &Item, function: &Function, shared: &SharedKeys) -> TokenStream {
    let mut body = function.body.inner_attributes.clone();
    body.extend(shared.documented.clone());
    body.extend(function.body.statements.clone());
    let mut tokens = TokenStream::new();
    tokens.append_all(&item.attributes);
    tokens.extend(function.head.clone());
    function.body.braces_around(body).to_tokens(&mut tokens);
    tokens
}

fn beside(diagnostics: Diagnostics, item: TokenStream) -> TokenStream {
    diagnostics.into_compile_errors().into_iter().chain(item).collect()
}
