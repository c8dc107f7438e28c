use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::{Layer as _, Registry};

use super::*;
use crate::pipeline::layer::filter::ObsFilter;

type Lines = Arc<Mutex<Vec<String>>>;

fn line(event: &Event<'_>) -> String {
    let Fact::Log { message } = &event.fact else { panic!("{event:?}") };
    let mut event = event.clone();
    if let EventSpans::Raw(span) = &event.context.spans {
        event.context.spans = EventSpans::Redacted(span.redacted(0, |_| {}));
    }
    let fields = event.fields.iter().chain(event.span_fields().map(|(_, field)| field));
    let fields: Vec<_> = fields.map(|field| format!("{}={}", field.name, field.value)).collect();
    format!("{} {} {message} | {}", event.level, event.source.logger, fields.join(" "))
}

fn layer(lines: &Lines, least: Level) -> Filtered<ObsLayer, ObsFilter, Registry> {
    let lines = Arc::clone(lines);
    ObsLayer::new(move |event| lines.lock().unwrap().push(line(&event)))
        .with_filter(ObsFilter::new(move |level, target| level >= least && target != "noisy", move || Some(least)))
}

/// The lines that are logged, at DEBUG and above.
fn logged(run: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    with_default(tracing_subscriber::registry().with(layer(&lines, Level::Debug)), run);
    Arc::into_inner(lines).unwrap().into_inner().unwrap()
}

#[test]
fn an_event_has_its_message_fields_and_source() {
    let seen = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&seen);
    let layer = ObsLayer::new(move |event| {
        *kept.lock().unwrap() = Some((line(&event), event.source.line, event.source.file.map(Cow::into_owned)));
    });
    with_default(tracing_subscriber::registry().with(layer), || {
        tracing::warn!(target: "load", rows = 5_u64, left = -1, ratio = 0.5, done = true, table = "a", list = ?[1], "read {}", "all");
    });
    let (line, number, file) = seen.lock().unwrap().take().unwrap();
    assert_eq!(line, "WARNING load read all | rows=5 left=-1 ratio=0.5 done=true table=a list=[1]");
    assert_eq!((number, file.as_deref()), (Some(line!() - 4), Some(file!())));
}

#[test]
fn fields_of_spans_are_added_the_inner_first() {
    let lines = logged(|| {
        let outer = tracing::info_span!("outer", run = 1, table = "outer", step = tracing::field::Empty);
        let _outer = outer.enter();
        let inner = tracing::info_span!("inner", table = "inner", rows = 1, message = "not the event's");
        let _inner = inner.enter();
        outer.record("step", "first");
        outer.record("step", "second");
        tracing::info!(target: "t", rows = 5, "m");
        inner.record("rows", 7);
        tracing::info!(target: "t", "m");
    });
    assert_eq!(
        lines,
        [
            "INFO t m | rows=5 table=inner message=not the event's run=1 step=second",
            "INFO t m | table=inner rows=7 message=not the event's run=1 step=second"
        ]
    );
}

#[test]
fn a_message_need_not_be_a_text_and_further_ones_are_fields() {
    let lines = logged(|| {
        tracing::info!(target: "t", message = 42);
        tracing::info!(target: "t", message = true, "m");
    });
    assert_eq!(lines, ["INFO t 42 | ", "INFO t m | message=true"]);
}

#[test]
fn an_event_without_a_message_says_what_it_is() {
    let lines = logged(|| {
        let span = tracing::info_span!("load");
        span.in_scope(|| tracing::error!(target: "t", error = %"disk full"));
        span.in_scope(|| tracing::info!(target: "t", r#return = 7));
        tracing::info!(name: "order.placed", target: "t", id = 7);
    });
    assert_eq!(
        lines,
        [
            "ERROR t load failed: disk full | error=disk full",
            "INFO t load returned | return=7",
            "INFO t order.placed | id=7 event=order.placed"
        ]
    );
}

#[test]
fn a_value_that_panics_loses_neither_the_line_nor_the_other_fields() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("half a")?;
            panic!("in Debug")
        }
    }
    struct Fails;
    impl fmt::Debug for Fails {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let lines = logged(|| {
        tracing::info!(target: "t", a = 1, b = ?Panics, c = ?Fails, d = 2, "m");
        tracing::info!(target: "t", "{:?}", Panics);
    });
    assert_eq!(
        lines,
        [
            "INFO t m | a=1 b=<panicked while formatting> c=<could not be formatted> d=2",
            "INFO t <panicked while formatting> | "
        ]
    );
}

#[test]
fn an_error_has_its_sources() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot load")]
    struct Load(#[source] io::Error);
    use std::error::Error as AnyError;
    use std::io;
    let lines = logged(|| {
        let error = Load(io::Error::other("disk full"));
        tracing::error!(target: "t", error = &error as &dyn AnyError, "failed");
    });
    assert_eq!(lines, ["ERROR t failed | error=cannot load: disk full"]);
}

#[test]
fn a_handler_that_panics_leaves_the_layer_as_it_was() {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    let layer = ObsLayer::new(move |event| {
        kept.lock().unwrap().push(line(&event));
        assert!(event.level < Level::Error, "in the handler");
    });
    with_default(tracing_subscriber::registry().with(layer), || {
        assert!(std::panic::catch_unwind(|| tracing::error!(target: "t", "first")).is_err());
        tracing::info!(target: "t", "second");
    });
    assert_eq!(lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[1], "INFO t second | ");
}

struct Counts<'a>(&'a Mutex<u32>);
impl fmt::Debug for Counts<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
}

#[test]
fn what_is_disabled_is_not_even_formatted_and_other_layers_still_get_it() {
    #[derive(Clone, Default)]
    struct Other(Lines);
    impl<S: Subscriber> Layer<S> for Other {
        fn on_event(&self, event: &tracing_core::Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(event.metadata().level().to_string());
        }
    }
    let lines = Lines::default();
    let other = Other::default();
    let log_all = || {
        tracing::trace!(target: "t", "m");
        tracing::info!(target: "t", "m");
        tracing::error!(target: "noisy", "m");
    };
    with_default(tracing_subscriber::registry().with(layer(&lines, Level::Info)).with(other.clone()), log_all);
    assert_eq!(*lines.lock().unwrap(), ["INFO t m | "]);
    assert_eq!(*other.0.lock().unwrap(), ["TRACE", "INFO", "ERROR"]);

    let formatted = Mutex::new(0);
    with_default(tracing_subscriber::registry().with(layer(&lines, Level::Info)), || {
        tracing::debug!(value = ?Counts(&formatted), "m");
        tracing::error!(target: "noisy", value = ?Counts(&formatted), "m");
        assert_eq!(*formatted.lock().unwrap(), 0);
        tracing::info!(value = ?Counts(&formatted), "m");
    });
    assert_eq!(*formatted.lock().unwrap(), 1);
    let hint = Filter::<Registry>::max_level_hint(&ObsFilter::new(|_, _| true, || Some(Level::Critical)));
    assert_eq!(hint, Some(tracing_core::LevelFilter::ERROR));
}
