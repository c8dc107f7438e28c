//! Makes one span of the attributes on one function, and of the calls past an operation's limit.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::events::span::{Span, SpanDetails, is_one_function};
use crate::events::span_groups::Group;

/// One span for each group. Several attributes on one function have a group each, of which the longest stays.
pub fn without_repetitions(groups: Vec<((Cow<'static, str>, &'static str), Group)>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::with_capacity(groups.len());
    for ((name, attribute), group) in groups {
        let Group { id, parent, op, begun, ended, outcome, calls, total } = group;
        let calls = Some((calls, total));
        let (place, function, details) = (None, None, None);
        let span = Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place, function, details };
        match spans.iter_mut().find(|known| known.name == span.name && known.op == span.op) {
            Some(known) if known.calls >= span.calls => {}
            Some(known) => *known = span,
            None => spans.push(span),
        }
    }
    spans
}

/// Merges the spans of several attributes on one function, and gives those whose parent was left out to the first span. A parent that
/// is elsewhere stays.
pub fn merged(root: &mut Span, spans: Vec<Span>, elsewhere: &HashSet<u64>) -> Vec<Span> {
    let by_id: HashMap<u64, &Span> = spans.iter().map(|span| (span.id, span)).collect();
    let is_of_parent = |span: &Span| {
        let parent = match by_id.get(&span.parent) {
            Some(parent) => parent,
            None if span.parent == root.id => &*root,
            None => return false,
        };
        parent.attribute != span.attribute && is_one_function((&parent.name, parent.op), (&span.name, span.op))
    };
    let merged_into: HashMap<u64, u64> =
        spans.iter().filter(|span| is_of_parent(span)).map(|span| (span.id, span.parent)).collect();
    let root_id = root.id;
    let target = |mut id: u64| {
        // This ends: a parent begins before its children.
        while let Some(outer) = merged_into.get(&id) {
            id = *outer;
        }
        if by_id.contains_key(&id) || elsewhere.contains(&id) { id } else { root_id }
    };
    let parents: Vec<u64> = spans.iter().map(|span| target(span.parent)).collect();
    let mut kept = Vec::with_capacity(spans.len());
    let mut details: HashMap<u64, Vec<Box<SpanDetails>>> = HashMap::new();
    for (span, parent) in spans.into_iter().zip(parents) {
        if !merged_into.contains_key(&span.id) {
            kept.push(Span { parent, ..span });
        } else if let Some(of_span) = span.details {
            details.entry(parent).or_default().push(of_span);
        }
    }
    for span in kept.iter_mut().chain(std::iter::once(root)) {
        details.remove(&span.id).into_iter().flatten().for_each(|of_other| span.merge(*of_other));
    }
    kept
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::base::outcome::Outcome;
    use crate::events::failure_facts::FailureFacts;
    use crate::events::field::Field;

    /// A span of a function.
    pub fn span(id: u64, parent: u64, name: &'static str, attribute: &'static str) -> Span {
        let (begun, ended) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
        let (name, op, outcome) = (name.into(), "function", Outcome::Ok);
        let (calls, place, function, details) = (None, None, None, None);
        Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place, function, details }
    }

    #[test]
    fn attributes_of_one_function_are_one_span_and_recursion_is_not() {
        let spans = vec![
            span(4, 3, "query", "query"),
            span(3, 2, "load", "track_performance"),
            span(6, 5, "load", "track_performance"),
            span(5, 2, "load", "track_performance"),
            span(2, 1, "load", "with_error_tracking"),
            span(7, 99, "lost", "track_performance"),
            span(9, 8, "query", "query"),
            span(8, 0, "nightly_load", "bq_cost"),
        ];
        let mut root = Span { op: "command", ..span(0, 0, "nightly-load", "tracked_command") };
        let merged: Vec<_> =
            merged(&mut root, spans, &HashSet::new()).iter().map(|span| (span.id, span.parent)).collect();
        // 3 and 5 are a part of 2; 7 and 9 lost their parents.
        assert_eq!(merged, [(4, 2), (6, 2), (2, 0), (7, 0), (9, 0)]);
    }

    #[test]
    fn details_of_all_attributes_are_kept() {
        let field = |name: &'static str| vec![Field::new(name, 1)];
        let failure = FailureFacts { error_type: "timeout".into(), ..FailureFacts::default() };
        let with = |fields, failure, span: Span| Span { details: SpanDetails::of(fields, failure), ..span };
        let spans = vec![
            with(field("c"), Some(failure), span(3, 2, "load", "with_error_tracking")),
            with(field("a"), None, span(2, 1, "load", "track_performance")),
            with(field("b"), None, span(1, 0, "job", "bq_cost")),
        ];
        let mut root = Span { op: "command", ..span(0, 0, "job", "tracked_command") };
        let merged = merged(&mut root, spans, &HashSet::new());
        let names = |span: &Span| {
            let details = span.details.as_ref().unwrap();
            let names: Vec<_> = details.fields.iter().map(|field| field.name.to_string()).collect();
            (names.concat(), details.failure.is_some())
        };
        assert_eq!((merged.len(), merged[0].parent), (1, 0));
        assert_eq!((names(&merged[0]), names(&root)), (("ac".to_owned(), true), ("b".to_owned(), false)));
    }
}
