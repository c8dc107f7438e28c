//! Lines of metrics, as cadence writes them.

use cadence::ext::{MetricValue, ToCounterValue};
use cadence::prelude::*;
use cadence::{Metric, MetricBuilder, MetricResult, NopMetricSink, StatsdClient};

use crate::exporters::datadog::distribution::{Portion, rate};
use crate::exporters::datadog::events_and_service_checks::Sender;
use crate::exporters::datadog::names::Tags;

/// Writes lines, with what stands on every one of them.
pub struct Writer(StatsdClient);

/// A counter's growth, which need not be whole.
struct Growth(f64);

impl ToCounterValue for Growth {
    fn try_to_value(self) -> MetricResult<MetricValue> {
        Ok(MetricValue::Float(self.0))
    }
}

impl Writer {
    /// A writer on behalf of this sender. What it writes, nobody sends: who asks for a line gets it back.
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

    /// How much a counter grew.
    pub fn count(&self, name: &str, tags: &Tags, growth: f64) -> Option<String> {
        line(self.0.count_with_tags(name, Growth(growth)), tags)
    }

    /// What a gauge is at.
    pub fn gauge(&self, name: &str, tags: &Tags, value: f64) -> Option<String> {
        line(self.0.gauge_with_tags(name, value), tags)
    }

    /// Observations of portions that all count the same number.
    pub fn distribution(&self, name: &str, tags: &Tags, portions: &[Portion]) -> Option<String> {
        let count = portions.first()?.count;
        let values: Vec<f64> = portions.iter().map(|portion| portion.value).collect();
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
    // Nothing is sent, so nothing can fail.
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
        let portion = |count, value| Portion { bucket: 0, count, value };
        assert_eq!(
            contained.distribution("d", &tags, &[portion(4, 0.25), portion(4, 7.0)]).unwrap(),
            "d:0.25:7|d|@0.25|#service:etl,env:prod,operation:load|c:in-7"
        );
        assert_eq!(
            plain.distribution("d", &tags, &[portion(1, 3e-9)]).unwrap().split('|').next(),
            Some("d:0.000000003")
        );
        assert_eq!(plain.distribution("d", &tags, &[]), None);
    }
}
