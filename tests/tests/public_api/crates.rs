//! The modules of a crate, by path, and which item a path names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree, Visibility};

/// Names of modules below the crate's root.
pub type ModulePath = Vec<String>;

/// A name that a `use` declaration brings into scope; all public names of `path` if `name` is `None`.
pub struct Import {
    pub path: Vec<String>,
    pub name: Option<String>,
    pub is_public: bool,
    pub documentation: String,
}

#[derive(Default)]
pub struct Module {
    pub items: Vec<Item>,
    pub imports: Vec<Import>,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Module(ModulePath),
    Item(ModulePath, String),
    /// Something of another crate, by its full path.
    Foreign(Vec<String>),
}

pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    pub fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        add_file(&mut modules, Vec::new(), root, root.parent().unwrap());
        Self { modules }
    }

    /// What a path in a module names. Paths of the standard library, generic parameters and the like name nothing.
    pub fn resolve(&self, module: &[String], path: &[String]) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Target::Module(Vec::new()),
            "self" => Target::Module(module.to_vec()),
            "super" => Target::Module(module.split_last()?.1.to_vec()),
            "std" | "core" | "alloc" => return None,
            name => match self.lookup(module, name.trim_start_matches(':')) {
                Some(found) if !name.starts_with(':') => found,
                _ => Target::Foreign(vec![name.trim_start_matches(':').to_owned()]),
            },
        };
        rest.iter().try_fold(start, |at, name| match at {
            Target::Module(module) => self.lookup(&module, name),
            Target::Item(..) => Some(at),
            Target::Foreign(mut path) => {
                path.push(name.clone());
                Some(Target::Foreign(path))
            }
        })
    }

    /// What a module calls by a name, whether it defines or imports it.
    pub fn lookup(&self, module: &[String], name: &str) -> Option<Target> {
        let child: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some(Target::Module(child));
        }
        let found = self.modules.get(module)?;
        if found.items.iter().any(|item| defined_name(item).is_some_and(|defined| defined == name)) {
            return Some(Target::Item(module.to_vec(), name.to_owned()));
        }
        let import = found.imports.iter().find(|import| import.name.as_deref() == Some(name))?;
        if import.path.len() == 1 && import.path[0] == name {
            return Some(Target::Foreign(import.path.clone()));
        }
        self.resolve(module, &import.path)
    }
}

fn add_file(modules: &mut BTreeMap<ModulePath, Module>, path: ModulePath, file: &Path, children: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    add_module(modules, path, parsed.items, children);
}

fn add_module(modules: &mut BTreeMap<ModulePath, Module>, path: ModulePath, items: Vec<Item>, children: &Path) {
    let mut module = Module::default();
    for mut item in items {
        if is_for_tests(attributes(&item)) {
            continue;
        }
        match &mut item {
            Item::Mod(inner) => {
                let name = inner.ident.to_string();
                let child: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
                let below = children.join(&name);
                if let Some((_, items)) = inner.content.take() {
                    add_module(modules, child, items, &below);
                } else if let Some(file) = path_attribute(&inner.attrs) {
                    let file = children.join(file);
                    add_file(modules, child, &file, file.parent().unwrap());
                } else {
                    let flat = children.join(format!("{name}.rs"));
                    let file = if flat.exists() { flat } else { below.join("mod.rs") };
                    add_file(modules, child, &file, &below);
                }
            }
            Item::Use(item) => {
                let first = item.leading_colon.as_ref().map(|_| ":");
                let is_public = matches!(item.vis, Visibility::Public(_)) && !is_hidden(&item.attrs);
                let documentation = documentation(&item.attrs);
                add_imports(&mut module.imports, &item.tree, Vec::new(), first, (is_public, &documentation));
            }
            _ => {}
        }
        module.items.push(item);
    }
    modules.insert(path, module);
}

fn add_imports(
    imports: &mut Vec<Import>,
    tree: &UseTree,
    mut path: Vec<String>,
    first: Option<&str>,
    (is_public, documentation): (bool, &str),
) {
    let mut add = |path: Vec<String>, name: Option<String>| {
        imports.push(Import { path, name, is_public, documentation: documentation.to_owned() });
    };
    let word = |ident: &syn::Ident, path: &[String]| {
        let mark = if path.is_empty() { first.unwrap_or_default() } else { "" };
        format!("{mark}{ident}")
    };
    match tree {
        UseTree::Path(part) => {
            path.push(word(&part.ident, &path));
            add_imports(imports, &part.tree, path, first, (is_public, documentation));
        }
        UseTree::Name(part) if part.ident == "self" => add(path.clone(), path.last().cloned()),
        UseTree::Name(part) => {
            path.push(word(&part.ident, &path));
            add(path, Some(part.ident.to_string()));
        }
        UseTree::Rename(part) => {
            if part.ident != "self" {
                path.push(word(&part.ident, &path));
            }
            add(path, Some(part.rename.to_string()));
        }
        UseTree::Glob(_) => add(path, None),
        UseTree::Group(group) => {
            for part in &group.items {
                add_imports(imports, part, path.clone(), first, (is_public, documentation));
            }
        }
    }
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        attribute.path().is_ident("cfg")
            && ["(test)", "(test ,", "(doctest)"].iter().any(|condition| text.contains(condition))
    })
}

/// The lines of the documentation.
pub fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("doc") && list.tokens.to_string() == "hidden",
        _ => false,
    })
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub fn defined_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

pub fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Const(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Mod(item) => Some(&item.vis),
        Item::Static(item) => Some(&item.vis),
        Item::Struct(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        _ => None,
    }
}
