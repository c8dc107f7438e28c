//! The layout of the crates as rules. Each gives what breaks it, as lines for people.

use std::path::Path;

use syn::Item;

use crate::graph::{Graph, line_of};

/// Imports against an order of folders, or of files, in `source`: each may import what stands in a group before its own,
/// and itself.
pub fn against_order(graph: &Graph, source: &Path, order: &[&[&str]]) -> Vec<String> {
    let part = |file: &Path| {
        let inside = file.strip_prefix(source).unwrap_or(file);
        inside.iter().next().unwrap_or_default().to_string_lossy().into_owned()
    };
    let place = |file: &Path| {
        let part = part(file);
        order.iter().position(|group| group.contains(&&*part))
    };
    let mut found = Vec::new();
    for (file, imports) in graph {
        if place(file).is_none() {
            found.push(format!("{} has no place in the order", file.display()));
            continue;
        }
        for (other, names) in imports {
            if part(file) != part(other) && place(other).is_none_or(|other| place(file) <= Some(other)) {
                found.push(format!("{} imports {}: {}", file.display(), other.display(), line_of(names)));
            }
        }
    }
    found
}

/// The items of a `mod.rs` that are neither `mod name;` nor `use`, by their first words.
pub fn code_in_mod_file(text: &str) -> Vec<String> {
    let is_code = |item: &Item| match item {
        Item::Mod(module) => module.content.is_some(),
        item => !matches!(item, Item::Use(_)),
    };
    let first_words = |item: Item| quote::quote!(#item).to_string().chars().take(80).collect();
    syn::parse_file(text).unwrap().items.into_iter().filter(is_code).map(first_words).collect()
}
