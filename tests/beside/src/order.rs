//! The orders in which the layers of a program and obs are put together and initialised.

use std::str::FromStr;

use obs_runtime::{Guard, Observability, ObservabilityBuilder};
use tracing::Subscriber;
use tracing_subscriber::layer::{Identity, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, registry};

use crate::Result;

/// Where the layer of obs is, and when `init` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// obs is initialised first, and its layer is the first one of the program's subscriber.
    First,
    /// obs is initialised last, and its layer is the last one of the program's subscriber.
    Last,
    /// The program's layer is given to the builder of obs.
    Builder,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            "builder" => Ok(Self::Builder),
            other => Err(format!("{other} is no order")),
        }
    }
}

/// Layers of the program, on any subscriber.
pub trait Layers {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync;
}

/// No layer.
pub struct Nothing;

impl Layers for Nothing {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync {
        Identity::new()
    }
}

/// Installs a subscriber with the layers and that of obs, and initialises obs.
pub fn start(order: Order, layers: impl Layers) -> Result<Guard> {
    start_with(order, Observability::builder(), layers)
}

/// The same with a builder.
pub fn start_with(order: Order, builder: ObservabilityBuilder, layers: impl Layers) -> Result<Guard> {
    Ok(match order {
        Order::First => {
            let guard = builder.subscriber(false).init()?;
            registry().with(obs_runtime::layer()).with(layers.on()).init();
            guard
        }
        Order::Last => {
            registry().with(layers.on()).with(obs_runtime::layer()).init();
            builder.subscriber(false).init()?
        }
        Order::Builder => builder.layer(layers.on()).init()?,
    })
}
