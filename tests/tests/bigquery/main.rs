//! The tracked client against a scripted server, for behaviour and failures that the emulator does not have.

mod alerts;
mod billing;
mod cancellation;
mod checks;
mod clients;
#[cfg(unix)]
mod editions;
mod ends;
mod exporter_privacy;
mod limits;
mod loads;
mod locations;
mod prices;
mod privacy;
mod requests;
mod retries;
mod rows;
mod support;
