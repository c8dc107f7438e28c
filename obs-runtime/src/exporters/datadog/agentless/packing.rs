//! Packs points and messages into requests that are within the limits of the API.

use crate::exporters::datadog::agentless::payload::{MAX_BYTES, Payload};
use crate::exporters::datadog::agentless::points::{Common, Point};
use crate::exporters::datadog::events_and_service_checks::Message;

/// The bytes of a request around its points.
const FRAME: usize = 64;

/// The most service checks of a request. Each has less than 10 kB.
const MAX_CHECKS: usize = 50;

/// Requests of all points, measured at that second since 1970. A request that does not compress enough is halved when it is sent.
pub fn points(points: Vec<Point>, common: &Common, at: u64) -> Vec<Payload> {
    let (distributions, series): (Vec<_>, Vec<_>) = points.into_iter().partition(Point::is_distribution);
    let series = full(series, common).into_iter().map(|points| Payload::Series(points, at));
    let distributions = distributions.into_iter().flat_map(Point::split).collect();
    let distributions = full(distributions, common).into_iter().map(|points| Payload::Distributions(points, at));
    series.chain(distributions).collect()
}

/// Groups that are as large as a request may be.
fn full(points: Vec<Point>, common: &Common) -> Vec<Vec<Point>> {
    let mut groups: Vec<Vec<Point>> = Vec::new();
    let mut bytes = MAX_BYTES;
    for point in points {
        let size = point.size(common) + 1;
        if bytes + size >= MAX_BYTES {
            groups.push(Vec::new());
            bytes = FRAME;
        }
        bytes += size;
        if let Some(group) = groups.last_mut() {
            group.push(point);
        }
    }
    groups
}

/// Requests of all service checks and events.
pub fn messages(messages: impl IntoIterator<Item = Message>) -> Vec<Payload> {
    let mut payloads = Vec::new();
    let mut checks = Vec::new();
    for message in messages {
        match message {
            Message::Check(check) => {
                checks.push(check);
                if checks.len() == MAX_CHECKS {
                    payloads.push(Payload::Checks(std::mem::take(&mut checks)));
                }
            }
            Message::Event(event) => payloads.push(Payload::Event(event)),
        }
    }
    if !checks.is_empty() {
        payloads.push(Payload::Checks(checks));
    }
    payloads
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;
    use crate::exporters::datadog::agentless::payload::MAX_COMPRESSED;
    use crate::exporters::datadog::agentless::points::PointWriter;
    use crate::exporters::datadog::delta_tracker::SeriesWriter as _;
    use crate::exporters::datadog::distribution::WeightedSample;

    fn common() -> Common {
        Common { tags: vec![("service".into(), "etl".into())], host: Some("box".into()), interval: 10 }
    }

    /// The bytes of a body without compression.
    fn decompressed(payload: &Payload) -> usize {
        let body = payload.body(&common()).unwrap();
        assert!(body.len() <= MAX_COMPRESSED, "{} bytes", body.len());
        ZlibDecoder::new(&body[..]).read_to_end(&mut Vec::new()).unwrap()
    }

    #[test]
    fn requests_of_many_observations_are_full_and_within_the_limits() {
        let sample = |value| WeightedSample { bucket: 0, count: 150_000, value };
        let distribution = PointWriter.distribution("d", &Vec::new(), &[sample(0.25), sample(1.0 / 3.0)]).unwrap();
        let payloads = points(vec![distribution], &common(), 1_800_000_000);
        let sizes: Vec<_> = payloads.iter().map(decompressed).collect();
        assert!(sizes.iter().all(|size| *size < MAX_BYTES), "{sizes:?}");
        assert_eq!(sizes.len(), 2, "{sizes:?}");
    }

    #[test]
    fn requests_of_many_series_are_within_the_limits() {
        let tags = |number: u32| vec![("zone".to_owned(), format!("ö{number}-{}", "x".repeat(150)))];
        let counts: Vec<_> = (0..30_000).filter_map(|number| PointWriter.count("a", &tags(number), 0.1)).collect();
        let payloads = points(counts, &common(), 1_800_000_000);
        let sizes: Vec<_> = payloads.iter().map(decompressed).collect();
        assert!(sizes.len() > 1 && sizes.iter().all(|size| *size < MAX_BYTES), "{sizes:?}");
        let of = |payload: &Payload| payload.lost();
        assert_eq!(payloads.iter().map(of).sum::<u64>(), 30_000);
    }
}
