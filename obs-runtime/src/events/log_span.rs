//! The spans of `tracing` around an event. The names and fields of a span and of those around it are redacted once, and kept
//! until one of them records a value.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::events::field::Field;

/// How many of the outermost and how many of the innermost spans an event carries. Those between are left out: each span of a deep recursion
/// would keep all spans around it.
const MAX_OUTER: usize = 32;
const MAX_INNER: usize = 32;

/// A span of `tracing` that adds its name and its fields to events.
#[derive(Debug)]
pub struct LogSpan {
    name: &'static str,
    /// Larger than that of the spans around it.
    serial: u64,
    /// When it began, if its end is a line.
    begun: Option<Instant>,
    parent: Option<Arc<Self>>,
    /// How many spans are around it.
    depth: usize,
    /// Of a span with [`MAX_OUTER`] spans around it or more: the innermost one of the outermost ones.
    outer: Option<Arc<Self>>,
    /// In which it was created, or else that of the next span around it.
    context: Option<CreationContext>,
    fields: Mutex<Vec<Field<'static>>>,
    /// How often values were recorded.
    version: AtomicU64,
    redacted: ArcSwapOption<Cached>,
}

/// The context in which a span was created, which is of a type of the folder `context`.
pub type CreationContext = Arc<dyn Any + Send + Sync>;

#[derive(Debug)]
struct Cached {
    redactor: u64,
    version: u64,
    spans: Arc<RedactedSpans>,
}

/// A span and those around it, redacted.
#[derive(Debug)]
pub struct RedactedSpans {
    /// Each span, outermost first.
    pub spans: Vec<RedactedSpan>,
    /// The fields of all spans, innermost first. A field hides those of the same name of outer spans.
    pub fields: Vec<SpanField>,
    serialised: OnceLock<Box<[Serialised]>>,
}

/// A field as an exporter has written it: its key and the rest.
#[derive(Debug)]
pub struct Serialised {
    bytes: Box<[u8]>,
    key: usize,
}

impl Serialised {
    /// The key.
    pub fn key(&self) -> &[u8] {
        self.bytes.get(..self.key).unwrap_or_default()
    }

    /// What follows the key.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.key..).unwrap_or_default()
    }
}

/// A span.
#[derive(Debug)]
pub struct RedactedSpan {
    /// Its name.
    pub name: &'static str,
    /// Its fields.
    pub fields: Vec<Field<'static>>,
}

/// A field of a span.
#[derive(Debug)]
pub struct SpanField {
    /// The field.
    pub field: Field<'static>,
    /// The span's serial number.
    pub serial: u64,
}

/// The spans of an event.
#[derive(Clone, Debug, Default)]
pub enum EventSpans {
    /// None.
    #[default]
    None,
    /// The innermost one, before redaction.
    Raw(Arc<LogSpan>),
    /// All of them.
    Redacted(Arc<RedactedSpans>),
}

/// How [`current`] finds the span that is entered on this thread.
static FIND: OnceLock<fn() -> Option<Arc<LogSpan>>> = OnceLock::new();

/// Serial numbers of spans.
static SERIALS: AtomicU64 = AtomicU64::new(0);

/// Whether a filter asks for spans.
static IS_FILTERED_BY_SPAN: AtomicBool = AtomicBool::new(false);

/// Notes whether a new filter asks for spans. Once one has, all spans are kept.
pub fn note_filter(asks_for_spans: bool) {
    if asks_for_spans {
        IS_FILTERED_BY_SPAN.store(true, Ordering::SeqCst);
    }
}

/// Whether a filter may ask for spans.
pub fn is_filtered_by_span() -> bool {
    IS_FILTERED_BY_SPAN.load(Ordering::Relaxed)
}

/// Whether the end of a span is a line.
static TELLS_CLOSES: AtomicBool = AtomicBool::new(false);

/// Sets whether the end of a span is a line.
pub fn set_tells_closes(tells: bool) {
    TELLS_CLOSES.store(tells, Ordering::SeqCst);
}

/// Sets what finds the current span, once there is a span.
pub fn set_find(find: fn() -> Option<Arc<LogSpan>>) {
    if FIND.get().is_none() {
        let _ = FIND.set(find);
    }
}

/// The innermost span that is entered on this thread.
pub fn current() -> Option<Arc<LogSpan>> {
    FIND.get().and_then(|find| find())
}

