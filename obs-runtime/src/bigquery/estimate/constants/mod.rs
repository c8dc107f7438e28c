//! Constant expressions: which they are, and their values.

#[cfg(feature = "bigquery-estimate")]
pub(crate) mod calls;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod fold;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod intervals;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod settings;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod value;
