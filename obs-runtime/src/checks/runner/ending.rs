//! How running a check ended.

use std::time::Duration;

/// How running a check ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending<V> {
    /// It gave its verdict.
    Done(V),
    /// It panicked, with these words.
    Panicked(String),
    /// It was not done in time. A function that cannot be stopped is left behind on its thread.
    TimedOut,
    /// It was not run, because an earlier call of it has not ended yet, since that long.
    Hung(Duration),
    /// It could not be run.
    NotStarted(String),
}

/// How a check ended, and in which circumstances.
#[derive(Clone, Debug)]
pub struct Ended<V> {
    /// How.
    pub ending: Ending<V>,
    /// How long it took.
    pub took: Duration,
    /// How long it might have taken.
    pub timeout: Duration,
    /// Which call of the check it was, the same for all runs that shared it; 0 when there was none.
    pub flight: u64,
}

impl<V> Ended<V> {
    /// Its value, or in words why there is none.
    pub fn value(self) -> Result<V, String> {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        Err(match self.ending {
            Ending::Done(value) => return Ok(value),
            Ending::Panicked(words) => format!("panicked: {words}"),
            Ending::TimedOut => format!("no answer within {}", time(self.timeout)),
            Ending::Hung(since) => {
                let since = time(Duration::from_secs(since.as_secs()));
                format!("not started: an earlier call has been running for {since}")
            }
            Ending::NotStarted(why) => format!("could not be started: {why}"),
        })
    }
}
