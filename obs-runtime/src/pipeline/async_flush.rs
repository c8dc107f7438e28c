//! Requests a flush from async code.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::thread;
use std::time::Instant;

use crate::context::current::Context;
use crate::events::panics::caught;
use crate::metrics::drop_counters;
use crate::pipeline::background_flush::Requested;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// Waits for a flush that runs on another thread, at most for `OBS_FLUSH_TIMEOUT`.
pub struct FlushWait {
    pipeline: Arc<dyn Pipeline>,
    flush: u64,
}

impl Future for FlushWait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        self.pipeline.background_flush().poll(self.flush, task)
    }
}

impl fmt::Debug for FlushWait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FlushWait").field("flush", &self.flush).finish_non_exhaustive()
    }
}

/// Flushes every exporter of the current pipeline on another thread. A later flush of the same pipeline waits for that.
pub fn flush_in_background() -> Option<FlushWait> {
    let pipeline = global::pipeline()?;
    let begun = Instant::now();
    let flush = match pipeline.background_flush().request(begun) {
        Requested::Later(flush) => flush,
        Requested::Run(flush) => {
            run(&pipeline, begun);
            flush
        }
    };
    Some(FlushWait { pipeline, flush })
}

fn run(pipeline: &Arc<dyn Pipeline>, mut begun: Instant) {
    let (context, working) = (Context::current(), Arc::clone(pipeline));
    let work = move || {
        let _inside = context.enter();
        loop {
            if caught(|| global::deliver(&*working, FlushMode::Ongoing(begun))).is_err() {
                drop_counters::count("flush", "panic", 1);
            }
            match working.background_flush().end() {
                Some(requested) => begun = requested,
                None => return,
            }
        }
    };
    if thread::Builder::new().name("obs-flush".to_owned()).spawn(work).is_err() {
        // A later flush does it.
        while pipeline.background_flush().end().is_some() {}
    }
}
