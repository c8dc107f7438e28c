//! Turns records of the `log` crate into events of `tracing`.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ::log::kv::{self, Key, VisitSource, VisitValue};
use ::log::{Log, Metadata, Record};
use tracing_core::span::{Attributes, Id, Record as SpanRecord};
use tracing_core::{Dispatch, Event, LevelFilter, Subscriber, dispatcher};
use tracing_log::{AsLog as _, AsTrace as _, format_trace};

use crate::events::field::{Field, Value};
use crate::events::panics::caught;
use crate::pipeline::layer::log_values;

/// The most key-values of a record.
const MAX_VALUES: usize = 64;

/// The target by which [`is_bridged`] asks.
const PROBE: &str = "obs_runtime::probe";

/// The level that a bridge of the program's own has set; `usize::MAX` while obs has set none.
static OF_PROGRAM: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Whether the process' logger is the bridge of obs, so that its level is obs' to set.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The logger of obs.
struct Bridge;

impl Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level().as_trace() <= LevelFilter::current()
            && dispatcher::get_default(|dispatch| dispatch.enabled(&metadata.as_trace()))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut values = Values(Vec::new());
        if record.key_values().count() > 0 {
            // A value may panic while it is formatted. Those before it are kept.
            let _ = caught(|| record.key_values().visit(&mut values).is_ok());
        }
        // Fails for a record that is no event of `tracing` only.
        let _ = log_values::with(values.0, || format_trace(record));
    }

    fn flush(&self) {}
}

/// Collects the key-values of a record.
struct Values(Vec<Field<'static>>);

impl<'kvs> VisitSource<'kvs> for Values {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        if self.0.len() < MAX_VALUES {
            let mut found = Found(Value::from(false));
            value.visit(&mut found)?;
            self.0.push(Field::new(key.to_string(), found.0));
        }
        Ok(())
    }
}

struct Found(Value<'static>);

impl VisitValue<'_> for &mut Found {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.0 = Value::from(value.to_string());
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = Value::from(value);
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = Value::from(value);
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0 = Value::from(value);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = Value::from(value);
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.0 = Value::from(value.to_owned());
        Ok(())
    }
}

/// Installs the bridge. Returns whether records of the `log` crate become events of `tracing`: not if the program has a logger of
/// another kind.
pub fn install() -> bool {
    if ::log::set_logger(&Bridge).is_ok() {
        INSTALLED.store(true, Ordering::SeqCst);
    }
    update_max_level();
    is_bridged()
}

/// Whether the program has a logger, and it is no bridge to `tracing`.
pub fn has_another_logger() -> bool {
    ::log::max_level() != ::log::LevelFilter::Off && !is_bridged()
}

/// Sets the level of the `log` crate to that of the `tracing` subscriber, if the logger is a bridge. A bridge of the program's own
/// keeps at least the level that the program has given it.
pub fn update_max_level() {
    let wanted = LevelFilter::current().into_level();
    let wanted = wanted.map_or(::log::LevelFilter::Off, |level| level.as_log().to_level_filter());
    if INSTALLED.load(Ordering::SeqCst) {
        ::log::set_max_level(wanted);
    } else if is_bridged() {
        let now = ::log::max_level() as usize;
        let first =
            OF_PROGRAM.compare_exchange(usize::MAX, now, Ordering::SeqCst, Ordering::SeqCst).unwrap_or_else(|own| own);
        let own = ::log::LevelFilter::iter().find(|level| *level as usize == first).unwrap_or(::log::LevelFilter::Off);
        ::log::set_max_level(wanted.max(own));
    }
}

/// Whether the process' logger turns records into events of `tracing`: `tracing-log`'s, for example, which
/// `tracing_subscriber`'s `init` installs. A bridge asks the subscriber whether it wants a record.
fn is_bridged() -> bool {
    static IS_BRIDGED: AtomicBool = AtomicBool::new(false);
    static PROBING: OnceLock<Dispatch> = OnceLock::new();
    if INSTALLED.load(Ordering::SeqCst) || IS_BRIDGED.load(Ordering::SeqCst) {
        return true;
    }
    let probe = PROBING.get_or_init(|| Dispatch::new(Probe));
    ASKED.set(false);
    let metadata = Metadata::builder().level(::log::Level::Error).target(PROBE).build();
    dispatcher::with_default(probe, || ::log::logger().enabled(&metadata));
    let asked = ASKED.get();
    IS_BRIDGED.store(asked, Ordering::SeqCst);
    asked
}

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// A subscriber that notes whether it is asked about [`PROBE`], and wants nothing.
struct Probe;

impl Subscriber for Probe {
    fn enabled(&self, metadata: &tracing_core::Metadata<'_>) -> bool {
        if metadata.target() == PROBE {
            ASKED.set(true);
        }
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::ERROR)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &SpanRecord<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
