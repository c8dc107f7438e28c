//! Which columns of which tables a query reads.
//!
//! `BigQuery` bills the columns that a query needs, each once however often the query names it;
//! a column that a subquery or `WITH` hands out and nobody takes is not read. So what a query
//! hands out carries what must be read for it ([`rows::Output`]), and what is read in any case,
//! as by `WHERE`, goes beside it ([`rows::Rows::always`]).
//!
//! One way: text → syntax tree → [`Rows`](rows::Rows) → [`Reads`].

#[cfg(feature = "bigquery-estimate")]
pub(crate) mod analyser;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod expr;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod filter;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod from;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod names;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod query;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod reads;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod rows;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod select;
