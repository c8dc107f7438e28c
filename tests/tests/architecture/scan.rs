//! What a piece of code names: its `use` declarations and its paths, bodies of macros included.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, ItemUse, UseTree};

/// One name that a `use` declaration brings into scope; all names of `path` if `name` is `None`.
pub struct Use {
    /// The first segment is `::a` if another crate is named that way.
    pub path: Vec<String>,
    pub name: Option<String>,
    pub line: usize,
}

/// A path in code: `a::b`, or the name of a macro that is called.
pub struct Mention {
    pub path: Vec<String>,
    pub line: usize,
    pub is_macro: bool,
}

#[derive(Default)]
pub struct Names {
    pub uses: Vec<Use>,
    pub mentions: Vec<Mention>,
    /// Words that stand alone.
    pub words: BTreeSet<String>,
}

impl Names {
    pub fn add_use(&mut self, item: &ItemUse) {
        let line = item.use_token.span.start().line;
        let before = self.uses.len();
        self.add_use_tree(&item.tree, Vec::new(), line);
        if item.leading_colon.is_some() {
            for Use { path, .. } in &mut self.uses[before..] {
                path[0].insert_str(0, "::");
            }
        }
    }

    fn add_use_tree(&mut self, tree: &UseTree, mut path: Vec<String>, line: usize) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.add_use_tree(&part.tree, path, line);
            }
            UseTree::Name(part) => self.add_name(path, part.ident.to_string(), None, line),
            UseTree::Rename(part) => {
                self.add_name(path, part.ident.to_string(), Some(part.rename.to_string()), line);
            }
            UseTree::Glob(_) => self.uses.push(Use { path, name: None, line }),
            UseTree::Group(group) => {
                for part in &group.items {
                    self.add_use_tree(part, path.clone(), line);
                }
            }
        }
    }

    fn add_name(&mut self, mut path: Vec<String>, last: String, renamed: Option<String>, line: usize) {
        // `a::{self}` brings `a`, as a module only.
        let own = if last == "self" { path.last().cloned() } else { Some(last.clone()) };
        path.push(last);
        self.uses.push(Use { path, name: renamed.or(own), line });
    }

    /// Reads any tokens: items, bodies of functions and of macros. Leaves out what is only compiled for tests.
    pub fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_test_attribute(tokens.get(at + 1)) => {
                    after_element(&tokens, at + 2)
                }
                TokenTree::Ident(ident) if ident == "use" => self.add_inner_use(&tokens, at),
                TokenTree::Ident(_) => self.add_path(&tokens, at),
                TokenTree::Group(group) => {
                    self.add_tokens(group.stream());
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// A `use` in the body of a function; also the word `use` in `impl Trait + use<'a>`.
    fn add_inner_use(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let length = tokens[start..].iter().position(|token| is_punct(Some(token), ';')).map_or(0, |length| length + 1);
        let declaration = tokens[start..start + length].iter().cloned().collect();
        match syn::parse2::<ItemUse>(declaration) {
            Ok(item) => {
                self.add_use(&item);
                start + length
            }
            Err(_) => start + 1,
        }
    }

    fn add_path(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let mut path = Vec::new();
        let mut at = start;
        while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
            path.push(ident.to_string());
            at += 1;
            let goes_on = is_path_separator(tokens, at) && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)));
            if !goes_on {
                break;
            }
            at += 2;
        }
        let called = matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
        let is_macro = path.len() == 1 && is_punct(tokens.get(at), '!') && called;
        let line = tokens[start].span().start().line;
        let follows = start >= 2 && is_path_separator(tokens, start - 2);
        // `Vec::<u8>::new` goes on where `::std::mem` begins.
        let is_part = |token: &TokenTree| matches!(token, TokenTree::Ident(_)) || is_punct(Some(token), '>');
        let continues = follows && start.checked_sub(3).is_some_and(|before| is_part(&tokens[before]));
        if follows && !continues {
            path[0].insert_str(0, "::");
        }
        let before = start.checked_sub(1).and_then(|before| tokens.get(before));
        // `#name` in `quote!` and `$name` in `macro_rules!` are variables, but for `$crate`; `.name` is a field.
        let is_variable = is_punct(before, '#') || (is_punct(before, '$') && path[0] != "crate");
        if continues || is_variable || is_punct(before, '.') {
            return at;
        }
        if path.len() > 1 || is_macro {
            self.mentions.push(Mention { path, line, is_macro });
        } else {
            self.words.extend(path);
        }
        at
    }
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// `[cfg(test)]`, `[cfg(all(test, …))]`, `[test]`
fn is_test_attribute(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else { return false };
    group.delimiter() == Delimiter::Bracket && is_test_only(group.stream())
}

pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let meta = &attribute.meta;
        is_test_only(quote::quote!(#meta))
    })
}

fn is_test_only(attribute: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg" => needs_test(group.stream()),
        _ => false,
    }
}

fn needs_test(predicate: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = predicate.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(name)] => name == "test" || name == "doctest",
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => {
            let parts: Vec<TokenTree> = group.stream().into_iter().collect();
            parts.split(|token| is_punct(Some(token), ',')).any(|part| needs_test(part.iter().cloned().collect()))
        }
        _ => false,
    }
}

/// Where the item, statement, field or arm that begins at `start` ends.
fn after_element(tokens: &[TokenTree], start: usize) -> usize {
    let is_modifier = |token: &TokenTree| match token {
        TokenTree::Ident(ident) => ["pub", "async", "const", "unsafe", "extern"].iter().any(|word| ident == word),
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    };
    let first = tokens[start..].iter().find(|token| !is_modifier(token));
    // In the head of a function or an impl, a comma ends nothing.
    let has_head =
        matches!(first, Some(TokenTree::Ident(ident)) if ["fn", "impl", "trait"].iter().any(|word| ident == word));
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at + 1,
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => return at + 1,
                ',' if depth == 0 && !has_head => return at + 1,
                '<' => depth += 1,
                '>' if !is_punct(tokens.get(at - 1), '-') && !is_punct(tokens.get(at - 1), '=') => depth -= 1,
                _ => {}
            },
            _ => {}
        }
    }
    tokens.len()
}
