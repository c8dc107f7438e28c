//! The grammar of all attributes: `key`, `key = expr` and `key(…)`, separated by commas.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token, token};

use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::vocabulary::{Attribute, Key, Vocabulary};

/// A key with its value.
pub struct Entry {
    pub key: Ident,
    pub value: Value,
}

/// The value of a key.
pub enum Value {
    /// `key`
    Absent,
    /// `key = expr`
    Expr(Expr),
    /// `key(…)`
    List(Group),
}

impl Entry {
    /// The key without `r#`.
    pub fn name(&self) -> String {
        self.key.unraw().to_string()
    }
}

/// Splits tokens into entries. After a syntax error, parsing resumes after the next comma.
pub fn entries(tokens: TokenStream, expected: &str, diagnostics: &mut Diagnostics) -> Vec<Entry> {
    let read = |input: ParseStream| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            if let Some(entry) = diagnostics.keep(entry(input, expected)) {
                entries.push(entry);
                if !ends_here(input) {
                    diagnostics.add(input.error("expected `,` before this"));
                }
            }
            skip_past_comma(input)?;
        }
        Ok(entries)
    };
    // The closure itself never fails: each error is already among the diagnostics.
    read.parse2(tokens).unwrap_or_default()
}

fn entry(input: ParseStream, expected: &str) -> syn::Result<Entry> {
    let begin = input.fork();
    let meant = || {
        meant(&begin, expected.starts_with("a name"))
            .map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
    };
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected {expected}{}", meant())));
    }
    let key = input.call(Ident::parse_any)?;
    let value = if ends_here(input) {
        Value::Absent
    } else if input.peek(token::Paren) {
        Value::List(input.parse()?)
    } else if input.peek(Token![=]) {
        let equals: Token![=] = input.parse()?;
        if ends_here(input) {
            return Err(syn::Error::new_spanned(equals, format!("`{}` has no value", key.unraw())));
        }
        Value::Expr(expr(input)?)
    } else if input.peek(token::Bracket) || input.peek(token::Brace) {
        return Err(input.error(format!("expected parentheses after `{name}`: `{name}(…)`", name = key.unraw())));
    } else {
        return Err(input.error(format!("expected `=` between `{}` and its value{}", key.unraw(), meant())));
    };
    Ok(Entry { key, value })
}

/// The likely meaning of a value without a key, or of `key: value`.
fn meant(begin: ParseStream, in_list: bool) -> Option<String> {
    let named = |name: &Ident, value: &Expr| {
        let value = value.to_token_stream().to_string().replace([' '], "");
        (value.len() < 60).then(|| format!("{} = {value}", name.unraw()))
    };
    if begin.peek(Ident::peek_any) && begin.peek2(Token![:]) && !begin.peek2(Token![::]) {
        let name = begin.call(Ident::parse_any).ok()?;
        begin.parse::<Token![:]>().ok()?;
        return named(&name, &begin.parse().ok()?);
    }
    let value: Expr = begin.parse().ok()?;
    if !ends_here(begin) {
        return None;
    }
    if !in_list {
        return matches!(&value, Expr::Lit(lit) if matches!(lit.lit, syn::Lit::Str(_)))
            .then(|| format!("name = {}", value.to_token_stream()));
    }
    match &value {
        Expr::Field(syn::ExprField { member: syn::Member::Named(name), .. }) => named(name, &value),
        Expr::MethodCall(call) => named(&call.method, &value),
        Expr::Path(path) if path.path.segments.len() > 1 => {
            let name = &path.path.segments.last()?.ident;
            named(&Ident::new(&name.unraw().to_string().to_lowercase(), name.span()), &value)
        }
        Expr::Reference(reference) => match &*reference.expr {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        },
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
            syn::parse_str::<Ident>(&text.value()).ok().map(|name| name.to_string())
        }
        _ => None,
    }
}

