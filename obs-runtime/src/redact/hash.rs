//! Keyed hashes: values that can be told apart without being known.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA-256 under a key that is given, or random for this process.
pub struct Hasher(Option<Hmac<Sha256>>);

impl Hasher {
    /// A hasher of that key.
    pub fn new(key: Option<&[u8]>) -> Self {
        Self(key.map_or_else(|| Hmac::new_from_slice(&random()), Hmac::new_from_slice).ok())
    }

    /// The first eight bytes of a value's hash.
    pub fn hash(&self, value: &str) -> Option<u64> {
        // HMAC takes keys of any length, so there always is one.
        let digest = self.0.clone()?.chain_update(value).finalize().into_bytes();
        Some(digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }
}

/// 32 random bytes, from what the standard library seeds its maps with: `SipHash` under a key of the system's randomness.
fn random() -> [u8; 32] {
    let state = RandomState::new();
    let mut key = [0; 32];
    for (index, chunk) in key.chunks_exact_mut(8).enumerate() {
        let mut hasher = state.build_hasher();
        hasher.write_usize(index);
        chunk.copy_from_slice(&hasher.finish().to_ne_bytes());
    }
    key
}
