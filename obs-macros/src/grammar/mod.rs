//! The arguments of the attributes: their grammar, their keys and the values that each key takes.

pub mod args;
pub mod arguments;
pub mod bytes;
pub mod cron;
pub mod diagnostics;
pub mod duration;
pub mod fields;
pub mod function_filter;
pub mod limit;
pub mod message;
pub mod objective;
pub mod row_limits;
pub mod runtime_path;
pub mod secret_names;
pub mod secret_words;
pub mod string_list;
pub mod thresholds;
pub mod values;
pub mod vocabulary;
