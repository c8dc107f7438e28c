//! The path of obs-runtime in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::values;

/// The path of obs-runtime: `::obs_runtime`, or the value of `crate = …`.
pub struct RuntimePath {
    given: Option<Path>,
}

impl RuntimePath {
    /// Reads `crate = …`.
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        Self::at(args.value("crate", values::absolute_path, diagnostics))
    }

    /// A given path, or the default.
    pub fn at(given: Option<Path>) -> Self {
        Self { given }
    }

    /// The module of everything that generated code calls.
    pub fn private(&self) -> TokenStream {
        quote_spanned!(Span::mixed_site()=> #self::__private)
    }

    /// The names of its segments.
    pub fn segments(&self) -> Vec<String> {
        match &self.given {
            Some(path) => path.segments.iter().map(|segment| segment.ident.to_string()).collect(),
            None => vec!["obs_runtime".to_owned()],
        }
    }
}

impl ToTokens for RuntimePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.given {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote_spanned!(Span::mixed_site()=> ::obs_runtime)),
        }
    }
}
