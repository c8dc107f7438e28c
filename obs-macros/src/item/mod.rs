//! The item under an attribute: a function, or a whole `impl`, `trait` or `mod`.

pub mod error_type;
pub mod function;
pub mod members;
pub mod order;
pub mod outer_attribute;
pub mod parameters;
pub mod return_type;
pub mod returned_future;
pub mod whole_block;
