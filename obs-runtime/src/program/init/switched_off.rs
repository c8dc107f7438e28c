//! Initialisation while obs is off (`OBS_ENABLED=false`).

use std::sync::Arc;

use crate::config::filter::LogFilter;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::log_level::LogLevelHandle;
use crate::pipeline::subscriber::{self, BoxedLayer};
use crate::program::early_drop::EarlyDrop;
use crate::program::guard::Guard;

/// A guard that keeps nothing: its pipeline has no exporters and is not installed. The program's layers are.
pub fn guard(config: Config, settings: Vec<Setting>, layers: Option<Vec<BoxedLayer>>) -> Guard {
    if let Some(layers) = layers.filter(|layers| !layers.is_empty()) {
        subscriber::set_up(Some(layers), false);
    }
    let metrics = Arc::new(MetricAggregator::new(config.max_series));
    let pipeline = Arc::new(FanOut::new(config, metrics, Vec::new()).with_settings(settings));
    Guard {
        early_drop: EarlyDrop::watch(&pipeline),
        log_level: LogLevelHandle::new(SharedFilter::new(LogFilter::off())),
        self_checks: None,
        #[cfg(unix)]
        signals: None,
        #[cfg(unix)]
        hangup: None,
        #[cfg(feature = "prometheus")]
        server: None,
        pipeline,
    }
}
