//! Converts a histogram into values of a Datadog distribution.
//!
//! A histogram holds counts by bucket and a sum; a distribution takes values. Each bucket is sent as one value within it,
//! with a sample rate that gives it the weight of all observations in the bucket. The values are chosen so that their
//! weighted sum equals the histogram's sum. In Datadog:
//!
//! - count, sum and average are exact (up to the last bits of a double);
//! - each percentile, minimum and maximum is within its true bucket: the error is less than the bucket's width. If all
//!   observations since the last delivery fell into one bucket, the value is their average;
//! - a single observation is exact, and so are up to 25 observations between two deliveries of queries, prices and checks, and
//!   up to 32 calls of a function that took more than a millisecond.

/// Observations of one bucket, represented by one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedSample {
    /// The bucket's index.
    pub bucket: usize,
    /// The number of observations.
    pub count: u64,
    /// The value that represents each of them.
    pub value: f64,
}

/// The samples of a histogram with `counts` by bucket (one more than `bounds`) and the `sum` of all observations.
pub fn weighted_samples(bounds: &[f64], counts: &[u64], sum: f64) -> Vec<WeightedSample> {
    let mut samples: Vec<_> = counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(bucket, &count)| WeightedSample { bucket, count, value: middle(range(bounds, bucket)) })
        .collect();
    if sum.is_finite() {
        adjust_to_sum(&mut samples, bounds, sum);
    }
    samples
}

/// One sample for each observation, if the `recent` observations (oldest first) contain all that were counted. If they contain
/// all but those of the first bucket, these share one sample, so that the weighted sum is `sum`.
pub fn exact_samples(bounds: &[f64], counts: &[u64], sum: f64, recent: &[f64]) -> Option<Vec<WeightedSample>> {
    exact_from(0, bounds, counts, recent).or_else(|| {
        let mut samples = exact_from(1, bounds, counts, recent).filter(|samples| !samples.is_empty())?;
        let rest = (sum - samples.iter().map(|sample| sample.value).sum::<f64>()) / times(counts[0], 1.0);
        let value = rest.clamp(0.0, *bounds.first()?);
        samples.push(WeightedSample { bucket: 0, count: counts[0], value });
        Some(samples)
    })
}

/// One sample for each observation from a bucket on.
fn exact_from(first: usize, bounds: &[f64], counts: &[u64], recent: &[f64]) -> Option<Vec<WeightedSample>> {
    let new = usize::try_from(counts[first..].iter().sum::<u64>()).ok()?;
    let bucket = |value: f64| bounds.partition_point(|&bound| bound < value);
    let counted: Vec<f64> = recent.iter().copied().filter(|&value| bucket(value) >= first).collect();
    let newest = &counted[counted.len().checked_sub(new)?..];
    let samples: Vec<_> =
        newest.iter().map(|&value| WeightedSample { bucket: bucket(value), count: 1, value }).collect();
    let mut of_bucket = vec![0; counts.len()];
    for sample in &samples {
        of_bucket[sample.bucket] += 1;
    }
    let agrees = of_bucket[first..] == counts[first..] && newest.iter().all(|value| value.is_finite());
    agrees.then_some(samples)
}

/// The range of a bucket: above the first value, up to and including the second.
fn range(bounds: &[f64], bucket: usize) -> (f64, f64) {
    let upper = bounds.get(bucket).copied().unwrap_or(f64::INFINITY);
    let lower = match bucket {
        0 => upper.min(0.0),
        // Values between the last negative bound and zero are taken as zero.
        _ if upper == 0.0 => 0.0,
        _ => bounds[bucket - 1],
    };
    (lower, upper)
}

fn middle((lower, upper): (f64, f64)) -> f64 {
    if upper.is_infinite() { lower } else { f64::midpoint(lower, upper) }
}

