//! Words without dependencies: what the rest of the crate is written in.

#[cfg(unix)]
pub(crate) mod bounded_writer;
pub(crate) mod call_scope;
pub(crate) mod clock;
pub(crate) mod cron;
pub(crate) mod declaration;
#[cfg(feature = "testing")]
pub(crate) mod fake_clock;
pub(crate) mod ffi;
pub(crate) mod level;
pub(crate) mod outcome;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod shared_folder;
pub(crate) mod stack;
pub(crate) mod standard_streams;
pub(crate) mod task_id;
pub(crate) mod text;
pub(crate) mod trace_context;
pub(crate) mod trace_state;
