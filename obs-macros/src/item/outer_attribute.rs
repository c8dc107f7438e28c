//! An attribute on an item.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::grammar::vocabulary::Attribute;

/// An attribute on an item.
#[derive(Clone)]
pub struct OuterAttribute {
    pub tokens: TokenStream,
    /// The segments of its path.
    pub path: Vec<String>,
}

impl OuterAttribute {
    /// Whether it is `#[track_caller]`, directly or by `cfg_attr`.
    pub fn is_track_caller(&self) -> bool {
        match self.path.last().map(String::as_str) {
            Some("track_caller") => true,
            Some("cfg_attr") => has_word(self.tokens.clone(), "track_caller"),
            _ => false,
        }
    }

    /// The text of `#[doc = "…"]`, which `/// …` is too.
    pub fn documentation(&self) -> Option<String> {
        if self.path != ["doc"] {
            return None;
        }
        let group = |tree| if let TokenTree::Group(group) = tree { Some(group.stream()) } else { None };
        let last = self.tokens.clone().into_iter().find_map(group)?.into_iter().last()?;
        syn::parse2::<syn::LitStr>(last.into()).ok().map(|text| text.value())
    }

    /// The tokens between `fallback =` and the next comma.
    pub fn fallback(&self) -> Option<TokenStream> {
        if self.path.last()? != Attribute::WithErrorTracking.name() {
            return None;
        }
        Some(value_of("fallback", self.arguments()?))
    }

    /// What stands in its parentheses.
    pub fn arguments(&self) -> Option<TokenStream> {
        let group = |tree| if let TokenTree::Group(group) = tree { Some(group.stream()) } else { None };
        self.tokens.clone().into_iter().find_map(group)?.into_iter().find_map(group)
    }
}

/// The tokens between `key =` and the next comma of the arguments; none without the key.
pub fn value_of(key: &str, arguments: TokenStream) -> TokenStream {
    let behind = arguments.into_iter().skip_while(|tree| !matches!(tree, TokenTree::Ident(found) if found == key));
    let comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(comma) if comma.as_char() == ',');
    behind.skip(1).take_while(|tree| !comma(tree)).collect()
}

impl ToTokens for OuterAttribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => has_word(group.stream(), word),
        TokenTree::Ident(found) => found == word,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Removes the attributes from the front of an item.
pub fn take_attributes(trees: &mut Vec<TokenTree>) -> Vec<OuterAttribute> {
    let mut attributes = Vec::new();
    while let [TokenTree::Punct(pound), TokenTree::Group(group), ..] = trees.as_slice()
        && pound.as_char() == '#'
    {
        let path = path(group.stream());
        attributes.push(OuterAttribute { tokens: trees.drain(..2).collect(), path });
    }
    attributes
}

fn path(tokens: TokenStream) -> Vec<String> {
    let mut path = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Ident(segment) => path.push(segment.unraw().to_string()),
            TokenTree::Punct(colon) if colon.as_char() == ':' => {}
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => path.extend(self::path(group.stream())),
            _ => break,
        }
    }
    path
}
