//! From observations counted by bucket to the values of a distribution.
//!
//! What is known of the observations since the last time is how many fell into each bucket, and their sum. Datadog wants
//! values. So each bucket is told by one value that lies in it, sent once with a sample rate that makes it count as often
//! as there were observations; and the values are chosen so that their sum is the sum of the observations. Hence in
//! Datadog:
//!
//! - count, sum and average are exact (to the last bit or two of a double);
//! - every percentile, minimum and maximum lies in the bucket in which it really was: it is off by less than the width of
//!   that bucket. Where all observations since the last time fell into one bucket, the value is their average;
//! - a single observation is told exactly, and so are up to 25 between two deliveries of what is no call: queries, prices,
//!   checks.

/// Observations of one bucket, all told by one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portion {
    /// Which bucket.
    pub bucket: usize,
    /// How many observations.
    pub count: u64,
    /// The value that each of them is told by.
    pub value: f64,
}

/// The portions of a histogram: `counts` by bucket, one more than there are `bounds`, and the `sum` of the observations.
pub fn portions(bounds: &[f64], counts: &[u64], sum: f64) -> Vec<Portion> {
    let mut portions: Vec<_> = counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(bucket, &count)| Portion { bucket, count, value: middle(range(bounds, bucket)) })
        .collect();
    if sum.is_finite() {
        meet(&mut portions, bounds, sum);
    }
    portions
}

/// One portion for each observation, where all that were counted are among the `recent` ones (oldest first).
pub fn exactly(bounds: &[f64], counts: &[u64], recent: &[f64]) -> Option<Vec<Portion>> {
    let new = usize::try_from(counts.iter().sum::<u64>()).ok()?;
    let recent = &recent[recent.len().checked_sub(new)?..];
    let portion = |&value: &f64| Portion { bucket: bounds.partition_point(|&bound| bound < value), count: 1, value };
    recent.iter().all(|value| value.is_finite()).then(|| recent.iter().map(portion).collect())
}

/// Where the observations of a bucket lie: above the first, up to the second.
fn range(bounds: &[f64], bucket: usize) -> (f64, f64) {
    let upper = bounds.get(bucket).copied().unwrap_or(f64::INFINITY);
    let lower = match bucket {
        0 => upper.min(0.0),
        // What is up to zero and above the last negative bound is zero: few things are measured that small.
        _ if upper == 0.0 => 0.0,
        _ => bounds[bucket - 1],
    };
    (lower, upper)
}

fn middle((lower, upper): (f64, f64)) -> f64 {
    if upper.is_infinite() { lower } else { f64::midpoint(lower, upper) }
}

/// Moves the values within their buckets until their sum is that of the observations.
fn meet(portions: &mut [Portion], bounds: &[f64], sum: f64) {
    let total = |portions: &[Portion], of: &dyn Fn(&Portion) -> f64| {
        portions.iter().map(|portion| times(portion.count, of(portion))).sum::<f64>()
    };
    let missing = sum - total(portions, &|portion| portion.value);
    let open = portions.last().is_some_and(|last| last.bucket == bounds.len());
    if missing > 0.0 && open {
        // What lies above all bounds has no upper end: all that is missing lies there.
        if let Some(last) = portions.last_mut() {
            last.value += missing / times(last.count, 1.0);
        }
    } else {
        // Between the lower ends and the middles, or between the middles and the upper ends.
        let between = |portion: &Portion| {
            let (lower, upper) = range(bounds, portion.bucket);
            let middle = middle((lower, upper));
            if missing > 0.0 { (middle, upper) } else { (lower, middle) }
        };
        let least = total(portions, &|portion| between(portion).0);
        let room = total(portions, &|portion| between(portion).1) - least;
        // A call that ends while its cell is read may be counted with its duration still missing.
        let share = if room > 0.0 { ((sum - least) / room).clamp(0.0, 1.0) } else { 0.0 };
        for portion in portions.iter_mut() {
            let (from, to) = between(portion);
            portion.value = from + share * (to - from);
        }
    }
    for portion in portions {
        // Rounding must not carry a value out of its bucket, whose lower end belongs to the bucket below.
        let (lower, upper) = range(bounds, portion.bucket);
        let least = if portion.bucket == 0 { lower } else { lower.next_up().min(upper) };
        portion.value = portion.value.clamp(least, upper);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn times(count: u64, value: f64) -> f64 {
    count as f64 * value
}

/// The sample rate that makes a value count so many times: whoever reads it takes the whole part of its inverse.
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

    /// A cheap source of numbers that look random.
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
            let portions = portions(bounds, &counts, sum);
            let told = portions.iter().map(|portion| times(portion.count, portion.value)).sum::<f64>();
            assert!((told - sum).abs() <= sum * 1e-12, "{told} for {sum} of {observed:?}");
            for portion in &portions {
                assert_eq!(bounds.partition_point(|&bound| bound < portion.value), portion.bucket, "{observed:?}");
            }
            let told = (0..counts.len()).map(|bucket| portions.iter().find(|portion| portion.bucket == bucket));
            assert!(told.map(|portion| portion.map_or(0, |portion| portion.count)).eq(counts));
        }
    }

    #[test]
    fn a_single_observation_is_told_exactly_and_many_of_one_bucket_by_their_average() {
        for value in [0.0, 2.5e-7, 0.0004, 0.001, 0.3, 7200.5, 1e6] {
            let (counts, sum) = counted(&SECONDS, &[value]);
            let told = portions(&SECONDS, &counts, sum)[0].value;
            assert!((told - value).abs() <= value * 1e-15, "{told} for {value}");
        }
        let (counts, sum) = counted(&SECONDS, &[0.3, 0.4, 0.5]);
        let portions = portions(&SECONDS, &counts, sum);
        assert!(portions.len() == 1 && (portions[0].value - 0.4).abs() < 1e-15, "{portions:?}");
    }

    #[test]
    fn what_is_remembered_is_told_as_it_was() {
        let recent = [9.0, 0.3, 0.3, 2.0];
        let counts = |observed: &[f64]| counted(&SECONDS, observed).0;
        let told = exactly(&SECONDS, &counts(&recent[1..]), &recent).unwrap();
        assert_eq!(
            told.iter().map(|portion| (portion.count, portion.value)).collect::<Vec<_>>(),
            [(1, 0.3), (1, 0.3), (1, 2.0)]
        );
        assert_eq!(exactly(&SECONDS, &counts(&[9.0, 9.0, 0.3, 0.3, 2.0]), &recent), None);
        assert_eq!(exactly(&SECONDS, &counts(&[1.0]), &[f64::NAN]), None);
        assert_eq!(exactly(&SECONDS, &counts(&[]), &recent), Some(Vec::new()));
    }

    #[test]
    fn a_sum_that_cannot_be_leaves_the_values_in_their_buckets() {
        for sum in [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e9] {
            for portion in portions(&SECONDS, &counted(&SECONDS, &[0.3, 2.0]).0, sum) {
                assert_eq!(SECONDS.partition_point(|&bound| bound < portion.value), portion.bucket, "{sum}");
            }
        }
        assert_eq!(portions(&SECONDS, &[0; 23], 0.0), []);
    }

    #[test]
    fn a_rates_inverse_has_the_count_as_its_whole_part() {
        let counts = (1..100_000).chain((0..50).map(|power| (1_u64 << power) + 1)).chain([1_000_000, 10_000_000]);
        for count in counts {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as the receivers do")]
            let read = (1.0 / format!("{}", rate(count)).parse::<f64>().unwrap()) as u64;
            assert_eq!(read, count);
        }
    }
}
