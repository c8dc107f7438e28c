//! The static that describes an annotated function, and its place in the registry.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use crate::expand::shared_keys::SharedKeys;

/// A static that the linker adds to one of the runtime's sections.
pub struct Callsite {
    /// The section of the runtime that lists it.
    pub section: &'static str,
    /// The static's name.
    pub name: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// Its constructor.
    pub constructor: &'static str,
    /// The constructor's arguments after name and location.
    pub more: Option<TokenStream>,
    /// The builder calls after the constructor.
    pub settings: Settings,
}

/// `.key(value)` for each key that was given.
#[derive(Default)]
pub struct Settings(TokenStream, Vec<TokenStream>);

impl Settings {
    /// The settings of the shared keys.
    pub fn new(shared: &SharedKeys) -> Self {
        let mut settings = Self::default();
        settings.set("level", shared.level.map(|level| shared.variant("Level", level)));
        settings
    }

    /// Adds a setting, if the key was given.
    pub fn set(&mut self, key: &str, value: Option<impl ToTokens>) {
        if let Some(value) = value {
            let key = Ident::new(key, Span::mixed_site());
            self.1.push(value.to_token_stream());
            self.0.extend(quote_spanned!(Span::mixed_site()=> .#key(#value)));
        }
    }
}

impl Settings {
    /// The values.
    pub fn constants(&self) -> impl Iterator<Item = &TokenStream> {
        self.1.iter()
    }
}

impl ToTokens for Settings {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

impl Callsite {
    /// The call site of a wrapped function.
    pub fn wrapped(constructor: &'static str, settings: Settings) -> Self {
        Self { section: "Callsites", name: "__CALLSITE", kind: "Callsite", constructor, more: None, settings }
    }

    /// The static, to be the first item of a body.
    pub fn to_static(&self, shared: &SharedKeys) -> TokenStream {
        let site = Span::mixed_site();
        let private = shared.runtime.private();
        let [section, name, kind, constructor] =
            [self.section, self.name, self.kind, self.constructor].map(|word| Ident::new(word, site));
        let (operation, settings) = (&shared.name, &self.settings);
        let function = shared.function.as_ref().filter(|_| self.section == "Callsites");
        let function = function.map(|function| quote_spanned!(site=> .function(#function)));
        let more = self.more.as_ref().map(|more| quote_spanned!(site=> , #more));
        let documented = &shared.documented;
        quote_spanned! {site=>
            #documented
            #private::link! {
                #section #name =
                    #private::#kind::#constructor(#operation, ::core::module_path!(), ::core::file!(), ::core::line!() #more)
                    #function
                    #settings
            }
        }
    }
}
