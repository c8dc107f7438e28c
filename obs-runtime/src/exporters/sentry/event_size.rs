//! Keeps events within the size that Sentry accepts.

use std::io::{self, Write};

use ::sentry::protocol::{Context, Event};

/// The most bytes of an event. Sentry refuses more than 1 MiB; `before_send` may add something.
const MAX_EVENT: usize = 1_000_000;

/// The most breadcrumbs that are kept of an event that is too large.
const FEW_BREADCRUMBS: usize = 10;

/// The most exceptions that are kept of an event that is too large: the returned error and its nearest sources.
const FEW_EXCEPTIONS: usize = 8;

/// Removes what says least of an event that is too large: breadcrumbs, oldest first; then the largest contexts; then the
/// farthest sources. A tag says so.
pub fn fit(event: &mut Event<'_>) {
    let is_too_large = |event: &Event<'_>| size(event) > MAX_EVENT;
    if !is_too_large(event) {
        return;
    }
    event.tags.insert("shortened".to_owned(), "true".to_owned());
    while event.breadcrumbs.len() > FEW_BREADCRUMBS && is_too_large(event) {
        let removed = event.breadcrumbs.len().div_ceil(2).min(event.breadcrumbs.len() - FEW_BREADCRUMBS);
        event.breadcrumbs.values.drain(..removed);
    }
    while is_too_large(event) && remove_largest_context(event) {}
    if is_too_large(event) {
        event.extra.clear();
        let removed = event.exception.len().saturating_sub(FEW_EXCEPTIONS);
        event.exception.values.drain(..removed);
    }
}

fn remove_largest_context(event: &mut Event<'_>) -> bool {
    let custom = event.contexts.iter().filter(|(_, context)| matches!(context, Context::Other(_)));
    let largest = custom.max_by_key(|(_, context)| size(context)).map(|(name, _)| name.clone());
    largest.is_some_and(|name| event.contexts.remove(&name).is_some())
}

fn size(value: &impl serde::Serialize) -> usize {
    let mut counted = Counted(0);
    // Neither writing nor serialising fails.
    let _ = serde_json::to_writer(&mut counted, value);
    counted.0
}

struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ::sentry::protocol::{Breadcrumb, Exception, Map};

    use super::*;

    #[test]
    fn an_event_of_any_content_fits_and_keeps_what_says_most() {
        let text = |bytes: usize| Some("x".repeat(bytes));
        let crumb = |_| Breadcrumb { message: text(20_000), ..Breadcrumb::default() };
        let context = |bytes| Context::Other(Map::from([("field".to_owned(), text(bytes).into())]));
        let exception = |_| Exception { value: text(8000), ..Exception::default() };
        let mut event = Event {
            breadcrumbs: (0..100).map(crumb).collect::<Vec<_>>().into(),
            contexts: Map::from([("small".to_owned(), context(10)), ("large".to_owned(), context(900_000))]),
            exception: (0..33).map(exception).collect::<Vec<_>>().into(),
            ..Event::default()
        };
        fit(&mut event);
        assert!(size(&event) <= MAX_EVENT && event.tags["shortened"] == "true");
        assert!(event.breadcrumbs.len() >= FEW_BREADCRUMBS && event.exception.len() == 33);
        assert!(event.contexts.contains_key("small") && !event.contexts.contains_key("large"));
        let mut small = Event::default();
        fit(&mut small);
        assert!(small.tags.is_empty());
    }
}