/// Parses an expression, and consumes nothing if that fails.
fn expr(input: ParseStream) -> syn::Result<Expr> {
    let ahead = input.fork();
    let expr = ahead.parse()?;
    input.advance_to(&ahead);
    Ok(expr)
}

fn ends_here(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_past_comma(input: ParseStream) -> syn::Result<()> {
    while !ends_here(input) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>().map(drop)
}

/// The arguments of one attribute: known keys only, each at most once and in its form.
pub struct Args {
    attribute: Attribute,
    words: Vec<Ident>,
    known: Vec<(&'static Key, Entry)>,
}

impl Args {
    /// Parses the arguments; everything else is reported.
    pub fn parse(vocabulary: Vocabulary, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let expected = format!("a key: {}", vocabulary.takes());
        let words = key_words(&tokens);
        let mut known: Vec<(&Key, Entry)> = Vec::new();
        for entry in entries(tokens, &expected, diagnostics) {
            let name = entry.name();
            let Some(key) = vocabulary.key(&name) else {
                diagnostics.at(&entry.key, vocabulary.unknown_key(&name));
                continue;
            };
            if known.iter().any(|(seen, _)| seen.name == name) {
                diagnostics.at(&entry.key, format!("`{name}` is a duplicate key; remove one"));
            } else if let Some(message) = misshapen(key, &entry.value) {
                diagnostics.at(&entry.key, message);
            } else {
                known.push((key, entry));
            }
        }
        Self { attribute: vocabulary.attribute, words, known }
    }

    /// The attribute.
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// The words in the position of a key, known or half typed.
    pub fn words(&self) -> &[Ident] {
        &self.words
    }

    /// The value of a key, converted by `read`.
    pub fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Key, &Expr) -> syn::Result<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        let (key, entry) = self.find(name)?;
        match &entry.value {
            Value::Expr(expr) => diagnostics.keep(read(key, expr)),
            Value::Absent | Value::List(_) => None,
        }
    }

    /// The entries of a list key.
    pub fn list(&self, name: &str, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        match self.find(name) {
            Some((key, Entry { value: Value::List(group), .. })) => {
                entries(group.stream(), &format!("a name: `{}`", key.usage), diagnostics)
            }
            _ => Vec::new(),
        }
    }

    /// The value of a key, unread.
    pub fn written(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|(_, entry)| &entry.value)
    }

    /// The definition of a key, if it was given.
    pub fn definition(&self, name: &str) -> Option<&'static Key> {
        self.find(name).map(|(key, _)| *key)
    }

    /// The token of a key, if it was given.
    pub fn key(&self, name: &str) -> Option<&Ident> {
        self.find(name).map(|(_, entry)| &entry.key)
    }

    fn find(&self, name: &str) -> Option<&(&'static Key, Entry)> {
        self.known.iter().find(|(key, _)| key.name == name)
    }
}

/// The first word after each comma, if it is an identifier. The comma in `Err::<Vec<u8>, _>` counts too.
fn key_words(args: &TokenStream) -> Vec<Ident> {
    let mut begins = true;
    let mut words = Vec::new();
    for tree in args.clone() {
        match &tree {
            TokenTree::Ident(word) if begins && syn::parse2::<Ident>(word.to_token_stream()).is_ok() => {
                words.push(word.clone());
            }
            _ => {}
        }
        begins = matches!(&tree, TokenTree::Punct(comma) if comma.as_char() == ',');
    }
    words
}

fn misshapen(key: &Key, value: &Value) -> Option<String> {
    match value {
        Value::Absent if key.may_stand_alone() => None,
        Value::Expr(_) | Value::List(_) if key.is_flag() => Some(format!("`{0}` takes no value", key.name)),
        Value::Absent => Some(format!("`{}` has no value: `{}`", key.name, key.usage)),
        Value::Expr(_) if key.is_list() => Some(format!("`{}` is a list: `{}`", key.name, key.usage)),
        Value::List(_) if !key.is_list() => Some(format!("`{}` is one value: `{}`", key.name, key.usage)),
        Value::Expr(_) | Value::List(_) => None,
    }
}
