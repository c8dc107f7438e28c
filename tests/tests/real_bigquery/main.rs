//! The tracked client against a real emulator with `GoogleSQL`'s own analyser, and Google's credentials.

mod agreement;
mod budgets;
mod credentials;
mod quality;
mod queries;
mod query_cost;
mod support;
mod tables;
