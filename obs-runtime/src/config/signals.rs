//! What SIGTERM and SIGINT bring.

use std::fmt;

/// What obs does on SIGTERM and SIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signals {
    /// Ends running commands, and a program without a handler of its own, after a flush.
    End,
    /// Flushes, and leaves the end to the handler of the program, also while a command runs. A program without a handler is ended as with
    /// [`End`](Self::End).
    FlushOnly,
    /// Nothing.
    Off,
}

impl fmt::Display for Signals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::End => "true",
            Self::FlushOnly => "flush_only",
            Self::Off => "false",
        })
    }
}

impl From<bool> for Signals {
    fn from(handled: bool) -> Self {
        if handled { Self::End } else { Self::Off }
    }
}