/// The serial number of the innermost span that is entered on this thread; 0 if there is none.
pub fn current_serial() -> u64 {
    current().map_or(0, |span| span.serial)
}

impl LogSpan {
    /// A span with its first fields, created in a context.
    pub fn new(
        name: &'static str,
        parent: Option<Arc<Self>>,
        context: Option<CreationContext>,
        fields: Vec<Field<'static>>,
    ) -> Self {
        let around = parent.as_ref();
        let context = context.or_else(|| around?.context.clone());
        let depth = around.map_or(0, |parent| parent.depth + 1);
        let outer = around.and_then(|parent| match &parent.outer {
            Some(outer) => Some(Arc::clone(outer)),
            None => (depth == MAX_OUTER).then(|| Arc::clone(parent)),
        });
        // Not contended beyond what the creation of spans is: the registry of spans does the same.
        let serial = SERIALS.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            name,
            serial,
            begun: TELLS_CLOSES.load(Ordering::Relaxed).then(Instant::now),
            parent,
            depth,
            outer,
            context,
            fields: Mutex::new(fields),
            version: AtomicU64::new(0),
            redacted: ArcSwapOption::empty(),
        }
    }

    /// Its serial number, which is larger than that of the spans around it.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The context in which it was created, or else that of the next span around it.
    pub const fn context(&self) -> Option<&CreationContext> {
        self.context.as_ref()
    }

    /// How long ago it began, if its end is a line.
    pub fn age(&self) -> Option<Duration> {
        self.begun.map(|begun| begun.elapsed())
    }

    /// Sets fields.
    pub fn record(&self, recorded: Vec<Field<'static>>) {
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        for field in recorded {
            match fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => known.value = field.value,
                None => fields.push(field),
            }
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Whether this holds for the name and the fields of this span, or of one around it.
    pub fn any_around(&self, holds: impl Fn(&str, &[Field<'static>]) -> bool) -> bool {
        self.chain().any(|span| holds(span.name, &span.fields.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// This span and those around it, innermost first.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |span| span.parent.as_deref())
    }

    /// Those of them that an event carries, innermost first.
    fn told(&self) -> impl Iterator<Item = &Self> {
        let inner = self.chain().take_while(|span| span.outer.is_some()).take(MAX_INNER);
        inner.chain(self.outer.as_deref().unwrap_or(self).chain())
    }

    /// This span and those around it that an event carries, redacted by `redact`, which is that of the redactor of this id.
    pub fn redacted(&self, redactor: u64, redact: impl Fn(&mut Field<'static>)) -> Arc<RedactedSpans> {
        // Each version only grows, so that the sum changes with any of them.
        let version = self.told().fold(0_u64, |sum, span| sum.wrapping_add(span.version.load(Ordering::Acquire)));
        let cached = self.redacted.load();
        if let Some(cached) = cached.as_ref()
            && (cached.redactor, cached.version) == (redactor, version)
        {
            return Arc::clone(&cached.spans);
        }
        let mut spans: Vec<RedactedSpan> = Vec::new();
        let mut fields: Vec<SpanField> = Vec::new();
        for span in self.told() {
            let mut own = span.fields.lock().unwrap_or_else(PoisonError::into_inner).clone();
            own.iter_mut().for_each(&redact);
            let is_new = |field: &&Field<'_>| fields.iter().all(|known| known.field.name != field.name);
            let added: Vec<_> = own.iter().filter(is_new).cloned().collect();
            fields.extend(added.into_iter().map(|field| SpanField { field, serial: span.serial }));
            spans.push(RedactedSpan { name: span.name, fields: own });
        }
        spans.reverse();
        let spans = Arc::new(RedactedSpans { spans, fields, serialised: OnceLock::new() });
        self.redacted.store(Some(Arc::new(Cached { redactor, version, spans: Arc::clone(&spans) })));
        spans
    }
}

impl Drop for LogSpan {
    fn drop(&mut self) {
        // Not recursively, as spans can be nested deeply.
        let mut parent = self.parent.take();
        while let Some(mut span) = parent.and_then(Arc::into_inner) {
            parent = span.parent.take();
        }
    }
}

impl RedactedSpans {
    /// The name of the innermost span.
    pub fn name(&self) -> &'static str {
        self.spans.last().map_or("", |span| span.name)
    }

    /// Each of [`fields`](Self::fields) as `write` writes it, which is called once for each and returns the length of the key.
    pub fn serialised(&self, write: impl Fn(&Field<'_>, &mut Vec<u8>) -> usize) -> &[Serialised] {
        self.serialised.get_or_init(|| {
            let each = |field: &SpanField| {
                let mut bytes = Vec::new();
                let key = write(&field.field, &mut bytes);
                Serialised { bytes: bytes.into_boxed_slice(), key }
            };
            self.fields.iter().map(each).collect()
        })
    }
}

impl EventSpans {
    /// The spans that are entered on this thread.
    pub fn current() -> Self {
        current().map_or(Self::None, Self::Raw)
    }

    /// The innermost one, before redaction.
    pub fn innermost(&self) -> Option<&LogSpan> {
        match self {
            Self::Raw(span) => Some(span),
            Self::None | Self::Redacted(_) => None,
        }
    }

    /// All of them; `None` if there is none, or before redaction.
    pub fn redacted(&self) -> Option<&RedactedSpans> {
        match self {
            Self::Redacted(spans) => Some(spans),
            Self::None | Self::Raw(_) => None,
        }
    }
}

impl PartialEq for EventSpans {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Raw(one), Self::Raw(other)) => Arc::ptr_eq(one, other),
            (Self::Redacted(one), Self::Redacted(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::field::Value;

    fn span(parent: Option<Arc<LogSpan>>, fields: &[(&'static str, u64)]) -> Arc<LogSpan> {
        let fields = fields.iter().map(|(name, value)| Field::new(*name, *value)).collect();
        Arc::new(LogSpan::new("span", parent, None, fields))
    }

    fn shown(spans: &RedactedSpans) -> Vec<String> {
        spans.fields.iter().map(|field| format!("{}={}", field.field.name, field.field.value)).collect()
    }

    #[test]
    fn the_fields_of_spans_are_redacted_once_until_one_records() {
        let calls = std::cell::Cell::new(0);
        let redact = |field: &mut Field<'static>| {
            calls.set(calls.get() + 1);
            if field.name == "token" {
                field.value = Value::from("[REDACTED]");
            }
        };
        let outer = span(None, &[("a", 1), ("b", 2)]);
        let inner = span(Some(Arc::clone(&outer)), &[("b", 3), ("token", 4)]);
        assert_eq!(shown(&inner.redacted(1, redact)), ["b=3", "token=[REDACTED]", "a=1"]);
        inner.redacted(1, redact);
        assert_eq!(calls.get(), 4);
        outer.record(vec![Field::new("a", 5_u64), Field::new("c", 6_u64)]);
        assert_eq!(shown(&inner.redacted(1, redact)), ["b=3", "token=[REDACTED]", "a=5", "c=6"]);
        assert_eq!(shown(&inner.redacted(2, |_| {})), ["b=3", "token=4", "a=5", "c=6"]);
    }

    #[test]
    fn a_span_that_records_for_ever_stays_small() {
        let span = span(None, &[("a", 1)]);
        for step in 0..1000 {
            span.record(vec![Field::new("step", format!("{step:0100}"))]);
        }
        assert_eq!(shown(&span.redacted(1, |_| {})), ["a=1".to_owned(), format!("step={:0100}", 999)]);
    }

    #[test]
    fn an_event_is_told_of_the_outermost_and_the_innermost_spans() {
        let context: CreationContext = Arc::new(7_u8);
        let root = LogSpan::new("root", None, Some(Arc::clone(&context)), vec![Field::new("request", "a")]);
        let mut innermost = Arc::new(root);
        for depth in 1..1000 {
            innermost = span(Some(innermost), &[("depth", depth)]);
            let told = innermost.redacted(1, |_| {});
            let count = usize::try_from(depth).unwrap() + 1;
            assert_eq!(told.spans.len(), count.min(MAX_OUTER + MAX_INNER));
            assert_eq!(
                (told.spans[0].name, shown(&told)),
                ("root", vec![format!("depth={depth}"), "request=a".to_owned()])
            );
            assert!(innermost.context().is_some_and(|known| Arc::ptr_eq(known, &context)));
        }
    }

    #[test]
    fn deeply_nested_spans_are_dropped_without_recursion() {
        let mut innermost = span(None, &[]);
        for _ in 0..200_000 {
            innermost = span(Some(innermost), &[]);
        }
        drop(innermost);
    }
}
