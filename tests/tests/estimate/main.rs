//! Offline estimates of queries, over the shipped catalogue and small test tables.

mod catalogue;
mod clauses;
mod nested;
mod partitions;
mod precision;
mod published;
mod subqueries;
mod support;
mod unknown;
