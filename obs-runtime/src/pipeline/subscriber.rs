//! Connects `tracing` to the pipeline.

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
#[cfg(feature = "otlp")]
use crate::pipeline::span_export::span_layer;

/// A `tracing_subscriber` layer that sends the program's events to obs.
///
/// Add it to a subscriber that the program installs itself. A program without one gets a subscriber from
/// [`init_observability`](crate::init_observability); [`ObservabilityBuilder::layer`](crate::ObservabilityBuilder::layer)
/// adds further layers to that. `LOG_LEVEL` filters this layer only; other layers keep their own filters.
///
/// The traits are those of `tracing` 0.1 and `tracing_subscriber` 0.3. They are exempt from semver: obs may move to another
/// version of these crates, which are below 1.0, in a minor release.
///
/// With the feature `otlp`, spans from `TRACING_LEVEL` on are exported in the recorded trace in which they begin.
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
    let filter = ObsFilter::new(enabled, || global::interest().least()).cacheable_while(global::has_no_scoped_pipeline);
    let layer = ObsLayer::new(|event: Event<'_>| global::forward(Topic::Log, event)).with_filter(filter);
    #[cfg(feature = "otlp")]
    let layer = layer.and_then(span_layer());
    layer
}

/// A layer of the program, on the registry that obs installs.
pub type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Installs obs' subscriber, together with the program's layers, and the bridge from the `log` crate. Warns a program that
/// has a subscriber already how to add obs to it.
pub fn install(layers: Vec<BoxedLayer>) {
    static INSTALLED: Once = Once::new();
    // An empty `Vec` of layers would disable every call site.
    let mut layers = Some(layers).filter(|layers| !layers.is_empty());
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(layers.take()).with(layer());
        if dispatcher::set_global_default(Dispatch::new(subscriber)).is_err() {
            global::warn(
                "a tracing subscriber is installed already, and obs does not see its events: add obs_runtime::layer() to it"
                    .to_owned(),
            );
        }
        log_bridge::install();
    });
    if layers.is_some() {
        global::warn(
            "the builder's layers are ignored: the process has a tracing subscriber from an earlier init".to_owned(),
        );
    }
}
