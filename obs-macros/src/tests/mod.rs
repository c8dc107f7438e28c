//! What is said of every wrong use, and what becomes of every right one.

#![allow(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod arguments;
mod blocks;
mod checks;
mod error_kind;
#[cfg(not(feature = "off"))]
mod error_types;
#[cfg(not(feature = "off"))]
mod expansion;
#[cfg(not(feature = "off"))]
mod expansion_of_checks;
mod fuzz;
mod items;
mod keys;
#[cfg(feature = "off")]
mod off;
#[cfg(not(feature = "off"))]
mod order;
#[cfg(not(feature = "off"))]
mod returned_futures;
mod values;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::driver;
use crate::grammar::vocabulary::Attribute;

/// What the attribute of that name makes of an item, as text.
#[cfg(not(feature = "off"))]
fn expanded(attribute: &str, args: &str, item: &str) -> String {
    shown(expand(attribute, args, item))
}

/// What the attribute of that name makes of an item.
fn expand(attribute: &str, args: &str, item: &str) -> TokenStream {
    driver::expand(Attribute::named(attribute).unwrap(), &tokens(args), tokens(item))
}

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap()
}

/// The same text, spaced as [`shown`] does.
fn normal(text: &str) -> String {
    shown(tokens(text))
}

/// Tokens as text, with a space between any two of them.
fn shown(tokens: TokenStream) -> String {
    let mut text = String::new();
    show(tokens, &mut text);
    without_documented(&text).replace("{  }", "{ }")
}

fn show(tokens: TokenStream, text: &mut String) {
    for (place, tree) in tokens.into_iter().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("( ", " )"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::Bracket => ("[ ", " ]"),
                    Delimiter::None => (" ", " "),
                };
                text.push_str(open);
                show(group.stream(), text);
                text.push_str(close);
            }
            leaf => text.push_str(&leaf.to_string()),
        }
    }
}

/// The text without the item that only rust-analyzer sees.
fn without_documented(text: &str) -> String {
    const BEGIN: &str = "# [ allow ( unexpected_cfgs ) ] const _ : (  ) = {";
    const END: &str = "} } ; ";
    // So that a body of nothing else ends as an empty one does.
    let mut parts = text.split(BEGIN);
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once(END).map_or("", |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

/// The messages of all `compile_error!` in the tokens.
fn messages_in(expansion: TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = expansion.into_iter().collect();
    let is_word = |tree: &TokenTree| matches!(tree, TokenTree::Ident(ident) if ident == "compile_error");
    trees
        .windows(3)
        .filter(|trees| is_word(&trees[0]))
        .map(|trees| match &trees[2] {
            TokenTree::Group(group) => syn::parse2::<syn::LitStr>(group.stream()).unwrap().value(),
            other => panic!("no message in `{other}`"),
        })
        .collect()
}

/// The messages on a function that is otherwise fine; fails when the function did not come through untouched.
fn messages(attribute: &str, args: &str) -> Vec<String> {
    let item = match attribute {
        "health_check" | "dq_check" => "fn check() -> Result<(), Error> { Ok(()) }",
        _ => "pub fn load(table: &str, mut rows: u64, password: &str) -> Result<u64, Error> { body(rows) }",
    };
    messages_on(attribute, args, item)
}

/// The messages on an item; fails when the item did not come through untouched.
fn messages_on(attribute: &str, args: &str, item: &str) -> Vec<String> {
    let expansion = expand(attribute, args, item);
    assert!(shown(expansion.clone()).ends_with(&normal(item)), "the item is not untouched in `{expansion}`");
    messages_in(expansion)
}

/// The only message there is.
fn message(attribute: &str, args: &str) -> String {
    let [message] = messages(attribute, args).try_into().unwrap();
    message
}

/// Fails when there is any message.
fn accepted(attribute: &str, args: &str) {
    let item = match attribute {
        "health_check" | "dq_check" => "fn check() -> Score { Score(0.5) }",
        _ => "fn load(table: &str, mut rows: u64, password: &str) -> Result<u64, Error> { body(rows) }",
    };
    let messages = messages_in(expand(attribute, args, item));
    assert!(messages.is_empty(), "{attribute}({args}): {messages:?}");
}
