//! What the layout of the crates promises, as lists of what breaks it.

use std::path::Path;

use syn::Item;

use crate::graph::{Graph, line_of};

/// Imports of a folder by one that stands before it in `order`. The root file, `lib.rs`, may import everything.
pub fn against_order(graph: &Graph, source: &Path, order: &[&str]) -> Vec<String> {
    let place = |file: &Path| {
        let inside = file.strip_prefix(source).unwrap_or(file);
        let is_root = inside == Path::new("lib.rs");
        let folder = inside.parent().and_then(|parent| parent.iter().next());
        let known = order.iter().position(|name| folder.is_some_and(|folder| folder == *name));
        known.or(is_root.then_some(order.len()))
    };
    let mut found = Vec::new();
    for (file, imports) in graph {
        if place(file).is_none() {
            found.push(format!("{} has no place in the order", file.display()));
        }
        for (other, names) in imports.iter().filter(|(other, _)| place(other) > place(file) || place(other).is_none()) {
            found.push(format!("{} imports {}: {}", file.display(), other.display(), line_of(names)));
        }
    }
    found.sort();
    found
}

/// The items of a `mod.rs` that are neither `mod name;` nor `use`.
pub fn code_in_mod_file(text: &str) -> Vec<String> {
    let parsed = syn::parse_file(text).unwrap();
    let is_code = |item: &Item| match item {
        Item::Mod(module) => module.content.is_some(),
        item => !matches!(item, Item::Use(_)),
    };
    let first_words = |item: Item| {
        let text = quote::quote!(#item).to_string();
        text.chars().take(60).collect::<String>()
    };
    parsed.items.into_iter().filter(is_code).map(first_words).collect()
}