/// Moves the values within their buckets so that their weighted sum is `sum`.
fn adjust_to_sum(samples: &mut [WeightedSample], bounds: &[f64], sum: f64) {
    let total = |samples: &[WeightedSample], of: &dyn Fn(&WeightedSample) -> f64| {
        samples.iter().map(|sample| times(sample.count, of(sample))).sum::<f64>()
    };
    let missing = sum - total(samples, &|sample| sample.value);
    let open = samples.last().is_some_and(|last| last.bucket == bounds.len());
    if missing > 0.0 && open {
        // The last bucket has no upper bound: it takes all that is missing.
        if let Some(last) = samples.last_mut() {
            last.value += missing / times(last.count, 1.0);
        }
    } else {
        // Between the lower bounds and the middles, or between the middles and the upper bounds.
        let between = |sample: &WeightedSample| {
            let (lower, upper) = range(bounds, sample.bucket);
            let middle = middle((lower, upper));
            if missing > 0.0 { (middle, upper) } else { (lower, middle) }
        };
        let least = total(samples, &|sample| between(sample).0);
        let width = total(samples, &|sample| between(sample).1) - least;
        // The sum can be too small: a call may be counted before its duration is added.
        let share = if width > 0.0 { ((sum - least) / width).clamp(0.0, 1.0) } else { 0.0 };
        for sample in samples.iter_mut() {
            let (from, to) = between(sample);
            sample.value = from + share * (to - from);
        }
    }
    for sample in samples {
        // Rounding must not move a value out of its bucket, which excludes its lower bound.
        let (lower, upper) = range(bounds, sample.bucket);
        let least = if sample.bucket == 0 { lower } else { lower.next_up().min(upper) };
        sample.value = sample.value.clamp(least, upper);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn times(count: u64, value: f64) -> f64 {
    count as f64 * value
}

/// The sample rate that gives a value the weight `count`. A receiver truncates the rate's inverse to an integer.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn rate(count: u64) -> f64 {
    let mut rate = 1.0 / count as f64;
    while (1.0 / rate) < count as f64 {
        rate = rate.next_down();
    }
    rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue::{SECONDS, USD};

    /// A xorshift generator of numbers in 0..=1.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }

    fn counted(bounds: &[f64], observed: &[f64]) -> (Vec<u64>, f64) {
        let mut counts = vec![0; bounds.len() + 1];
        for value in observed {
            counts[bounds.partition_point(|bound| bound < value)] += 1;
        }
        (counts, observed.iter().sum())
    }

    #[test]
    fn count_and_sum_are_exact_and_each_value_stays_in_its_bucket() {
        let mut numbers = Numbers(7);
        for round in 0..2000 {
            let bounds: &[f64] = if round % 2 == 0 { &SECONDS } else { &USD };
            let size = 1 + round % 40;
            let observed: Vec<f64> = (0..size).map(|_| 10_f64.powf(numbers.next() * 10.0 - 5.0)).collect();
            let (counts, sum) = counted(bounds, &observed);
            let samples = weighted_samples(bounds, &counts, sum);
            let sent = samples.iter().map(|sample| times(sample.count, sample.value)).sum::<f64>();
            assert!((sent - sum).abs() <= sum * 1e-12, "{sent} for {sum} of {observed:?}");
            for sample in &samples {
                assert_eq!(bounds.partition_point(|&bound| bound < sample.value), sample.bucket, "{observed:?}");
            }
            let sent = (0..counts.len()).map(|bucket| samples.iter().find(|sample| sample.bucket == bucket));
            assert!(sent.map(|sample| sample.map_or(0, |sample| sample.count)).eq(counts));
        }
    }

    #[test]
    fn a_single_observation_is_exact_and_many_of_one_bucket_are_their_average() {
        for value in [0.0, 2.5e-7, 0.0004, 0.001, 0.3, 7200.5, 1e6] {
            let (counts, sum) = counted(&SECONDS, &[value]);
            let sent = weighted_samples(&SECONDS, &counts, sum)[0].value;
            assert!((sent - value).abs() <= value * 1e-15, "{sent} for {value}");
        }
        let (counts, sum) = counted(&SECONDS, &[0.3, 0.4, 0.5]);
        let samples = weighted_samples(&SECONDS, &counts, sum);
        assert!(samples.len() == 1 && (samples[0].value - 0.4).abs() < 1e-15, "{samples:?}");
    }

    #[test]
    fn recent_observations_are_exact() {
        let recent = [9.0, 0.3, 0.3, 2.0];
        let counts = |observed: &[f64]| counted(&SECONDS, observed).0;
        let sent = exact_samples(&SECONDS, &counts(&recent[1..]), 2.6, &recent).unwrap();
        assert_eq!(
            sent.iter().map(|sample| (sample.count, sample.value)).collect::<Vec<_>>(),
            [(1, 0.3), (1, 0.3), (1, 2.0)]
        );
        assert_eq!(exact_samples(&SECONDS, &counts(&[9.0, 9.0, 0.3, 0.3, 2.0]), 20.6, &recent), None);
        assert_eq!(exact_samples(&SECONDS, &counts(&[1.0]), 1.0, &[f64::NAN]), None);
        assert_eq!(exact_samples(&SECONDS, &counts(&[]), 0.0, &recent), Some(Vec::new()));
    }

    #[test]
    fn slow_calls_are_exact_beside_fast_ones() {
        let slow: Vec<f64> = (26..36).map(|hundredths| f64::from(hundredths) / 100.0).collect();
        let (mut counts, sum) = counted(&SECONDS, &slow);
        counts[0] = 4;
        let sent = exact_samples(&SECONDS, &counts, sum + 0.002, &slow).unwrap();
        assert_eq!(sent[..10].iter().map(|sample| sample.value).collect::<Vec<_>>(), slow);
        assert!(sent.len() == 11 && sent[10].count == 4 && (sent[10].value - 0.0005).abs() < 1e-12, "{sent:?}");
        // A call that is counted and not recorded yet.
        counts[12] += 1;
        assert_eq!(exact_samples(&SECONDS, &counts, sum + 9.0, &slow), None);
        assert_eq!(exact_samples(&SECONDS, &counted(&SECONDS, &[9.0]).0, 9.0, &slow), None, "of another bucket");
    }

    #[test]
    fn an_impossible_sum_leaves_the_values_in_their_buckets() {
        for sum in [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e9] {
            for sample in weighted_samples(&SECONDS, &counted(&SECONDS, &[0.3, 2.0]).0, sum) {
                assert_eq!(SECONDS.partition_point(|&bound| bound < sample.value), sample.bucket, "{sum}");
            }
        }
        assert_eq!(weighted_samples(&SECONDS, &[0; 30], 0.0), []);
    }

    #[test]
    fn the_truncated_inverse_of_a_rate_is_the_count() {
        let counts = (1..100_000).chain((0..50).map(|power| (1_u64 << power) + 1)).chain([1_000_000, 10_000_000]);
        for count in counts {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as the receivers do")]
            let read = (1.0 / format!("{}", rate(count)).parse::<f64>().unwrap()) as u64;
            assert_eq!(read, count);
        }
    }
}
