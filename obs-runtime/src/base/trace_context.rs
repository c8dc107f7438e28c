//! W3C trace context: `traceparent` and the ids in it.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

/// Length of a `traceparent` of version 00, in bytes.
const LENGTH: usize = 55;

/// The flag of a sampled trace.
const SAMPLED: u8 = 0b01;

/// A flag that is never written: who has sent the trace has not decided whether it is sampled.
const UNDECIDED: u8 = 0b1000_0000;

/// The flags that version 00 defines: sampled, and random trace id.
const KNOWN_FLAGS: u8 = 0b11;

/// A trace and its current span. `Display` writes a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: NonZeroU128,
    span_id: NonZeroU64,
    flags: u8,
}

impl TraceContext {
    /// Starts a trace that is not sampled. If the correlation id is a UUID, its bits become the trace id, so that either
    /// can be found by the other.
    pub fn begin(correlation_id: Option<&str>) -> Self {
        let from_id =
            correlation_id.and_then(|id| uuid::Uuid::try_parse(id).ok()).and_then(|id| NonZeroU128::new(id.as_u128()));
        let fresh = || NonZeroU128::new(uuid::Uuid::now_v7().as_u128()).unwrap_or(NonZeroU128::MIN);
        let (_, random) = uuid::Uuid::now_v7().as_u64_pair();
        Self {
            trace_id: from_id.unwrap_or_else(fresh),
            span_id: NonZeroU64::new(random).unwrap_or(NonZeroU64::MIN),
            flags: 0,
        }
    }

    /// The span of these ids, not sampled; `None` if one of them is zero.
    pub fn of_ids(trace_id: [u8; 16], span_id: [u8; 8]) -> Option<Self> {
        let trace_id = NonZeroU128::new(u128::from_be_bytes(trace_id))?;
        Some(Self { trace_id, span_id: NonZeroU64::new(u64::from_be_bytes(span_id))?, flags: 0 })
    }

    /// A new span of the same trace, with the same flags.
    #[must_use]
    pub fn next(self) -> Self {
        Self { span_id: Self::begin(None).span_id, ..self }
    }

    /// The span of that id in the same trace, with the same flags; 0 is the current span.
    #[must_use]
    pub fn with_span(self, id: u64) -> Self {
        Self { span_id: NonZeroU64::new(id).unwrap_or(self.span_id), ..self }
    }

    /// The id of the span.
    pub const fn span(&self) -> u64 {
        self.span_id.get()
    }

    /// Whether both are of one trace.
    pub fn is_of_same_trace(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id
    }

    /// Sets the flag that tells other services whether the trace is sampled.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        Self { flags: self.flags & !(SAMPLED | UNDECIDED) | if sampled { SAMPLED } else { 0 }, ..self }
    }

    /// The same trace, without a decision whether it is sampled.
    #[must_use]
    pub const fn undecided(self) -> Self {
        Self { flags: self.flags & !SAMPLED | UNDECIDED, ..self }
    }

    /// The decision whether the trace is sampled, unless it is left to this process.
    pub const fn decision(&self) -> Option<bool> {
        if self.flags & UNDECIDED == 0 { Some(self.is_sampled()) } else { None }
    }

    /// Whether the trace is sampled.
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the trace belongs to a sample of the given rate, from 0 to 1. The answer depends on the trace id alone, so
    /// every process gives the same one.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a rate needs no more precision")]
    pub fn is_within(&self, share: f64) -> bool {
        // The low 32 bits of a UUID of version 7 are random; some of those above are a counter.
        const BITS: u32 = 32;
        let random = self.trace_id.get() as u64 & ((1 << BITS) - 1);
        (random as f64) < share * (1_u64 << BITS) as f64
    }

    /// Parses a `traceparent` of version 00, or the part of a later version that is compatible with it. Returns `None` for
    /// anything else.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let text = traceparent.trim_matches([' ', '\t']);
        let version = hexadecimal(text.get(..2)?)?;
        let longer = text.len() > LENGTH;
        if version == 0xff || longer && (version == 0 || text.as_bytes()[LENGTH] != b'-') {
            return None;
        }
        let mut parts = text.get(2..LENGTH)?.strip_prefix('-')?.split('-');
        let mut part = |length: usize| parts.next().filter(|part| part.len() == length).and_then(hexadecimal);
        let (trace_id, span_id, flags) = (part(32)?, part(16)?, part(2)?);
        let [flags, ..] = flags.to_le_bytes();
        Some(Self {
            trace_id: NonZeroU128::new(trace_id)?,
            span_id: NonZeroU64::new(u64::try_from(span_id).ok()?)?,
            flags: flags & KNOWN_FLAGS,
        })
    }

    /// The bytes of the trace id.
    #[cfg(feature = "otlp")]
    pub const fn trace_id_bytes(&self) -> [u8; 16] {
        self.trace_id.get().to_be_bytes()
    }

    /// The bytes of the span id.
    #[cfg(feature = "otlp")]
    pub const fn span_id_bytes(&self) -> [u8; 8] {
        self.span_id.get().to_be_bytes()
    }

    /// The flags.
    #[cfg(feature = "otlp")]
    pub const fn flags(&self) -> u8 {
        self.flags & KNOWN_FLAGS
    }

    /// The trace id as 32 hexadecimal digits.
    pub fn trace_id(&self) -> impl fmt::Display + use<> {
        Digits { number: self.trace_id.get(), width: 32 }
    }

    /// The span id as 16 hexadecimal digits.
    pub fn span_id(&self) -> impl fmt::Display + use<> {
        Digits { number: self.span_id.get().into(), width: 16 }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags & KNOWN_FLAGS)
    }
}

