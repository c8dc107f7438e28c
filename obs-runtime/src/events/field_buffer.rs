//! A buffer for the fields of an event, reused by each thread: a log line needs no allocation.

use std::cell::Cell;

use crate::events::field::Field;

/// Largest capacity that a thread keeps.
const MAX_CAPACITY: usize = 256;

thread_local! {
    static BUFFER: Cell<Vec<Field<'static>>> = const { Cell::new(Vec::new()) };
}

/// An empty list of fields with the thread's buffer.
pub fn take<'a>() -> Vec<Field<'a>> {
    BUFFER.try_with(Cell::take).unwrap_or_default()
}

/// Keeps the buffer of a list for the next event.
pub fn give_back(mut fields: Vec<Field<'_>>) {
    fields.clear();
    if fields.capacity() > MAX_CAPACITY {
        return;
    }
    // Collecting an empty list changes the lifetime of its fields and keeps its buffer.
    #[expect(clippy::unnecessary_filter_map, reason = "a filter would leave the fields their lifetime")]
    let buffer: Vec<Field<'static>> = fields.into_iter().filter_map(|_| None).collect();
    let _ = BUFFER.try_with(|kept| kept.set(buffer));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_reused() {
        let text = "text".to_owned();
        let mut fields = take();
        fields.extend((0..8).map(|_| Field::new("name", text.as_str())));
        let (place, capacity) = (fields.as_ptr().addr(), fields.capacity());
        give_back(fields);
        let again = take();
        assert_eq!((again.as_ptr().addr(), again.capacity(), again.len()), (place, capacity, 0));
        give_back(Vec::with_capacity(MAX_CAPACITY + 1));
        assert_eq!(take().capacity(), 0);
    }
}
