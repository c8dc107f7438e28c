//! The items of `for_each`: a list, or a `Result` of one.

use std::fmt::Display;
use std::marker::PhantomData;

use crate::events::failure::shown;

/// The value of `for_each`.
pub struct Each<'v, T>(pub &'v T);

/// A `Result` of a list.
pub struct Fallible;

/// A list.
pub struct Plain<T>(PhantomData<T>);

/// Types that are a `Result` of a list.
pub trait EachResult {
    /// The way to read its items.
    fn each(&self) -> Fallible {
        Fallible
    }
}

impl<I, E: Display> EachResult for Each<'_, Result<I, E>> {}

/// Lists.
pub trait EachItem {
    /// Its type.
    type List;

    /// The way to read its items.
    fn each(&self) -> Plain<Self::List> {
        Plain(PhantomData)
    }
}

impl<I> EachItem for &Each<'_, I> {
    type List = I;
}

impl Fallible {
    /// The items, or the error as text.
    ///
    /// # Errors
    /// The error of the `Result`.
    pub fn items<I: IntoIterator, E: Display>(self, list: Result<I, E>) -> Result<Vec<I::Item>, String> {
        // The alternate form of `anyhow` and `eyre` shows the sources as well.
        list.map(|list| list.into_iter().collect()).map_err(|error| shown(&format_args!("{error:#}")))
    }
}

impl<I> Plain<I> {
    /// The items.
    ///
    /// # Errors
    /// None.
    pub fn items<L: IntoIterator>(self, list: L) -> Result<Vec<L::Item>, String> {
        Ok(list.into_iter().collect())
    }
}
