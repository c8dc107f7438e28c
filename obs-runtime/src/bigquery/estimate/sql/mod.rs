//! Which columns of which tables a query reads.

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
pub(crate) mod parse;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod pipes;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod query;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod reads;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod routines;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod rows;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod select;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod tokens;
