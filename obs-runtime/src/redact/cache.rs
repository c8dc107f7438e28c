//! Remembers what names say, so that a name seen before costs a few nanoseconds.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many names are remembered at most; a power of two.
const SLOTS: usize = 512;
/// The byte of a slot that holds the answer, never 0 in a slot that is taken; the rest is the name's fingerprint.
const ANSWER: u64 = 0xff;

/// Answers of one byte by name. Two names that share a slot take turns in it.
#[derive(Debug)]
pub struct Cache {
    slots: Box<[AtomicU64]>,
    seed: u64,
}

impl Cache {
    pub fn new() -> Self {
        // A seed of its own keeps names apart that somebody made to collide.
        let seed = RandomState::new().hash_one(SLOTS) | 1;
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), seed }
    }

    /// The answer for a name: remembered, or computed and remembered.
    #[inline]
    pub fn get(&self, name: &[u8], compute: impl FnOnce() -> u8) -> u8 {
        let print = self.fingerprint(name);
        let slot = &self.slots[(print >> 32) as usize % SLOTS];
        let held = slot.load(Ordering::Relaxed);
        if held & ANSWER != 0 && held & !ANSWER == print & !ANSWER {
            return held.to_le_bytes()[0];
        }
        let answer = compute();
        slot.store(print & !ANSWER | u64::from(answer), Ordering::Relaxed);
        answer
    }

    fn fingerprint(&self, name: &[u8]) -> u64 {
        let mut print = self.seed ^ name.len() as u64;
        let mut mix = |word: u64| {
            let product = u128::from(print ^ word) * u128::from(self.seed ^ 0x9e37_79b9_7f4a_7c15);
            let (low, high) = (product & u128::from(u64::MAX), product >> 64);
            // The exclusive or of two halves is no longer than a half.
            print = u64::try_from(low ^ high).unwrap_or_default();
        };
        let (words, rest) = name.as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        print
    }
}
