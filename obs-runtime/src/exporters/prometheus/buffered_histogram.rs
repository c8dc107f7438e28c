//! Observations of the program's histograms, kept until they are drained.
//!
//! `metrics-util` stores the observations of `metrics-exporter-prometheus` in blocks without a lock. A thread that has found a
//! block, but not yet reserved its place in it, writes to it after it was drained: the observation is lost. So threads write
//! here, and one thread at a time hands over what was written and then drains.

use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Histogram, HistogramFn};

/// The observations of a series that the exporter does not have yet.
struct Buffer {
    observations: Mutex<Vec<f64>>,
    exporter: Histogram,
}

impl HistogramFn for Buffer {
    fn record(&self, value: f64) {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    }
}

/// The buffers of all series.
#[derive(Default)]
pub struct BufferedHistograms(Mutex<Vec<Arc<Buffer>>>);

impl BufferedHistograms {
    /// A histogram that keeps its observations for the one of the exporter.
    pub fn buffered(&self, exporter: Histogram) -> Histogram {
        let buffer = Arc::new(Buffer { observations: Mutex::default(), exporter });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&buffer));
        Histogram::from_arc(buffer)
    }

    /// Hands all observations over, and then drains the exporter. No other thread does so at the same time.
    pub fn drain<T>(&self, drain: impl FnOnce() -> T) -> T {
        let buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for buffer in &*buffers {
            let observations = std::mem::take(&mut *buffer.observations.lock().unwrap_or_else(PoisonError::into_inner));
            for observation in observations {
                buffer.exporter.record(observation);
            }
        }
        drain()
    }
}

impl std::fmt::Debug for BufferedHistograms {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BufferedHistograms").finish_non_exhaustive()
    }
}
