//! Sends events as log records by OTLP: those of which lines are written at `LOG_LEVEL`.
//!
//! A bounded queue decouples the program from the server; the worker's thread sends what is in it.

use std::fmt;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use crate::base::level::Level;
use crate::config::sampling::LogSampling;
use crate::events::event::Event;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic, a_little_before};
use crate::exporters::log::sampler::Sampler;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::exporters::otlp::client::OtlpClient;
use crate::exporters::otlp::exporter::OnDelivery;
use crate::exporters::otlp::log_records;
use crate::exporters::otlp::log_records::Record;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::sending::Sending;
use crate::exporters::otlp::worker::{DROP_REASONS, Left, Worker};
use crate::redact::redactor::Redacted;

/// The exporter's name.
pub const NAME: &str = "otlp_logs";

/// Sends log records.
pub struct LogsExporter {
    worker: Worker<Record>,
    filter: SharedFilter,
    sampler: Option<Sampler>,
    url: String,
}

impl LogsExporter {
    /// An exporter that sends what the filter enables by that client. `on_delivery` gets the result of each request.
    /// `sampling` is that of log lines.
    pub fn new(
        client: OtlpClient,
        resource: Resource,
        filter: SharedFilter,
        sampling: Option<LogSampling>,
        on_delivery: OnDelivery,
    ) -> Self {
        let url = client.url().to_owned();
        let size = |record: &Record| record.record.encoded_len();
        let worker = Worker::new(NAME, size, move |records: &[Record], deadline| {
            let begun = Instant::now();
            let sending = Sending::begin();
            let result = send(&client, &resource, records, deadline);
            drop(sending);
            // Without their number: a reason that is new is warned of, and a warning is one more record.
            let reason =
                |rejection: &Rejection| format!("log records not sent: {}", rejection.reason(client.url(), "LOGS"));
            on_delivery(begun.elapsed(), result.as_ref().copied().map_err(reason));
            result
        });
        Self { worker, filter, sampler: sampling.map(Sampler::new), url }
    }
}

fn send(
    client: &OtlpClient,
    resource: &Resource,
    records: &[Record],
    deadline: Option<Instant>,
) -> Result<(), Rejection> {
    let mut scope_logs: Vec<ScopeLogs> = Vec::new();
    for Record { logger, record } in records {
        let is_same = |logs: &&mut ScopeLogs| logs.scope.as_ref().is_some_and(|scope| scope.name == *logger);
        if let Some(logs) = scope_logs.iter_mut().find(is_same) {
            logs.log_records.push(record.clone());
            continue;
        }
        let scope = InstrumentationScope { name: logger.clone(), ..InstrumentationScope::default() };
        let log_records = vec![record.clone()];
        scope_logs.push(ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() });
    }
    let resource_logs = ResourceLogs { resource: Some(resource.clone()), scope_logs, ..ResourceLogs::default() };
    let request = ExportLogsServiceRequest { resource_logs: vec![resource_logs] };
    client.export(&request, deadline)
}

impl Exporter for LogsExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        match topic {
            Topic::Call | Topic::Log | Topic::Fact => !Sending::is_here() && self.filter.enables(level, logger),
            // The record was made when the error was captured.
            Topic::Report => false,
        }
    }

    fn least_level(&self) -> Option<Level> {
        self.filter.least()
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let left_out = self.sampler.as_ref().map_or(Some(0), |sampler| sampler.sample(event));
        if let Some(left_out) = left_out {
            self.worker.send(vec![log_records::of_event(event, left_out)]);
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        if let Some(sampler) = &self.sampler {
            sampler.take_left_out(|event, left_out| {
                // The filter may have changed since.
                if self.filter.enables(event.level, &event.source.logger) {
                    self.worker.send(vec![log_records::of_event(event, left_out)]);
                }
            });
        }
        let Left { items, is_reported } = self.worker.flush(a_little_before(deadline));
        if items == 0 || is_reported {
            // Each request was recorded when the server answered.
            return Ok(Flushed::Nothing);
        }
        let reason = format!(
            "log records not sent to {}: no answer in time (OBS_FLUSH_TIMEOUT); is it the URL of a collector \
             (OTEL_EXPORTER_OTLP_ENDPOINT), and can this machine reach it?",
            self.url
        );
        Err(FlushError { sink: NAME, reason })
    }

    fn close(&self) {
        self.worker.close();
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &DROP_REASONS
    }

    fn queued(&self) -> usize {
        self.worker.queued()
    }
}

impl fmt::Debug for LogsExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker: _, filter, sampler: _, url } = self;
        formatter.debug_struct("LogsExporter").field("filter", filter).field("url", url).finish_non_exhaustive()
    }
}
