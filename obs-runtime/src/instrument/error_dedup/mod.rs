//! One report for one error, however many annotated calls it passes.
//!
//! An error that leaves a call waits for the call around it. If that ends by the same error, it adds its layer, and the
//! error waits for the next one; if it ends in any other way, the error was handled there, and is reported. An error that
//! leaves the outermost call is reported at once, and so is everything that waits at a flush, at a signal, at the end of the
//! process, and after five seconds.
//!
//! Whether it is the same error follows from its fingerprint: by address, or by message if no annotated call has succeeded
//! since. In doubt it is another one: an error is rather reported twice than not at all.
//!
//! Each part has one task, and what it knows is known nowhere else:
//! - `events::fingerprint`: whether two errors are one;
//! - `base::call_scope`: which call an error waits for, on any thread, without a lock for calls that succeed;
//! - `pending_error`: what is known of an error by now, and that it is reported once;
//! - `propagation`: what happens to an error or a panic at the end of a call;
//! - `registry`: the errors that wait, for flushes, signals and exits;
//! - `rate_limit`: which errors are reported at all. An error over the limit still waits, so that it is not captured again.

pub(crate) mod pending_error;
pub(crate) mod propagation;
pub(crate) mod rate_limit;
pub(crate) mod registry;
