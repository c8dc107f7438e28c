//! The program's own metrics, from the macros of the `metrics` crate, kept for OTLP.

use std::sync::OnceLock;

use metrics::Unit;

use crate::exporters::aggregation::user_buckets::bounds;
use crate::exporters::aggregation::user_metrics::{Keeper, UserMetricRegistry};

/// The name of the exporter of metrics.
pub const NAME: &str = "otlp_metrics";

/// A gauge that was never set is 0, as in Prometheus.
pub static KEEPER: Keeper = Keeper::new(NAME, bounds, 0.0);

/// The registry of this process.
pub fn registry() -> &'static UserMetricRegistry {
    static REGISTRY: OnceLock<UserMetricRegistry> = OnceLock::new();
    REGISTRY.get_or_init(|| UserMetricRegistry::new(&KEEPER))
}

/// A unit as UCUM writes it. Numbers of things have none.
pub const fn ucum(unit: Option<Unit>) -> &'static str {
    match unit {
        None | Some(Unit::Count) => "",
        Some(Unit::Percent) => "%",
        Some(Unit::Seconds) => "s",
        Some(Unit::Milliseconds) => "ms",
        Some(Unit::Microseconds) => "us",
        Some(Unit::Nanoseconds) => "ns",
        Some(Unit::Tebibytes) => "TiBy",
        Some(Unit::Gibibytes) => "GiBy",
        Some(Unit::Mebibytes) => "MiBy",
        Some(Unit::Kibibytes) => "KiBy",
        Some(Unit::Bytes) => "By",
        Some(Unit::TerabitsPerSecond) => "Tbit/s",
        Some(Unit::GigabitsPerSecond) => "Gbit/s",
        Some(Unit::MegabitsPerSecond) => "Mbit/s",
        Some(Unit::KilobitsPerSecond) => "kbit/s",
        Some(Unit::BitsPerSecond) => "bit/s",
        Some(Unit::CountPerSecond) => "/s",
    }
}
