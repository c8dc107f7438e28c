//! Metric lines in DogStatsD's format, written by cadence.

use cadence::ext::{MetricValue, ToCounterValue};
use cadence::prelude::*;
use cadence::{Metric, MetricBuilder, MetricResult, NopMetricSink, StatsdClient};

use crate::exporters::datadog::delta_tracker::SeriesWriter;
use crate::exporters::datadog::distribution::{WeightedSample, rate};
use crate::exporters::datadog::events_and_service_checks::Sender;
use crate::exporters::datadog::names::Tags;

/// Formats lines with the sender's tags and container.
pub struct Writer(StatsdClient);

/// A counter's growth, which may be fractional.
struct Growth(f64);

impl ToCounterValue for Growth {
    fn try_to_value(self) -> MetricResult<MetricValue> {
        Ok(MetricValue::Float(self.0))
    }
}

impl Writer {
    /// A writer for this sender. It returns lines and sends nothing.
    pub fn new(sender: &Sender) -> Self {
        let mut client = StatsdClient::builder("", NopMetricSink);
        for (name, value) in &sender.constant {
            client = client.with_tag(name, value);
        }
        if let Some(container) = &sender.container {
            client = client.with_container_id(container);
        }
        Self(client.build())
    }
}

impl SeriesWriter for Writer {
    type Item = String;

    fn count(&self, name: &str, tags: &Tags, growth: f64) -> Option<String> {
        line(self.0.count_with_tags(name, Growth(growth)), tags)
    }

    fn gauge(&self, name: &str, tags: &Tags, value: f64) -> Option<String> {
        line(self.0.gauge_with_tags(name, value), tags)
    }

    fn distribution(&self, name: &str, tags: &Tags, samples: &[WeightedSample]) -> Option<String> {
        let count = samples.first()?.count;
        let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        let mut metric = self.0.distribution_with_tags(name, values);
        if count > 1 {
            metric = metric.with_sampling_rate(rate(count));
        }
        line(metric, tags)
    }
}

fn line<'m, T: Metric + From<String>>(mut metric: MetricBuilder<'m, '_, T>, tags: &'m Tags) -> Option<String> {
    for (name, value) in tags {
        metric = metric.with_tag(name, value);
    }
    // The sink is a no-op: sending cannot fail.
    metric.try_send().ok().map(|metric| metric.as_metric_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(container: Option<&str>) -> Writer {
        let constant = [("service", "etl"), ("env", "prod")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Writer::new(&Sender { constant: constant.into(), container: container.map(str::to_owned) })
    }

    #[test]
    fn a_line_has_name_value_kind_rate_tags_and_container() {
        let tags = vec![("operation".to_owned(), "load".to_owned())];
        let (plain, contained) = (writer(None), writer(Some("in-7")));
        assert_eq!(
            plain.count("bigquery.total_cost.usd", &tags, 0.0125).unwrap(),
            "bigquery.total_cost.usd:0.0125|c|#service:etl,env:prod,operation:load"
        );
        assert_eq!(plain.gauge("a", &Tags::new(), -2.0).unwrap(), "a:-2|g|#service:etl,env:prod");
        let sample = |count, value| WeightedSample { bucket: 0, count, value };
        assert_eq!(
            contained.distribution("d", &tags, &[sample(4, 0.25), sample(4, 7.0)]).unwrap(),
            "d:0.25:7|d|@0.25|#service:etl,env:prod,operation:load|c:in-7"
        );
        assert_eq!(
            plain.distribution("d", &tags, &[sample(1, 3e-9)]).unwrap().split('|').next(),
            Some("d:0.000000003")
        );
        assert_eq!(plain.distribution("d", &tags, &[]), None);
    }
}
