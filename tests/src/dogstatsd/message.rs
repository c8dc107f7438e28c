//! What a packet consists of.

use std::collections::BTreeMap;

/// One line of a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// `name:value|type|@rate|#tags|c:container`
    Metric(Metric),
    /// `_sc|name|status|d:time|#tags|c:container|m:message`
    ServiceCheck(ServiceCheck),
    /// `_e{title,text}:title|text|d:time|k:key|t:type|#tags|c:container`
    Event(Event),
}

/// Tags by name.
pub type Tags = BTreeMap<String, String>;

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// `c`, `g` or `d`.
    pub kind: String,
    /// Its value; a distribution may have several.
    pub values: Vec<f64>,
    /// Its sample rate, 1 by default.
    pub rate: f64,
    /// Its tags.
    pub tags: Tags,
    /// The container that it comes from.
    pub container: Option<String>,
}

/// A service check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceCheck {
    /// Its name.
    pub name: String,
    /// 0 to 3.
    pub status: u8,
    /// Seconds since 1970.
    pub time: Option<u64>,
    /// Its tags.
    pub tags: Tags,
    /// The container that it comes from.
    pub container: Option<String>,
    /// Its message.
    pub message: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Seconds since 1970.
    pub time: Option<u64>,
    /// Its aggregation key.
    pub key: Option<String>,
    /// `error`, `warning`, `info` or `success`.
    pub alert: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The container that it comes from.
    pub container: Option<String>,
}

impl Metric {
    /// How many observations it represents, as the agent counts them: for each value the integer part of the inverse of
    /// its sample rate.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn observations(&self) -> f64 {
        self.values.len() as f64 * (1.0 / self.rate).floor()
    }

    /// The sum of its observations.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.values.iter().sum::<f64>() * (1.0 / self.rate).floor()
    }
}
