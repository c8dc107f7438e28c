//! `#[derive(ErrorKind)]`

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, ExprPath, Path, Variant};

use crate::grammar::args::{self, Entry, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::message;
use crate::grammar::runtime_path::RuntimePath;
use crate::grammar::values;
use crate::grammar::vocabulary::{CRATE, WITH};

/// The type, validated.
struct Model {
    runtime: RuntimePath,
    input: DeriveInput,
    label: Label,
}

/// Where the label comes from.
enum Label {
    /// The variants of an enum.
    Variants(Vec<Variant>),
    /// The name of a struct.
    Name,
    /// A function of the program's.
    Function(ExprPath),
}

/// What `#[error_kind(…)]` says.
#[derive(Default)]
struct Keys {
    runtime: Option<Path>,
    function: Option<ExprPath>,
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
        let Keys { runtime, function } = Keys::of(&input.attrs, diagnostics);
        let inner: Vec<&Attribute> = match &input.data {
            Data::Enum(data) => {
                let fields = data.variants.iter().flat_map(|variant| &variant.fields).flat_map(|field| &field.attrs);
                data.variants.iter().flat_map(|variant| &variant.attrs).chain(fields).collect()
            }
            Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
            Data::Union(data) => {
                diagnostics.at(data.union_token, "`ErrorKind` can be derived for an enum or a struct, not for a union");
                return None;
            }
        };
        for attribute in inner.into_iter().filter(|attribute| attribute.path().is_ident("error_kind")) {
            diagnostics.at(attribute, "`error_kind` goes on the type, not on a variant or a field");
        }
        let label = match (function, &input.data) {
            (Some(function), _) => Label::Function(function),
            (None, Data::Enum(data)) => Label::Variants(data.variants.iter().cloned().collect()),
            (None, _) => Label::Name,
        };
        Some(Self { runtime: RuntimePath::at(runtime), input, label })
    }

    fn expand(&self) -> TokenStream {
        let site = Span::mixed_site();
        let Self { runtime, input: DeriveInput { ident, generics, .. }, label } = self;
        let (with_bounds, names, bounds) = generics.split_for_impl();
        let kind = match label {
            Label::Variants(variants) if variants.is_empty() => quote_spanned!(site=> match *self {}),
            Label::Variants(variants) => {
                let arms = variants.iter().map(|Variant { ident, .. }| {
                    let label = snake_case(&ident.unraw().to_string());
                    quote_spanned!(site=> Self::#ident { .. } => #label,)
                });
                quote_spanned!(site=> match self { #(#arms)* })
            }
            Label::Name => snake_case(&ident.unraw().to_string()).into_token_stream(),
            Label::Function(function) => {
                quote_spanned!(site.located_at(function.span())=> #function(self))
            }
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
            // The type is named outside of the block, where the runtime's names cannot shadow it.
            quote_spanned! {site=>
                const _: () = {
                    #private::link! {
                        ErrorKinds KIND = #private::RegisteredKind::new(|error| {
                            match #private::judge::ErrorType::<#ident>::new() {
                                __type => {
                                    use #private::judge::*;
                                    (&&__type).kind(error)
                                }
                            }
                        })
                    }
                };
            }
        })
    }
}

impl Keys {
    fn of(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Self {
        let mut keys = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("error_kind")) {
            let list = attribute.meta.require_list().ok().filter(|list| !list.tokens.is_empty());
            let Some(list) = list else {
                let usage =
                    "`#[error_kind]` needs a key: `#[error_kind(with = path)]` or `#[error_kind(crate = ::path)]`";
                diagnostics.at(attribute, usage);
                continue;
            };
            for entry in args::entries(list.tokens.clone(), "`with = path` or `crate = ::path`", diagnostics) {
                keys.read(&entry, diagnostics);
            }
        }
        keys
    }

    fn read(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) {
        let name = entry.name();
        let Some(key) = [&WITH, &CRATE].into_iter().find(|key| key.name == name) else {
            let fault = format!("unknown key `{name}`");
            let takes = "`#[error_kind]` takes `with` and `crate`";
            let message = message::with_suggestion(&fault, &name, [WITH.name, CRATE.name], '`', takes);
            diagnostics.at(&entry.key, message);
            return;
        };
        let is_given = if name == WITH.name { self.function.is_some() } else { self.runtime.is_some() };
        match &entry.value {
            _ if is_given => diagnostics.at(&entry.key, format!("`{name}` is a duplicate key; remove one")),
            Value::Expr(expr) if name == WITH.name => self.function = diagnostics.keep(values::function(key, expr)),
            Value::Expr(expr) => self.runtime = diagnostics.keep(values::absolute_path(key, expr)),
            Value::Absent | Value::List(_) => {
                diagnostics.at(&entry.key, format!("`{name}` has no value: `{}`", key.usage));
            }
        }
    }
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
