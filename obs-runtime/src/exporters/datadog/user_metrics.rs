//! The program's own metrics, from the macros of the `metrics` crate, kept for Datadog.
//!
//! Histograms use buckets: twenty for each power of ten. A value has an error below 13 %.

use std::sync::OnceLock;

use crate::exporters::aggregation::user_metrics::{Keeper, UserMetricRegistry};
use crate::exporters::datadog::names::EXPORTER;

/// Datadog does not get gauges that were never set.
pub static KEEPER: Keeper = Keeper::new(EXPORTER, |_| bounds(), f64::NAN);

/// Upper bounds of histograms of unknown unit: fine from 10⁻⁹ to 10¹⁵, coarse below zero.
pub fn bounds() -> &'static [f64] {
    static BOUNDS: OnceLock<Vec<f64>> = OnceLock::new();
    BOUNDS.get_or_init(|| {
        let power = |number: i32, each: i32| 10_f64.powf(f64::from(number) / f64::from(each));
        let negative = (-45..=75).rev().map(|number| -power(number, 5));
        negative.chain([0.0]).chain((-180..=300).map(|number| power(number, 20))).collect()
    })
}

/// The registry of this process.
pub fn registry() -> &'static UserMetricRegistry {
    static REGISTRY: OnceLock<UserMetricRegistry> = OnceLock::new();
    REGISTRY.get_or_init(|| UserMetricRegistry::new(&KEEPER))
}

#[cfg(test)]
mod tests {
    use metrics::{Key, Metadata, Recorder as _};

    use super::*;
    use crate::exporters::datadog::distribution::weighted_samples;
    use crate::metrics::snapshot::SeriesValue;

    #[test]
    fn bounds_ascend_by_less_than_13_percent() {
        let bounds = bounds();
        assert!(bounds.is_sorted_by(|left, right| left < right) && bounds.len() < 700);
        let positive: Vec<_> = bounds.iter().filter(|bound| **bound > 0.0).collect();
        assert!(positive.windows(2).all(|pair| pair[1] / pair[0] < 1.13));
    }

    #[test]
    fn observations_have_their_count_and_sum_also_when_negative() {
        let values = [-3.5, 0.0, 1e-12, 0.02, 7.0, 7.0, 1e20];
        KEEPER.set_enabled(true);
        let registry = UserMetricRegistry::new(&KEEPER);
        let metadata = Metadata::new("", metrics::Level::INFO, None);
        let observed = registry.register_histogram(&Key::from_name("rows"), &metadata);
        for value in values {
            observed.record(value);
        }
        observed.record(f64::NAN);
        let SeriesValue::Histogram { counts, sum } = registry.series().remove(0).value else { panic!("a histogram") };
        let samples = weighted_samples(bounds(), &counts, sum);
        assert_eq!(samples.iter().map(|sample| sample.count).sum::<u64>(), 7);
        assert!(samples[1].value.abs() < f64::MIN_POSITIVE, "{samples:?}");
        assert!(samples[0].value < -2.5 && samples[0].value >= -4.0, "{samples:?}");
        assert!((sum - values.iter().sum::<f64>()).abs() < 1.0);
    }
}
