//! The modules of a crate, read from its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Expr, ExprLit, Item, ItemMod, Lit, Meta};

use crate::scan::{Names, Use, is_for_tests};

/// What a name of a module stands for.
#[derive(Clone)]
pub enum Binding {
    Module(usize),
    Item,
    /// An import, as the path that it names.
    Import(Vec<String>),
}

pub struct Module {
    pub file: PathBuf,
    pub parent: Option<usize>,
    pub for_tests: bool,
    /// Holds declarations and re-exports only: importing through it does not import it, nor does it import.
    pub is_transparent: bool,
    pub bindings: BTreeMap<String, Vec<Binding>>,
    pub globs: Vec<Vec<String>>,
    pub names: Names,
}

#[derive(Default)]
pub struct Crate {
    /// The first is the root.
    pub modules: Vec<Module>,
    /// Names of the crate for itself: `extern crate self as …`.
    pub aliases: Vec<String>,
    /// Modules by the macros that they define with `macro_rules!`.
    pub macros: BTreeMap<String, usize>,
}

/// Where a module's code is, and where the files of its children are.
struct Place {
    file: PathBuf,
    children: PathBuf,
    parent: Option<usize>,
    for_tests: bool,
}

struct Reader<'a> {
    read: &'a dyn Fn(&Path) -> Option<String>,
    found: Crate,
}

impl Crate {
    /// Reads the crate whose root is `file`; `read` gives the text of a file, if there is such a file.
    pub fn read(file: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut reader = Reader { read, found: Self::default() };
        reader.add_file(Place {
            file: file.to_owned(),
            children: file.parent().unwrap().to_owned(),
            parent: None,
            for_tests: false,
        });
        reader.found
    }
}

impl Reader<'_> {
    fn add_file(&mut self, place: Place) -> usize {
        let file = place.file.clone();
        let text = (self.read)(&file).unwrap_or_else(|| panic!("{} does not exist", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let is_transparent = parsed.items.iter().all(|item| match item {
            Item::Mod(module) => module.content.is_none() || is_for_tests(&module.attrs),
            item => matches!(item, Item::Use(_) | Item::ExternCrate(_)),
        });
        self.add_module(place, parsed.items, is_transparent)
    }

    fn add_module(&mut self, place: Place, items: Vec<Item>, is_transparent: bool) -> usize {
        let id = self.found.modules.len();
        self.found.modules.push(Module {
            file: place.file.clone(),
            parent: place.parent,
            for_tests: place.for_tests,
            is_transparent,
            bindings: BTreeMap::new(),
            globs: Vec::new(),
            names: Names::default(),
        });
        let mut names = Names::default();
        for item in items {
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let child = self.add_child(id, &place, module);
                    self.bind(id, name, Binding::Module(child));
                }
                Item::Use(item) if !is_for_tests(&item.attrs) => names.add_use(&item),
                Item::Use(_) => {}
                Item::ExternCrate(item) => {
                    if let (true, Some((_, alias))) = (item.ident == "self", item.rename) {
                        self.found.aliases.push(alias.to_string());
                    }
                }
                item => {
                    if let (Item::Macro(_), Some(name), false) = (&item, defined_name(&item), place.for_tests) {
                        self.found.macros.insert(name, id);
                    }
                    if let Some(name) = defined_name(&item) {
                        self.bind(id, name, Binding::Item);
                    }
                    names.add_tokens(item.into_token_stream());
                }
            }
        }
        for Use { path, name, .. } in &names.uses {
            match name {
                Some(name) => self.bind(id, name.clone(), Binding::Import(path.clone())),
                None => self.found.modules[id].globs.push(path.clone()),
            }
        }
        self.found.modules[id].names = names;
        id
    }

    fn bind(&mut self, module: usize, name: String, binding: Binding) {
        self.found.modules[module].bindings.entry(name).or_default().push(binding);
    }

    fn add_child(&mut self, parent: usize, place: &Place, module: ItemMod) -> usize {
        let name = module.ident.to_string();
        let for_tests = place.for_tests || is_for_tests(&module.attrs);
        let beside = place.file.parent().unwrap();
        let at = |file: PathBuf, children: PathBuf| Place { file, children, parent: Some(parent), for_tests };
        if let Some((_, items)) = module.content {
            return self.add_module(at(place.file.clone(), place.children.join(name)), items, false);
        }
        if let Some(path) = path_attribute(&module.attrs) {
            // Inside of an inline module, the path begins where that module's files are.
            let is_inline = self.found.modules[parent]
                .parent
                .is_some_and(|outer| self.found.modules[outer].file == self.found.modules[parent].file);
            let file = normal(&if is_inline { place.children.join(path) } else { beside.join(path) });
            let children = file.parent().unwrap().to_owned();
            return self.add_file(at(file, children));
        }
        let flat = place.children.join(format!("{name}.rs"));
        let children = place.children.join(&name);
        let file = if (self.read)(&flat).is_some() { flat } else { children.join("mod.rs") };
        self.add_file(at(file, children))
    }
}

/// Takes away `..`, so that one file has one path.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

fn defined_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
