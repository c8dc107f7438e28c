//! A crate that forbids and denies whatever can be, has no prelude, and knows obs under other names only.
#![no_implicit_prelude]
#![forbid(unsafe_code, clippy::pedantic)]
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, unused, missing_docs)]
#![deny(missing_debug_implementations, unreachable_pub, trivial_casts, single_use_lifetimes, unused_lifetimes)]

extern crate std as standard;

/// Obs under a name of the crate's own.
pub mod facade {
    pub use ::watching as obs;
}

use self::standard::boxed::Box;
use self::standard::clone::Clone;
use self::standard::option::Option::{self, None, Some};
use self::standard::result::Result::{self, Err, Ok};
use self::standard::string::{String, ToString as _};
use self::standard::vec::Vec;

/// An error.
#[derive(Debug, Clone, Copy, ::watching::ErrorKind)]
#[error_kind(crate = crate::facade::obs)]
#[non_exhaustive]
pub enum Failed {
    /// Nothing was there.
    Empty,
    /// Too much was there.
    Full {
        /// How much, of how much.
        by: (u8, u64),
    },
}

/// Counts.
///
/// # Errors
/// When there is nothing to count.
#[::watching::track_performance(crate = ::watching, name = "counts", tags(first = rows.len()), args(rows, more = len, b = more.is_empty()), level = "info")]
#[::watching::with_error_tracking(crate = ::watching, context(at = 1), severity = "warning", ignore_if = is_full)]
pub fn counts(rows: &[u8], more: String) -> Result<usize, Failed> {
    if rows.is_empty() && more.is_empty() {
        return Err(Failed::Empty);
    }
    if rows.len() > 9 {
        return Err(Failed::Full { by: (rows.len().try_into_u8(), 9) });
    }
    Ok(rows.len() + more.len())
}

trait Narrow {
    fn try_into_u8(self) -> u8;
}

#[facade::obs::track_performance(crate = crate::facade::obs)]
impl Narrow for usize {
    fn try_into_u8(self) -> u8 {
        u8::try_from_usize(self).unwrap_or(u8::MAX)
    }
}

trait Cut {
    fn try_from_usize(wide: usize) -> Option<Self>
    where
        Self: Sized;
}

impl Cut for u8 {
    #[facade::obs::track_performance(crate = crate::facade::obs, args(wide = hash), ok_if = Option::is_some)]
    fn try_from_usize(wide: usize) -> Option<Self> {
        if wide > 255 { None } else { Some(wide.to_le_bytes()[0]) }
    }
}

const fn is_full(error: &Failed) -> bool {
    matches!(error, Failed::Full { .. })
}

use self::standard::{assert, assert_eq, matches};

/// Waits for nothing.
///
/// # Errors
/// When it is told to.
#[facade::obs::tracked_command(crate = crate::facade::obs, user = "ada", cron = "@daily")]
#[facade::obs::bq_cost(crate = crate::facade::obs, dataset = name, query_type = "select", alert_over_usd = 1)]
pub async fn later(name: &str, _guard: Box<u8>, unused: Option<Vec<u8>>) -> Result<String, Box<dyn standard::error::Error + Send + Sync>> {
    use self::standard::convert::Into as _;
    if name.is_empty() {
        return Err("nothing".into());
    }
    self::standard::future::ready(()).await;
    self::standard::mem::drop(unused);
    Ok(name.to_string())
}

use self::standard::marker::{Send, Sized, Sync};

/// Set when it is dropped.
#[derive(Debug)]
pub struct Transaction(bool, standard::sync::Arc<standard::sync::atomic::AtomicBool>);

impl self::standard::ops::Drop for Transaction {
    fn drop(&mut self) {
        self.1.store(self.0, self::standard::sync::atomic::Ordering::SeqCst);
    }
}

impl Transaction {
    /// Commits.
    ///
    /// # Errors
    /// Never.
    #[facade::obs::with_error_tracking(crate = crate::facade::obs, fallback = None)]
    #[facade::obs::track_performance(crate = crate::facade::obs)]
    #[track_caller]
    #[must_use]
    pub fn commit(mut self, really: Option<bool>) -> Option<u8> {
        self.0 = really?;
        Some(1)
    }
}

/// Whether all is well.
#[must_use]
#[facade::obs::health_check(crate = crate::facade::obs, timeout = "2s", critical = false, args(port = 1))]
pub fn healthy() -> bool {
    !standard::env::temp_dir().as_os_str().is_empty()
}

/// How many.
#[must_use]
#[facade::obs::dq_check(crate = crate::facade::obs, dataset = "d", fail_above = 3)]
pub fn many() -> u64 {
    self::standard::convert::From::from(standard::env::temp_dir().exists())
}

fn main() {
    assert!(counts(&[], String::new()).is_err());
    assert_eq!(counts(&[1], String::new()).ok(), Some(1));
    assert!(counts(&[1; 10], String::new()).is_err());
    let kept = self::standard::sync::Arc::new(self::standard::sync::atomic::AtomicBool::new(false));
    assert_eq!(Transaction(false, Clone::clone(&kept)).commit(Some(true)), Some(1));
    assert!(kept.load(self::standard::sync::atomic::Ordering::SeqCst));
    self::standard::mem::drop(later("", Box::new(1), None));
    assert!(healthy());
    assert!(many() <= 1);
    self::standard::println!("{}", ::watching::catalogue().callsites.len());
}
