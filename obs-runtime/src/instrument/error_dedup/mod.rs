//! One report for one error, however many annotated calls it passes.
//!
//! An error that leaves a call waits for the call around it. If that ends by the same error, it adds its layer, and the
//! error waits for the next one; if it ends in any other way, the error was handled there, and is reported. An error that
//! leaves the outermost call is reported at once, and so is everything that waits at a flush, at a signal, at the end of the
//! process, and after five seconds.
//!
//! Whether it is the same error follows from its fingerprint: by address, or by message if no annotated call has succeeded
//! since. In doubt it is another one: an error is rather reported twice than not at all.

pub(crate) mod pending_error;
pub(crate) mod propagation;
pub(crate) mod rate_limit;
pub(crate) mod registry;
