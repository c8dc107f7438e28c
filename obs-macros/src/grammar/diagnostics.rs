//! Every mistake of an attribute, kept until all are known.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// What is wrong with one use of an attribute, each mistake on its own token.
#[derive(Default)]
pub struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// Adds a mistake made at `tokens`.
    pub fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake found elsewhere.
    pub fn add(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// The value, or nothing and one more mistake.
    pub fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Whether there was none so far.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// One `compile_error!` for each.
    pub fn into_compile_errors(self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}
