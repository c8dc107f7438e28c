//! What the estimator says of queries: of the shipped catalogue, and of small tables made for it.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod catalogue;
mod clauses;
mod figures;
mod nested;
mod partitions;
mod published;
mod subqueries;
mod support;
mod unknown;