/// A number in lower-case hexadecimal digits, padded to a fixed width.
struct Digits {
    number: u128,
    width: usize,
}

impl fmt::Display for Digits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:0width$x}", self.number, width = self.width)
    }
}

/// Parses lower-case hexadecimal digits; `traceparent` does not allow upper case.
fn hexadecimal(digits: &str) -> Option<u128> {
    let lower_case = digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    lower_case.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_round_trips() {
        let trace = TraceContext::parse(EXAMPLE).unwrap();
        assert_eq!(trace.to_string(), EXAMPLE);
        assert_eq!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.span_id().to_string(), "00f067aa0ba902b7");
    }

    #[test]
    fn fields_of_later_versions_are_ignored() {
        for later in [
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            &format!("{}-what", EXAMPLE.replacen("00", "cc", 1)),
        ] {
            assert_eq!(TraceContext::parse(later).map(|trace| trace.to_string()).as_deref(), Some(EXAMPLE), "{later}");
        }
    }

    #[test]
    fn sampling_keeps_the_given_share_and_sets_the_flag() {
        let traces = || (0..2000).map(|_| TraceContext::begin(None));
        let share = traces().filter(|trace| trace.is_within(0.25)).count();
        assert!((350..650).contains(&share), "{share}");
        assert!(traces().all(|trace| trace.is_within(1.0) && !trace.is_within(0.0)));
        let trace = TraceContext::begin(None).with_sampled(true);
        assert!(trace.is_sampled() && trace.to_string().ends_with("-01") && !trace.with_sampled(false).is_sampled());
        assert_eq!(trace.next().trace_id, trace.trace_id);
        assert_ne!(trace.next().span_id, trace.span_id);
    }

    #[test]
    fn malformed_traceparents_are_rejected() {
        let wrong = [
            String::new(),
            "00".to_owned(),
            EXAMPLE.replace("-01", "-0"),
            format!("{EXAMPLE}-what"),
            format!("{}.what", EXAMPLE.replacen("00", "cc", 1)),
            EXAMPLE.replacen("00", "ff", 1),
            EXAMPLE.to_uppercase(),
            EXAMPLE.replace('-', "_"),
            EXAMPLE.replace("4bf9", "+bf9"),
            EXAMPLE.replace("-01", "-0ä"),
            EXAMPLE.replace("4bf9", "4bf-"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
        ];
        for traceparent in wrong {
            assert_eq!(TraceContext::parse(&traceparent), None, "{traceparent}");
        }
    }

    #[test]
    fn a_correlation_id_that_is_a_uuid_becomes_the_trace_id() {
        let trace = TraceContext::begin(Some("0193a5b2-7c4e-7d1a-8f00-0123456789ab"));
        assert_eq!(trace.trace_id().to_string(), "0193a5b27c4e7d1a8f000123456789ab");
        assert_eq!(TraceContext::parse(&trace.to_string()), Some(trace));
        for other in [None, Some("run-7"), Some("00000000-0000-0000-0000-000000000000")] {
            let (one, two) = (TraceContext::begin(other), TraceContext::begin(other));
            assert_ne!((one.trace_id, one.span_id), (two.trace_id, two.span_id));
        }
    }
}
