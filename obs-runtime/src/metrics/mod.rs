//! Metrics: the catalogue of families, per-thread counters of call sites, and snapshots that exporters read. Recording does
//! not block; a snapshot is built when an exporter asks for it.

pub(crate) mod callsite;
pub(crate) mod cardinality;
pub mod catalogue;
pub(crate) mod cells;
pub(crate) mod delivery_stats;
pub(crate) mod drop_counters;
pub(crate) mod exemplars;
#[cfg(any(feature = "cli", feature = "otlp", feature = "prometheus"))]
pub(crate) mod objective_bounds;
pub(crate) mod process;
pub(crate) mod recent_calls;
pub(crate) mod registry;
pub mod snapshot;
