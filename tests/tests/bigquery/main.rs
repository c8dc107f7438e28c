//! The tracked client against a server that behaves, and fails, as Google documents: what the emulator does not do.

mod cancellation;
mod cost;
mod loads;
mod privacy;
mod retries;
mod sinks;
mod support;
mod ways;
