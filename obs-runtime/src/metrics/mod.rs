//! What is counted: families, cells, call sites, snapshots.

pub(crate) mod callsite;
pub(crate) mod cardinality;
pub mod catalogue;
pub(crate) mod cells;
pub(crate) mod delivery_stats;
pub(crate) mod drop_counters;
pub(crate) mod exemplars;
pub(crate) mod registry;
pub mod snapshot;
