//! Connects `tracing` to the pipeline.

use std::sync::Once;

use tracing_core::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::events::log_span;
use crate::exporters::interface::Topic;
use crate::pipeline::global;
use crate::pipeline::layer::checked_layer::CheckedLayer;
use crate::pipeline::layer::filter::ObsFilter;
use crate::pipeline::layer::tracing_layer::{ObsLayer, take_has_second};
use crate::pipeline::log_bridge;
#[cfg(any(feature = "otlp", feature = "sentry"))]
use crate::pipeline::span_export::{span_layer, unfiltered_span_layer};

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
/// It has a filter of its own, so that what `LOG_LEVEL` excludes costs next to nothing. `tracing_subscriber` does not support such
/// layers everywhere: in a `reload::Layer` use [`unfiltered_layer`]. On `tracing_subscriber::fmt().finish()` this function returns the
/// unfiltered form by itself.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let subscriber = tracing_subscriber::registry().with(obs_runtime::layer());
/// # let _ = subscriber;
/// ```
#[must_use]
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    // `tracing_subscriber` panics there.
    if std::any::type_name::<S>().contains("tracing_subscriber::fmt::Subscriber<") {
        unfiltered_layers()
    } else {
        filtered_layers()
    }
}

/// Not put together by `and_then`, which on a registry takes the level of one of them for that of both.
type Layers<S> = Vec<Box<dyn Layer<S> + Send + Sync>>;

fn filtered_layers<S: Subscriber + for<'a> LookupSpan<'a>>() -> Layers<S> {
    let enabled = |level: Level, logger: &str| global::wants(Topic::Log, level, logger);
    let filter = ObsFilter::new(enabled, || global::interest().least()).cacheable_while(global::has_no_scoped_pipeline);
    let layer = ObsLayer::new(forward);
    let filter = filter.warns_unless_added(layer.is_added(), warn_of_reload);
    vec![
        Box::new(layer.with_filter(filter)),
        #[cfg(any(feature = "otlp", feature = "sentry"))]
        Box::new(span_layer()),
    ]
}

fn unfiltered_layers<S: Subscriber + for<'a> LookupSpan<'a>>() -> Layers<S> {
    let layer = CheckedLayer::new(ObsLayer::new(forward), |metadata| {
        let level = Level::from_tracing(*metadata.level());
        global::interest().least().is_some_and(|least| level >= Level::from_tracing(least.to_tracing()))
            && (metadata.is_span() && log_span::is_filtered_by_span()
                || global::wants(Topic::Log, level, metadata.target()))
    });
    vec![
        Box::new(layer),
        #[cfg(any(feature = "otlp", feature = "sentry"))]
        Box::new(unfiltered_span_layer()),
    ]
}

/// The same as [`layer`], without a filter of `tracing_subscriber`: it can be put into a `reload::Layer`, into an `Option` that is
/// replaced later, and on any subscriber that keeps spans. `LOG_LEVEL` applies all the same, but obs cannot tell `tracing` what it does
/// not want: every event of the program that no other layer filters costs some 50 ns.
///
/// The traits are exempt from semver, as those of [`layer`].
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
/// use tracing_subscriber::{fmt, reload};
///
/// let (layer, handle) = reload::Layer::new(obs_runtime::unfiltered_layer());
/// let subscriber = tracing_subscriber::registry().with(layer).with(fmt::layer());
/// # let _ = (subscriber, handle);
/// ```
#[must_use]
pub fn unfiltered_layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    unfiltered_layers()
}

fn forward(event: Event<'_>) {
    global::forward(Topic::Log, event);
}

fn warn_of_reload() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        global::warn_with_help(
            "missing-lines",
            "obs_runtime::layer() was put into a reload::Layer, which does not support its filter: use \
             obs_runtime::unfiltered_layer() there"
                .to_owned(),
        );
    });
}

/// A layer of the program, on the registry that obs installs.
pub type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Connects `tracing` and, unless the program does not want it, the `log` crate. The layers are the program's; none if the
/// subscriber is.
pub fn set_up(layers: Option<Vec<BoxedLayer>>, log_crate: bool) {
    let subscriber_is_ours = layers.is_some();
    if let Some(layers) = layers {
        install(layers);
    }
    warn_of_second_layer();
    if log_crate {
        install_log_bridge(subscriber_is_ours);
    }
}

/// Installs obs' subscriber, together with the program's layers. Warns a program that has a subscriber already how to add obs to
/// it.
fn install(layers: Vec<BoxedLayer>) {
    static INSTALLED: Once = Once::new();
    // An empty `Vec` of layers would disable every call site.
    let mut layers = Some(layers).filter(|layers| !layers.is_empty());
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(layers.take()).with(layer());
        let is_installed = dispatcher::set_global_default(Dispatch::new(subscriber)).is_ok();
        if !is_installed && !dispatcher::get_default(has_layer_of_obs) {
            global::warn_with_help("missing-lines", 
                "a tracing subscriber is installed already, and obs does not see its events: add obs_runtime::layer() to it"
                    .to_owned(),
            );
        }
    });
    if layers.is_some() {
        global::warn_with_help(
            "missing-lines",
            "the builder's layers are ignored: the process has a tracing subscriber from an earlier init".to_owned(),
        );
    }
}

fn has_layer_of_obs(dispatch: &Dispatch) -> bool {
    dispatch.is::<ObsLayer>() || dispatch.is::<CheckedLayer<ObsLayer>>()
}

/// Warns of a subscriber that has two layers of obs, of which the second does nothing.
fn warn_of_second_layer() {
    if take_has_second() {
        global::warn_with_help(
            "missing-lines",
            "obs_runtime::layer() is in the subscriber twice: the second one does nothing, remove it".to_owned(),
        );
    }
}

/// Installs the bridge from the `log` crate, unless the subscriber is the program's and not there yet: then its `init` may install one,
/// and would fail if there were another. Warns of a logger of another kind.
fn install_log_bridge(subscriber_is_ours: bool) {
    let is_there = subscriber_is_ours || dispatcher::get_default(has_layer_of_obs);
    let is_missing = if is_there { !log_bridge::install() } else { log_bridge::has_another_logger() };
    log_bridge::update_max_level();
    if is_missing {
        global::warn_with_help(
            "missing-lines",
            "a logger of the log crate is installed already, and obs does not see its records: remove it, or call \
             log_crate(false) on the builder"
                .to_owned(),
        );
    }
}
