//! Sentry's own headers for the propagation of traces: `sentry-trace` and `baggage`.

use crate::base::trace_context::TraceContext;

pub const TRACE_HEADER: &str = "sentry-trace";
pub const TRACE_VARIABLE: &str = "SENTRY_TRACE";
pub const BAGGAGE_HEADER: &str = "baggage";
pub const BAGGAGE_VARIABLE: &str = "SENTRY_BAGGAGE";

/// The most bytes of baggage that are passed on.
const MAX_BAGGAGE: usize = 8192;

/// Parses a `sentry-trace`: the ids of a trace and a span, and perhaps whether the trace is sampled. Returns `None` for anything else.
pub fn parse(value: &str) -> Option<TraceContext> {
    let mut parts = value.trim_matches([' ', '\t']).split('-');
    let (trace, span, sampled) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    let flags = match sampled {
        Some("1") => "01",
        Some("0") | None => "00",
        Some(_) => return None,
    };
    let trace = TraceContext::parse(&format!("00-{trace}-{span}-{flags}"))?;
    Some(if sampled.is_none() { trace.undecided() } else { trace })
}

/// Writes a `sentry-trace`.
#[cfg(any(feature = "sentry", test))]
pub fn write(trace: &TraceContext) -> String {
    let sampled = match trace.decision() {
        Some(true) => "-1",
        Some(false) => "-0",
        None => "",
    };
    format!("{}-{}{sampled}", trace.trace_id(), trace.span_id())
}

/// The members of baggage that are Sentry's, which a service passes on unchanged. Those of others are left to the program.
pub fn own_members(baggage: &str) -> Option<String> {
    let is_valid = |member: &&str| member.starts_with("sentry-") && member.bytes().all(|byte| byte.is_ascii_graphic());
    let members: Vec<_> = baggage.split(',').map(str::trim).filter(is_valid).collect();
    Some(members.join(",")).filter(|members| (1..=MAX_BAGGAGE).contains(&members.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    #[test]
    fn a_sentry_trace_round_trips_with_and_without_a_decision() {
        for (end, decision) in [("-1", Some(true)), ("-0", Some(false)), ("", None)] {
            let text = format!("{TRACE}{end}");
            let trace = parse(&text).unwrap();
            assert_eq!((write(&trace), trace.decision()), (text, decision));
        }
        let undecided = parse(TRACE).unwrap();
        assert!(undecided.to_string().ends_with("-00"), "{undecided}");
        assert_eq!(undecided.with_sampled(true).decision(), Some(true));
        assert_eq!(undecided.next().decision(), None);
    }

    #[test]
    fn anything_else_is_no_sentry_trace() {
        for wrong in ["", "1", "a-b-1", &TRACE.to_uppercase(), &format!("{TRACE}-2"), &format!("{TRACE}-1-1")] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_members_of_sentry_are_passed_on() {
        let baggage = "user=ada, sentry-trace_id=4bf9 ,sentry-release=a%40b;p=1,other=1,sentry-bad=a b";
        assert_eq!(own_members(baggage).as_deref(), Some("sentry-trace_id=4bf9,sentry-release=a%40b;p=1"));
        assert_eq!(own_members("user=ada"), None);
        assert_eq!(own_members(&format!("sentry-a={}", "b".repeat(MAX_BAGGAGE))), None);
    }
}
