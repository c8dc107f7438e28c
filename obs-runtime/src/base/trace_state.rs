//! W3C trace context: `tracestate`, what the tracing systems on the way have said of a trace.

use std::sync::Arc;

/// The most members of a list.
const MAX_MEMBERS: usize = 32;

/// The most bytes that are passed on. The recommendation asks for at least as many.
const MAX_LENGTH: usize = 512;

/// A member that is longer than this is left out first.
const LONG_MEMBER: usize = 128;

/// A `tracestate`, which is passed on as it came. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

impl TraceState {
    /// Parses the value of a header, or those of several joined by commas. `None` for an empty one, and for one that does not follow the
    /// recommendation: it is ignored as a whole.
    pub fn parse(text: &str) -> Option<Self> {
        let members =
            text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty());
        let mut members: Vec<&str> = members.collect();
        if members.is_empty() || members.len() > MAX_MEMBERS || !members.iter().copied().all(is_member) {
            return None;
        }
        let is_too_long =
            |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>() > MAX_LENGTH + 1;
        if is_too_long(&members) {
            members.retain(|member| member.len() <= LONG_MEMBER);
        }
        while is_too_long(&members) {
            members.pop();
        }
        (!members.is_empty()).then(|| Self(members.join(",").into()))
    }

    /// The value of the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_key = key.len() <= 256
        && key.bytes().next().is_some_and(is_first)
        && key.bytes().all(|byte| is_first(byte) || b"_-*/@".contains(&byte));
    let is_value =
        (1..=256).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    is_key && is_value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        TraceState::parse(text).map(|state| state.as_str().to_owned())
    }

    #[test]
    fn a_list_is_kept_in_its_order() {
        assert_eq!(
            parsed("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE ,,").as_deref(),
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
        );
        assert_eq!(parsed("fw529a3039@dt=FfD;a:b").as_deref(), Some("fw529a3039@dt=FfD;a:b"));
    }

    #[test]
    fn what_does_not_follow_the_recommendation_is_ignored() {
        let many = (0..33).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
        for wrong in ["", " , ", "a", "=b", "a=", "A=b", "a=b=c", "a=\u{e4}", "a b=c", "a=b\n", &many] {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_long_list_loses_its_longest_members_and_then_the_last_ones() {
        let member = |name: &str, length: usize| format!("{name}={}", "x".repeat(length - 2));
        let list = [member("a", 100), member("b", 200), member("c", 128), member("d", 128), member("e", 100)];
        let kept = [&list[0], &list[2], &list[3], &list[4]].map(String::as_str).join(",");
        assert_eq!(parsed(&list.join(",")), Some(kept));
        let longer: Vec<String> = ["a", "b", "c", "d", "e"].map(|name| member(name, 128)).into();
        assert_eq!(parsed(&longer.join(",")), Some(longer[..3].join(",")));
    }
}
