//! What happens to the sinks at the end of a call.

/// Whether every sink is flushed when a call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndFlush {
    /// It is not.
    No,
    /// The call waits for the flush.
    Wait,
    /// The call does not wait for the flush.
    Background,
}
