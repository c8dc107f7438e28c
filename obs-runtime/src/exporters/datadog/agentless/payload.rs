//! The bodies of requests.

use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;

use crate::exporters::datadog::agentless::points::{Common, Point, PointJson, TagTexts};
use crate::exporters::datadog::events_and_service_checks::{CommandFailed, SERVICE_CHECK, ServiceCheck};

/// The most bytes of a request that the API documents: as it is sent, and without compression.
pub const MAX_COMPRESSED: usize = 512_000;
pub const MAX_BYTES: usize = 5_242_880;

/// The body of one request.
#[derive(Debug)]
pub enum Payload {
    /// Counters and gauges, at that second since 1970.
    Series(Vec<Point>, u64),
    /// Histograms, at that second since 1970.
    Distributions(Vec<Point>, u64),
    /// Service checks.
    Checks(Vec<ServiceCheck>),
    /// The API takes one event in a request.
    Event(Box<CommandFailed>),
}

/// `MetricPayload` and `DistributionPointsPayload`.
#[derive(Serialize)]
struct Points<'p> {
    series: Vec<PointJson<'p>>,
}

/// `ServiceCheck`.
#[derive(Serialize)]
struct CheckJson<'p> {
    check: &'static str,
    host_name: &'p str,
    status: u8,
    tags: TagTexts<'p>,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'p str>,
}

/// `EventCreateRequest`.
#[derive(Serialize)]
struct Event<'p> {
    title: &'p str,
    text: &'p str,
    date_happened: u64,
    aggregation_key: &'p str,
    alert_type: &'static str,
    tags: TagTexts<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'p str>,
}

impl Payload {
    /// The path of the request.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::Series(..) => "/api/v2/series",
            Self::Distributions(..) => "/api/v1/distribution_points",
            Self::Checks(_) => "/api/v1/check_run",
            Self::Event(_) => "/api/v1/events",
        }
    }

    /// Whether the body is compressed with zlib, `Content-Encoding: deflate`. The path of events takes plain JSON only.
    pub const fn is_compressed(&self) -> bool {
        !matches!(self, Self::Event(_))
    }

    /// How many points, checks and events are lost with it. The next delivery sends a gauge again.
    pub fn lost(&self) -> u64 {
        let lost = match self {
            Self::Series(points, _) | Self::Distributions(points, _) => {
                points.iter().filter(|point| !point.is_gauge()).count()
            }
            Self::Checks(checks) => checks.len(),
            Self::Event(_) => 1,
        };
        lost as u64
    }

    /// About the bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        // Texts have 1000 characters at most.
        const MESSAGE: usize = 2000;
        match self {
            Self::Series(points, _) | Self::Distributions(points, _) => points.iter().map(Point::memory).sum(),
            Self::Checks(checks) => checks.len() * MESSAGE,
            Self::Event(_) => MESSAGE,
        }
    }

    /// Two halves; none if it has a single item.
    pub fn halves(self) -> Result<[Self; 2], Self> {
        fn halve<T>(mut items: Vec<T>) -> [Vec<T>; 2] {
            let rest = items.split_off(items.len() / 2);
            [items, rest]
        }
        match self {
            Self::Series(points, at) if points.len() > 1 => Ok(halve(points).map(|points| Self::Series(points, at))),
            Self::Distributions(points, at) if points.len() > 1 => {
                Ok(halve(points).map(|points| Self::Distributions(points, at)))
            }
            Self::Checks(checks) if checks.len() > 1 => Ok(halve(checks).map(Self::Checks)),
            single => Err(single),
        }
    }

    /// The body as it is sent.
    ///
    /// # Errors
    /// Never: writing to memory does not fail.
    pub fn body(&self, common: &Common) -> io::Result<Vec<u8>> {
        if !self.is_compressed() {
            let mut body = Vec::new();
            self.write(common, &mut body)?;
            return Ok(body);
        }
        // JSON is written a few bytes at a time, and each write to the encoder has a cost.
        let mut body = BufWriter::new(ZlibEncoder::new(Vec::new(), Compression::fast()));
        self.write(common, &mut body)?;
        body.into_inner()?.finish()
    }

    fn write(&self, common: &Common, body: &mut impl Write) -> io::Result<()> {
        let host = common.host.as_deref();
        let written = match self {
            Self::Series(points, at) | Self::Distributions(points, at) => {
                let series = points.iter().map(|point| point.json(common, *at)).collect();
                serde_json::to_writer(body, &Points { series })
            }
            Self::Checks(checks) => {
                let checks = checks.iter().map(|check| CheckJson {
                    check: SERVICE_CHECK,
                    // Required, also if it is not known.
                    host_name: host.unwrap_or_default(),
                    status: check.status,
                    tags: TagTexts(&common.tags, &check.tags),
                    timestamp: check.time,
                    message: check.message.as_deref(),
                });
                serde_json::to_writer(body, &checks.collect::<Vec<_>>())
            }
            Self::Event(event) => {
                let event = Event {
                    title: &event.title,
                    text: &event.text,
                    date_happened: event.time,
                    aggregation_key: &event.key,
                    alert_type: event.alert,
                    tags: TagTexts(&common.tags, &event.tags),
                    host,
                };
                serde_json::to_writer(body, &event)
            }
        };
        written.map_err(io::Error::from)
    }
}
