//! Has what the program and its libraries log by `tracing` come to the pipeline.

use std::sync::Once;

use tracing_core::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::interface::Topic;
use crate::pipeline::global;
use crate::pipeline::layer::filter::ObsFilter;
use crate::pipeline::layer::tracing_layer::ObsLayer;
use crate::pipeline::log_bridge;

/// The layer through which events of `tracing` reach obs, for a program that has a subscriber of its own. A program that
/// has none gets one from [`init_observability`](crate::init_observability), which takes further layers by
/// [`ObservabilityBuilder::layer`](crate::ObservabilityBuilder::layer). Either way each layer gets what its own filter lets
/// through: that of obs is `LOG_LEVEL` and concerns obs only.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let subscriber = tracing_subscriber::registry().with(obs_runtime::layer());
/// # let _ = subscriber;
/// ```
#[must_use]
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let enabled = |level: Level, logger: &str| global::wants(Topic::Log, level, logger);
    let filter = ObsFilter::new(enabled, || global::interest().least()).settled_while(global::has_no_scoped_pipeline);
    ObsLayer::new(hand_over).with_filter(filter)
}

fn hand_over(event: Event<'_>) {
    global::forward(Topic::Log, event);
}

/// A layer of the program's, on top of the registry that obs' own stands on.
pub type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Listens to `tracing` from now on, together with the program's layers. A program that has a subscriber of its own is told
/// how to have obs listen there.
pub fn listen(layers: Vec<BoxedLayer>) {
    static LISTENING: Once = Once::new();
    // An empty list of layers would say that nobody wants anything.
    let mut layers = Some(layers).filter(|layers| !layers.is_empty());
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(layers.take()).with(layer());
        if dispatcher::set_global_default(Dispatch::new(subscriber)).is_err() {
            global::warn(
                "the program has a tracing subscriber of its own: add obs_runtime::layer() to it to have its lines here"
                    .to_owned(),
            );
        }
        log_bridge::install();
    });
    if layers.is_some() {
        global::warn(
            "the builder's layers are left out: a process has one tracing subscriber, from its first init".to_owned(),
        );
    }
}
