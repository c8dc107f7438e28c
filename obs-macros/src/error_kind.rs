//! `#[derive(ErrorKind)]`

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Path, Variant};

use crate::grammar::args::{self, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::message;
use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::values;
use crate::grammar::vocabulary::CRATE;

/// The enum, validated.
struct Model {
    runtime: RuntimePath,
    input: DeriveInput,
    variants: Vec<Variant>,
}

/// Expands the derive.
pub fn expand(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    match diagnostics.keep(syn::parse2(item)).and_then(|input| Model::new(input, &mut diagnostics)) {
        Some(model) if diagnostics.is_empty() => model.expand(),
        _ => diagnostics.into_compile_errors(),
    }
}

impl Model {
    fn new(input: DeriveInput, diagnostics: &mut Diagnostics) -> Option<Self> {
        let runtime = RuntimePath::at(crate_path(&input.attrs, diagnostics));
        let variants: Vec<Variant> = match &input.data {
            Data::Enum(data) => data.variants.iter().cloned().collect(),
            Data::Struct(data) => {
                diagnostics.at(data.struct_token, "`ErrorKind` can be derived for an enum, not for a struct");
                return None;
            }
            Data::Union(data) => {
                diagnostics.at(data.union_token, "`ErrorKind` can be derived for an enum, not for a union");
                return None;
            }
        };
        for attribute in variants.iter().flat_map(|variant| &variant.attrs) {
            if attribute.path().is_ident("error_kind") {
                diagnostics.at(attribute, "`error_kind` goes on the enum, not on a variant");
            }
        }
        Some(Self { runtime, input, variants })
    }

    fn expand(&self) -> TokenStream {
        let site = Span::mixed_site();
        let Self { runtime, input: DeriveInput { ident, generics, .. }, variants } = self;
        let (with_bounds, names, bounds) = generics.split_for_impl();
        let kind = if variants.is_empty() {
            quote_spanned!(site=> match *self {})
        } else {
            let arms = variants.iter().map(|Variant { ident, .. }| {
                let label = snake_case(&ident.unraw().to_string());
                quote_spanned!(site=> Self::#ident { .. } => #label,)
            });
            quote_spanned!(site=> match self { #(#arms)* })
        };
        let registration = self.registration();
        quote_spanned! {site=>
            #[automatically_derived]
            impl #with_bounds #runtime::ErrorKind for #ident #names #bounds {
                fn error_kind(&self) -> &'static str {
                    #kind
                }
            }
            #registration
        }
    }

    /// Adds the type to those that are recognised behind pointers. The linker collects statics, which cannot be generic, and
    /// lifetimes could not be compared.
    fn registration(&self) -> Option<TokenStream> {
        let is_registered = self.input.generics.params.is_empty() && !cfg!(feature = "off");
        let site = Span::mixed_site();
        let (ident, private) = (&self.input.ident, self.runtime.private());
        is_registered.then(|| {
            quote_spanned! {site=>
                const _: () = {
                    #private::link! {
                        ErrorKinds KIND = #private::RegisteredKind::new(|error| {
                            use #private::judge::*;
                            (&&ErrorType::<#ident>::new()).kind(error)
                        })
                    }
                };
            }
        })
    }
}

/// The path of `#[error_kind(crate = path)]`.
fn crate_path(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Path> {
    let mut path = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("error_kind")) {
        let Some(list) = diagnostics.keep(attribute.meta.require_list()) else { continue };
        for entry in args::entries(list.tokens.clone(), "`crate = ::path`", diagnostics) {
            match &entry.value {
                _ if entry.name() != CRATE.name => {
                    let fault = format!("unknown key `{}`", entry.name());
                    let takes = "`#[error_kind]` takes `crate`";
                    diagnostics
                        .at(&entry.key, message::with_suggestion(&fault, &entry.name(), [CRATE.name], '`', takes));
                }
                _ if path.is_some() => diagnostics.at(&entry.key, "`crate` is a duplicate key; remove one"),
                Value::Expr(expr) => path = diagnostics.keep(values::absolute_path(&CRATE, expr)),
                Value::Absent | Value::List(_) => {
                    diagnostics.at(&entry.key, format!("`crate` has no value: `{}`", CRATE.usage));
                }
            }
        }
    }
    path
}

/// `HttpTimeout` → `http_timeout`, `HTTPError` → `http_error`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut label = String::new();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| letters.get(before));
        let after_word = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let ends_acronym = before.is_some_and(|before| before.is_uppercase())
            && letters.get(place + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_word || ends_acronym) {
            label.push('_');
        }
        label.extend(letter.to_lowercase());
    }
    label
}
