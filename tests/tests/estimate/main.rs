//! Offline estimates of queries, over the shipped catalogue and small test tables.

mod catalogue;
mod clauses;
mod nested;
mod partitions;
mod precision;
mod published;
mod reference;
mod rules;
mod subqueries;
mod support;
mod syntax;
mod unknown;
