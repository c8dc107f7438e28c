//! The program's own metrics, from the macros of the `metrics` crate, for `obs_runtime::metrics()`.

use std::sync::OnceLock;

use crate::exporters::aggregation::user_buckets::bounds;
use crate::exporters::aggregation::user_metrics::{Keeper, UserMetricRegistry};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{SeriesValue, UserMetric, UserMetricValue};

static KEEPER: Keeper = Keeper::new("metrics", bounds, 0.0);

/// The registry of this process.
pub fn registry() -> &'static UserMetricRegistry {
    static REGISTRY: OnceLock<UserMetricRegistry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        KEEPER.set_enabled(true);
        UserMetricRegistry::new(&KEEPER)
    })
}

/// The current values, sorted by name and labels.
pub fn metrics() -> Vec<UserMetric> {
    let mut series = registry().series();
    series.sort_by(|one, other| (&one.name, &one.labels).cmp(&(&other.name, &other.labels)));
    let one = |series: crate::exporters::aggregation::user_metrics::UserSeries| {
        let value = match series.value {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was an integer")]
            SeriesValue::Number(number) if series.kind == Kind::Counter => UserMetricValue::Counter(number as u64),
            SeriesValue::Number(number) => UserMetricValue::Gauge(number),
            SeriesValue::Histogram { counts, sum } => {
                UserMetricValue::Buckets { bounds: registry().bounds(&series.name), counts, sum }
            }
        };
        UserMetric { name: series.name, labels: series.labels, value }
    };
    series.into_iter().map(one).collect()
}
