//! The closure that classifies the value of a call as an error or not.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ExprPath;
use syn::spanned::Spanned;

use crate::expand::shared_keys::{SharedKeys, Verdict};
use crate::item::error_type::ErrorType;
use crate::item::function::Function;
use crate::item::return_type;

/// `|__value, __call| …`, which ends the call. It must follow the body, so that the type of the value is known. If no value of the
/// return type is an error, a function of the runtime takes its place.
pub fn closure(shared: &SharedKeys, function: &Function, ignore_if: Option<&ExprPath>) -> TokenStream {
    let site = Span::mixed_site();
    let private = shared.runtime.private();
    let error = error(&private, ignore_if, ErrorType::of(function));
    match &shared.verdict {
        Verdict::Type if ignore_if.is_none() && return_type::never_fails(function) => {
            quote_spanned!(site=> #private::judge::no_error)
        }
        Verdict::Type => quote_spanned!(site=> |__value, __call| __call.judged(#error)),
        Verdict::OkIf(path) => {
            let verdict = call(&private, path);
            quote_spanned!(site=> |__value, __call| __call.judged(#private::judge::ok_if(#verdict, || #error)))
        }
        Verdict::ErrorIf(path) => {
            let verdict = call(&private, path);
            quote_spanned!(site=> |__value, __call| __call.judged(#private::judge::error_if(#verdict, || #error)))
        }
    }
}

/// The runtime's traits are imported in blocks of their own, so that they do not shadow names in the user's path.
fn error(private: &TokenStream, ignore_if: Option<&ExprPath>, of_type: ErrorType) -> TokenStream {
    let site = Span::mixed_site();
    let borrowed = (of_type == ErrorType::Borrowed).then(|| quote_spanned!(site=> use #private::judge::borrowed::*;));
    // By `Display`, if `Error` may need a parameter that is `'static`: such a bound is not seen when the trait is selected.
    let error = if of_type == ErrorType::Generic { quote!(&&Describe) } else { quote!(&&&&&&&Describe) };
    let describe = quote_spanned!(site=> (#error(__error)).describe().with_kind((&&Kind(__error)).kind()));
    match ignore_if {
        None => quote_spanned! {site=> {
            use #private::judge::*;
            #borrowed
            match (&&Judge(__value)).error() {
                ::core::option::Option::Some(__error) => ::core::option::Option::Some(#describe),
                ::core::option::Option::None => ::core::option::Option::None,
            }
        }},
        Some(path) => {
            let ignored = call(private, path);
            quote_spanned! {site=>
                { use #private::judge::*; (&&Judge(__value)).error() }
                    .filter(|&__value| !#ignored)
                    .map(|__error| { use #private::judge::*; #borrowed #describe })
            }
        }
    }
}

/// The verdict of the user's path about `__value`, with the span of the path. The runtime's traits are imported only
/// after the path.
fn call(private: &TokenStream, path: &ExprPath) -> TokenStream {
    quote_spanned! {Span::mixed_site().located_at(path.span())=>
        match #path {
            __path => {
                use #private::verdict::*;
                (&&&Verdict(__path, __value)).say()
            }
        }
    }
}
