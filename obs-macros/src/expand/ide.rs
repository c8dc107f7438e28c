//! Completion and documentation of keys in rust-analyzer: the keys as paths of documented items, behind
//! `cfg(rust_analyzer)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::vocabulary::Attribute;

/// An item that names each of these keys. The compiler ignores it.
pub fn documented(attribute: Attribute, keys: &[Ident], runtime: &RuntimePath) -> TokenStream {
    if keys.is_empty() {
        return TokenStream::new();
    }
    let attribute = Ident::new(attribute.name(), Span::mixed_site());
    quote_spanned! {Span::mixed_site()=>
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            {
                use #runtime::keys::#attribute::*;
                #(#keys::__;)*
            }
        };
    }
}
