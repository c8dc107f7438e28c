//! A limit holds while another thread settles what it reserved.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::*;
use crate::base::level::Level;
use crate::config::validated::Config;
use crate::context::on_enter::OnEnter;
use crate::events::event::{Event, Fact};
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic};
use crate::instrument::call::lifecycle;
use crate::metrics::callsite::Callsite;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global::ScopedPipeline;
use crate::redact::redactor::Redacted;

const TIB: u64 = 1 << 40;

/// Reserves a TiB on another thread as soon as it is handed a spend, and keeps whether that was refused.
#[derive(Default)]
struct Rival {
    context: Mutex<Option<Context>>,
    refused: Mutex<Vec<bool>>,
}

impl Rival {
    fn reserve(&self) {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let rival = std::thread::spawn(move || {
            let _inside = context.map(Context::enter);
            reserve_cost(TIB).map(CostReservation::cancel).is_err()
        });
        let refused = rival.join().unwrap_or(false);
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(refused);
    }
}

impl Exporter for Rival {
    fn name(&self) -> &'static str {
        "rival"
    }

    fn wants(&self, topic: Topic, _level: Level, _logger: &str) -> bool {
        topic == Topic::Fact
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        if matches!(&event.fact, Fact::Priced(price) if !price.estimate) {
            self.reserve();
        }
    }

    fn flush(&self, _deadline: Instant) -> Result<Flushed, FlushError> {
        Ok(Flushed::Nothing)
    }
}

/// A function under `#[bq_cost(max_usd = 10.0)]`.
fn limited(rival: &Rival, settle: impl FnOnce()) {
    static SITE: Callsite = Callsite::cost("limited", "", "", 0).max_usd(10.0);
    let mut call = SITE.begin();
    let _inside = scope::inside(&call).enter();
    *rival.context.lock().unwrap_or_else(PoisonError::into_inner) = Some(Context::current());
    settle();
    call.finish(None);
}

#[test]
fn a_reservation_during_a_settlement_sees_what_is_held_or_what_is_spent() {
    lifecycle::enable();
    let rival = Arc::<Rival>::default();
    let config = Config::default();
    let metrics = Arc::new(MetricAggregator::scoped(config.max_series));
    let scope = ScopedPipeline::new(
        Arc::new(FanOut::new(config, metrics, vec![Arc::clone(&rival) as _])),
        OnEnter::new(|| Box::new(())),
    );
    let _inside = scope.context().enter();
    let billed = QueryStatistics { bytes_billed: Some(TIB), ..QueryStatistics::default() };
    limited(&rival, || {
        let reservation = reserve_cost(TIB).unwrap();
        rival.reserve();
        reservation.settle(&billed);
        rival.reserve();
    });
    // Spent without a reservation.
    limited(&rival, || {
        crate::track_cost(&billed);
    });
    assert_eq!(*rival.refused.lock().unwrap(), [true; 4]);
}
