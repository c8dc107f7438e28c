//! Splits the tokens of an `impl`, a `trait` or a `mod` into items, without parsing their bodies.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::item::outer_attribute::{OuterAttribute, take_attributes};

/// An item of a block.
pub struct Member {
    pub attributes: Vec<OuterAttribute>,
    /// The tokens after the attributes.
    pub trees: Vec<TokenTree>,
    pub kind: Kind,
}

/// The kind of an item.
pub enum Kind {
    Function(Head),
    /// `impl`, `trait` or `mod` with braces.
    Block(Ident),
    /// Anything else, including half-typed items.
    Other,
}

/// The relevant parts of a function's head.
pub struct Head {
    pub name: Ident,
    /// Whether it has `pub`, restricted or not.
    pub is_public: bool,
    /// Whether it has a body, and is neither `const` nor variadic.
    pub can_be_wrapped: bool,
}

impl Member {
    /// Splits tokens into items; no token is lost.
    pub fn split(tokens: TokenStream) -> Vec<Self> {
        let mut rest = Rest { trees: tokens.into_iter().collect::<Vec<_>>().into() };
        std::iter::from_fn(|| rest.next_member()).collect()
    }

    /// Parses one item.
    pub fn one(tokens: TokenStream) -> Self {
        let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut attributes = Vec::new();
        loop {
            open_invisible_brackets(&mut trees);
            let more = take_attributes(&mut trees);
            if more.is_empty() {
                break;
            }
            attributes.extend(more);
        }
        let kind = Kind::of(&trees);
        Self { attributes, trees, kind }
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        tokens.extend(self.trees.iter().cloned());
    }
}

/// The braces of a body, also inside of the invisible groups that `macro_rules!` puts around fragments.
pub fn braces(tree: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            let only = inside.next()?;
            inside.next().is_none().then(|| braces(&only)).flatten()
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

/// `macro_rules!` puts invisible groups around an item, an attribute or a visibility. Opens those at the beginning.
fn open_invisible_brackets(trees: &mut Vec<TokenTree>) {
    while let Some(TokenTree::Group(group)) = trees.first()
        && group.delimiter() == Delimiter::None
    {
        let inside = group.stream();
        trees.splice(..1, inside);
    }
}

struct Rest {
    trees: std::collections::VecDeque<TokenTree>,
}

impl Rest {
    fn next_member(&mut self) -> Option<Member> {
        let mut trees = Vec::new();
        self.open_invisible_brackets();
        // Outer and inner attributes.
        while self.trees.front().is_some_and(|tree| is_punct(tree, '#')) {
            trees.extend(self.trees.pop_front());
            if self.trees.front().is_some_and(|tree| is_punct(tree, '!')) {
                trees.extend(self.trees.pop_front());
            }
            trees.extend(self.trees.pop_front());
            self.open_invisible_brackets();
        }
        let ends_at_semicolon = self.ends_at_semicolon();
        while let Some(tree) = self.trees.pop_front() {
            let ends = match braces(&tree) {
                // Braces within `Array<{ N }>` are followed by a token that cannot start an item.
                Some(_) => !ends_at_semicolon && !self.trees.front().is_some_and(goes_on),
                None => is_punct(&tree, ';'),
            };
            trees.push(tree);
            if ends {
                break;
            }
        }
        (!trees.is_empty()).then(|| Member::one(trees.into_iter().collect()))
    }

    /// The same for what is left.
    fn open_invisible_brackets(&mut self) {
        while let Some(TokenTree::Group(group)) = self.trees.front()
            && group.delimiter() == Delimiter::None
        {
            let inside = group.stream();
            self.trees.pop_front();
            for tree in inside.into_iter().collect::<Vec<_>>().into_iter().rev() {
                self.trees.push_front(tree);
            }
        }
    }

    /// Whether braces within the item are part of a value or list.
    fn ends_at_semicolon(&self) -> bool {
        let words: Vec<String> = words(self.trees.iter()).take(2).map(ToString::to_string).collect();
        match words.first().map(String::as_str) {
            Some("use" | "static" | "type") => true,
            Some("const") => !matches!(words.get(1).map(String::as_str), Some("fn" | "unsafe" | "async" | "extern")),
            _ => false,
        }
    }
}

/// The leading words of an item after its visibility.
fn words<'a>(trees: impl Iterator<Item = &'a TokenTree>) -> impl Iterator<Item = &'a Ident> {
    let mut trees = trees.peekable();
    if trees.next_if(|tree| is_word(tree, "pub")).is_some() {
        trees.next_if(|tree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis));
    }
    let abi = |tree: &&TokenTree| matches!(tree, TokenTree::Literal(_));
    trees.filter(move |tree| !abi(tree)).map_while(|tree| match tree {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    })
}

impl Kind {
    fn of(trees: &[TokenTree]) -> Self {
        const BEFORE: [&str; 8] = ["const", "async", "unsafe", "safe", "extern", "default", "gen", "auto"];
        let mut is_const = false;
        let mut words = words(trees.iter());
        let Some(kind) = words.find(|word| {
            is_const |= *word == "const";
            !BEFORE.iter().any(|before| *word == before)
        }) else {
            return Self::Other;
        };
        let body = trees.last().and_then(braces);
        match kind.to_string().as_str() {
            "fn" => match words.next() {
                Some(name) => Self::Function(Head {
                    name: name.clone(),
                    is_public: trees.first().is_some_and(|tree| is_word(tree, "pub")),
                    can_be_wrapped: body.is_some() && !is_const && !is_variadic(trees),
                }),
                None => Self::Other,
            },
            "impl" | "trait" | "mod" if body.is_some() => Self::Block(kind.clone()),
            _ => Self::Other,
        }
    }
}

impl Head {
    /// Its name, without `r#`.
    pub fn word(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// Whether a function has an argument `...`.
fn is_variadic(trees: &[TokenTree]) -> bool {
    let arguments = trees.iter().skip_while(|tree| !is_word(tree, "fn")).find_map(|tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group.stream()),
        _ => None,
    });
    let trees: Vec<TokenTree> = arguments.into_iter().flatten().collect();
    trees.windows(3).any(|three| three.iter().all(|tree| is_punct(tree, '.')))
}

fn goes_on(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if ['>', ',', ':', '+', '='].contains(&punct.as_char()))
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}
