//! What is known of a span when it begins, and its id.

use std::borrow::Cow;
use std::cell::Cell;

use crate::base::clock::Start;

thread_local! {
    static IDS: Cell<u64> = const { Cell::new(0) };
}

/// What is known of a span when it begins.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "for the program's tracer provider"))]
pub struct Beginning {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is: `http.server`, or as in [`Span`](crate::events::span::Span).
    pub op: &'static str,
    /// The attribute that it comes from.
    pub attribute: &'static str,
    /// When it began.
    pub begun: Start,
}

impl Beginning {
    /// Of a call that begins now.
    pub fn now(name: Cow<'static, str>, op: &'static str, attribute: &'static str) -> Self {
        Self { name, op, attribute, begun: Start::now() }
    }
}

/// An id for a span; never 0. Random, without a lock.
#[must_use]
pub fn fresh_id() -> u64 {
    // SplitMix64; the seed differs from thread to thread.
    let state = IDS.try_with(Cell::get).ok().filter(|state| *state != 0);
    let state = state.unwrap_or_else(seed).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let _ = IDS.try_with(|ids| ids.set(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).max(1)
}

fn seed() -> u64 {
    let (time, random) = uuid::Uuid::now_v7().as_u64_pair();
    // The upper bits of the random part are a counter.
    random ^ time.rotate_left(40)
}
