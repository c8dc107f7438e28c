//! A cache of what names mean, so that a name seen before costs a few nanoseconds.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of slots; a power of two.
const SLOTS: usize = 512;
/// The byte of a slot that holds the answer, which is never 0. The other bytes are the name's fingerprint.
const ANSWER: u64 = 0xff;

/// One-byte answers by name. Names that share a slot replace each other.
#[derive(Debug)]
pub struct Cache {
    slots: Box<[AtomicU64]>,
    seed: u64,
}

impl Cache {
    pub fn new() -> Self {
        // A random seed, so that names cannot be chosen to collide.
        let seed = RandomState::new().hash_one(SLOTS) | 1;
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), seed }
    }

    /// The answer for a name: from the cache, or computed and then cached.
    #[inline]
    pub fn get(&self, name: &[u8], compute: impl FnOnce() -> u8) -> u8 {
        let fingerprint = self.fingerprint(name);
        let slot = &self.slots[(fingerprint >> 32) as usize % SLOTS];
        let cached = slot.load(Ordering::Relaxed);
        if cached & ANSWER != 0 && cached & !ANSWER == fingerprint & !ANSWER {
            return cached.to_le_bytes()[0];
        }
        let answer = compute();
        slot.store(fingerprint & !ANSWER | u64::from(answer), Ordering::Relaxed);
        answer
    }

    fn fingerprint(&self, name: &[u8]) -> u64 {
        let mut fingerprint = self.seed;
        let mut mix = |word: u64| {
            let product = u128::from(fingerprint ^ word) * u128::from(self.seed ^ 0x9e37_79b9_7f4a_7c15);
            let (low, high) = (product & u128::from(u64::MAX), product >> 64);
            // The exclusive or of two 64-bit halves has 64 bits.
            fingerprint = u64::try_from(low ^ high).unwrap_or_default();
        };
        // First the length, so that it does not cancel out with the words; the last word may share bytes with the one before it.
        mix(name.len() as u64);
        if let Some(last) = name.last_chunk() {
            let (words, rest) = name.as_chunks();
            for word in words {
                mix(u64::from_le_bytes(*word));
            }
            if !rest.is_empty() {
                mix(u64::from_le_bytes(*last));
            }
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            mix(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
        } else {
            mix(name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_that_differ_in_one_byte_have_different_fingerprints() {
        let cache = Cache::new();
        let mut fingerprints = HashSet::new();
        for length in 0..40 {
            let name = vec![b'x'; length];
            assert!(fingerprints.insert(cache.fingerprint(&name)), "{length}");
            for at in 0..length {
                let mut other = name.clone();
                other[at] = b'y';
                assert!(fingerprints.insert(cache.fingerprint(&other)), "{length} {at}");
            }
        }
    }
}
