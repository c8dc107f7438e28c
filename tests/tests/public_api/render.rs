//! Public items as text: signatures without bodies and documentation, with names of other crates in full.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Visibility};

use crate::crates::{Crate, ModulePath, Target, documentation, is_hidden};

/// One line of the text, and the documentation of what it shows if that has its own.
pub struct Line {
    pub text: String,
    pub documentation: String,
}

impl Line {
    pub fn new(text: impl Into<String>, attributes: &[Attribute]) -> Self {
        Self { text: text.into(), documentation: documentation(attributes) }
    }

    pub fn indented(self) -> Self {
        Self { text: format!("    {}", self.text), ..self }
    }
}

fn line(text: String) -> Line {
    Line::new(text, &[])
}

/// Renders what a module defines.
pub struct Renderer<'a> {
    pub of: &'a Crate,
    pub module: &'a ModulePath,
}

impl Renderer<'_> {
    /// The item's own lines, the first of which is its declaration.
    pub fn item(&self, item: &Item) -> Vec<Line> {
        match item {
            Item::Const(item) => vec![line(format!("const {}: {}", item.ident, self.text(&item.ty)))],
            Item::Static(item) => vec![line(format!("static {}: {}", item.ident, self.text(&item.ty)))],
            Item::Fn(item) => vec![line(self.text(&item.sig))],
            Item::Type(item) => {
                vec![line(format!("type {}{} = {}", item.ident, self.text(&item.generics), self.text(&item.ty)))]
            }
            Item::Struct(item) => {
                let declaration = format!("struct {}{}", item.ident, self.generics(&item.generics));
                let mut lines = self.declaration(&item.attrs, declaration);
                lines.extend(self.fields(&item.fields).into_iter().map(Line::indented));
                lines
            }
            Item::Enum(item) => {
                let declaration = format!("enum {}{}", item.ident, self.generics(&item.generics));
                let mut lines = self.declaration(&item.attrs, declaration);
                for variant in &item.variants {
                    let marks = marks(&variant.attrs);
                    let fields = match &variant.fields {
                        Fields::Named(fields) => {
                            let fields = fields
                                .named
                                .iter()
                                .map(|field| format!("{}: {}", field.ident.as_ref().unwrap(), self.text(&field.ty)));
                            format!(" {{ {} }}", fields.collect::<Vec<_>>().join(", "))
                        }
                        Fields::Unnamed(fields) => {
                            let fields = fields.unnamed.iter().map(|field| self.text(&field.ty));
                            format!("({})", fields.collect::<Vec<_>>().join(", "))
                        }
                        Fields::Unit => String::new(),
                    };
                    lines.push(Line::new(format!("    {marks}{}{fields}", variant.ident), &variant.attrs));
                }
                lines
            }
            Item::Trait(item) => {
                let bounds = self.text(&item.supertraits);
                let bounds = if bounds.is_empty() { bounds } else { format!(": {bounds}") };
                let declaration = format!("trait {}{}{bounds}", item.ident, self.generics(&item.generics));
                let mut lines = self.declaration(&item.attrs, declaration);
                for member in &item.items {
                    let member = match member {
                        TraitItem::Fn(member) if !is_hidden(&member.attrs) => {
                            let provided = if member.default.is_some() { " { .. }" } else { "" };
                            Line::new(format!("{}{provided}", self.text(&member.sig)), &member.attrs)
                        }
                        TraitItem::Const(member) => {
                            Line::new(format!("const {}: {}", member.ident, self.text(&member.ty)), &member.attrs)
                        }
                        TraitItem::Type(member) => Line::new(format!("type {}", member.ident), &member.attrs),
                        _ => continue,
                    };
                    lines.push(member.indented());
                }
                lines
            }
            _ => Vec::new(),
        }
    }

    /// The public part of an `impl` block.
    pub fn implementation(&self, block: &ItemImpl) -> Vec<Line> {
        let generics = self.text(&block.generics);
        let condition = self.text(&block.generics.where_clause).trim_end_matches(',').to_owned();
        let condition = if condition.is_empty() { condition } else { format!(" {condition}") };
        let own = self.text(&block.self_ty);
        let Some((of_trait, _)) = &block.trait_ else {
            let head = format!("impl{generics} {own}{condition}");
            let mut lines: Vec<Line> = block
                .items
                .iter()
                .flat_map(|member| match member {
                    ImplItem::Fn(member) if is_public(&member.vis) && !is_hidden(&member.attrs) => {
                        vec![Line::new(self.text(&member.sig), &member.attrs)]
                    }
                    ImplItem::Const(member) if is_public(&member.vis) && !is_hidden(&member.attrs) => {
                        vec![Line::new(format!("const {}: {}", member.ident, self.text(&member.ty)), &member.attrs)]
                    }
                    ImplItem::Macro(member) => self.invocation(&member.mac),
                    _ => Vec::new(),
                })
                .map(Line::indented)
                .collect();
            if !lines.is_empty() {
                lines.insert(0, line(head));
            }
            return lines;
        };
        let mut lines = vec![line(format!("impl{generics} {} for {own}{condition}", self.text(of_trait)))];
        for member in &block.items {
            if let ImplItem::Type(member) = member {
                lines.push(line(format!("    type {} = {}", member.ident, self.text(&member.ty))));
            }
        }
        lines
    }

    /// A call of a macro that defines items: a line for each of its parts, without what stands behind `=>`.
    pub fn invocation(&self, call: &syn::Macro) -> Vec<Line> {
        let Some(name) = call.path.segments.last() else { return Vec::new() };
        let mut parts = vec![(TokenStream::new(), false)];
        let mut after_equals = false;
        for token in without_attributes(call.tokens.clone()) {
            let character = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
            let last = parts.last_mut().unwrap();
            match &token {
                TokenTree::Punct(_) if character == ';' => parts.push((TokenStream::new(), false)),
                TokenTree::Punct(_) if character == '>' && after_equals => last.1 = true,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !last.1 => {
                    last.0.extend(quote::quote!({ .. }));
                }
                _ if !last.1 => last.0.extend([token]),
                _ => {}
            }
            after_equals = character == '=';
        }
        let parts = parts.iter().map(|(part, _)| self.text(part)).filter(|part| !part.is_empty());
        parts.map(|part| line(format!("{}! {}", name.ident, part.trim().trim_end_matches(" =")))).collect()
    }

    fn declaration(&self, attributes: &[Attribute], declaration: String) -> Vec<Line> {
        let mut lines = vec![line(format!("{}{declaration}", marks(attributes)))];
        let mut derived: Vec<String> = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
            .filter_map(|attribute| attribute.meta.require_list().ok())
            .flat_map(|list| self.text(&list.tokens).split(", ").map(str::to_owned).collect::<Vec<_>>())
            .collect();
        derived.sort();
        if !derived.is_empty() {
            lines.push(line(format!("    derive({})", derived.join(", "))));
        }
        lines
    }

    fn fields(&self, fields: &Fields) -> Vec<Line> {
        let mut lines: Vec<Line> = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| is_public(&field.vis) && !is_hidden(&field.attrs))
            .map(|(at, field)| {
                let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
                Line::new(format!("{name}: {}", self.text(&field.ty)), &field.attrs)
            })
            .collect();
        if lines.len() < fields.len() {
            lines.push(line("..".to_owned()));
        }
        lines
    }

    fn generics(&self, generics: &syn::Generics) -> String {
        let condition = self.text(&generics.where_clause);
        let space = if condition.is_empty() { "" } else { " " };
        format!("{}{space}{}", self.text(generics), condition.trim_end_matches(','))
    }

    /// Tokens as text, evenly spaced; names that are imported from other crates are written in full.
    pub fn text(&self, tokens: &impl ToTokens) -> String {
        let mut text = String::new();
        self.write(tokens.to_token_stream(), &mut text);
        text
    }

    fn write(&self, tokens: TokenStream, text: &mut String) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    if text.ends_with(|last: char| last.is_alphanumeric() || "_>,)]=+\"".contains(last)) {
                        text.push(' ');
                    }
                    let follows = text.ends_with("::") || text.ends_with('\'') || text.ends_with('.');
                    let is_name = matches!(tokens.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
                        && !matches!(tokens.get(at + 2), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                    text.push_str(&if follows || is_name { word } else { self.full(word) });
                }
                TokenTree::Punct(punct) => {
                    let character = punct.as_char();
                    let alone = punct.spacing() == Spacing::Alone;
                    let last_joins = at > 0
                        && matches!(&tokens[at - 1], TokenTree::Punct(before) if before.spacing() == Spacing::Joint);
                    match character {
                        '=' | '+' | '|' if !last_joins => text.extend([' ', character]),
                        '-' => text.push_str(" -"),
                        ':' if alone && !last_joins => text.push(':'),
                        '&' | '*' | '?' | '#' | '!' | '$' | '\'' if wants_space(text) => {
                            text.extend([' ', character]);
                        }
                        _ => text.push(character),
                    }
                    if character == ':' && alone && !last_joins {
                        text.push(' ');
                    }
                }
                TokenTree::Literal(literal) => {
                    if wants_space(text) {
                        text.push(' ');
                    }
                    text.push_str(&literal.to_string());
                }
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    let after_arrow = text.ends_with("->") || text.ends_with(',') || text.ends_with(['=', '+']);
                    let after_word = group.delimiter() == Delimiter::Brace
                        || group.delimiter() == Delimiter::Bracket && text.ends_with(char::is_alphanumeric);
                    if after_arrow || after_word {
                        text.push(' ');
                    }
                    text.push_str(open);
                    self.write(group.stream(), text);
                    while text.ends_with([',', ' ']) {
                        text.pop();
                    }
                    text.push_str(close);
                }
            }
        }
    }

    /// The path of a name that is imported from another crate; other names as they are.
    fn full(&self, name: String) -> String {
        match self.of.lookup(self.module, &name) {
            Some(Target::Foreign(path)) => path.join("::"),
            _ => name,
        }
    }
}

fn wants_space(text: &str) -> bool {
    text.ends_with(|last: char| last.is_alphanumeric() || ">,)]=+".contains(last))
}

/// Tokens without `#[…]`.
fn without_attributes(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_mark = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_mark && matches!(tokens.peek(), Some(TokenTree::Group(_))) {
            tokens.next();
        } else {
            kept.push(token);
        }
    }
    kept
}

/// `#[non_exhaustive]` and `#[deprecated]`, to stand before a declaration.
fn marks(attributes: &[Attribute]) -> String {
    let marked = |name: &str| attributes.iter().any(|attribute| attribute.path().is_ident(name));
    let marks = [("non_exhaustive", "#[non_exhaustive] "), ("deprecated", "#[deprecated] ")];
    marks.iter().filter(|(name, _)| marked(name)).map(|(_, mark)| *mark).collect()
}

pub fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
