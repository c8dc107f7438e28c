//! Room for the fields of an event, used again by the thread that made it: a line needs no allocation.

use std::cell::Cell;

use crate::events::field::Field;

/// Room for more fields than this is given back.
const KEPT: usize = 256;

thread_local! {
    static ROOM: Cell<Vec<Field<'static>>> = const { Cell::new(Vec::new()) };
}

/// An empty list of fields, with room if this thread has some.
pub fn take<'a>() -> Vec<Field<'a>> {
    ROOM.try_with(Cell::take).unwrap_or_default()
}

/// Keeps the room of a list for the next event.
pub fn give_back(mut fields: Vec<Field<'_>>) {
    fields.clear();
    if fields.capacity() > KEPT {
        return;
    }
    // Nothing is in it, so that it can be a list of fields of any lifetime; the room stays where it is.
    #[expect(clippy::unnecessary_filter_map, reason = "a filter would leave the fields their lifetime")]
    let room: Vec<Field<'static>> = fields.into_iter().filter_map(|_| None).collect();
    let _ = ROOM.try_with(|kept| kept.set(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_room_is_used_again() {
        let text = "text".to_owned();
        let mut fields = take();
        fields.extend((0..8).map(|_| Field::new("name", text.as_str())));
        let (place, capacity) = (fields.as_ptr().addr(), fields.capacity());
        give_back(fields);
        let again = take();
        assert_eq!((again.as_ptr().addr(), again.capacity(), again.len()), (place, capacity, 0));
        give_back(Vec::with_capacity(KEPT + 1));
        assert_eq!(take().capacity(), 0);
    }
}
