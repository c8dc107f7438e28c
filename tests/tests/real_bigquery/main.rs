//! The tracked client against a real emulator, with `GoogleSQL`'s own analyser; and with real credentials of no account.

mod credentials;
mod emulator;
mod query_cost;
mod tables;
