//! The public API of obs-runtime with all features, as a text: every change of it shows in a diff of `tests/public-api.txt`.
//!
//! It is read from the source files, because rustdoc's JSON needs a nightly compiler. What macros generate is listed as the
//! call of the macro; auto traits are not listed. `OBS_BLESS=1 cargo test -p obs-tests --test public_api` writes the file.

mod crates;
mod render;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::{Item, Type};

use crates::{Crate, ModulePath, Target, attributes, defined_name, documentation, is_hidden, visibility};
use render::{Line, Renderer, is_public};

/// The lines of each public item, by its path.
type Api = BTreeMap<String, Entry>;

#[derive(Default)]
struct Entry {
    lines: Vec<Line>,
    /// The documentation of the item and of its re-export.
    documentation: String,
}

/// Macros whose content is private, or compared with the reference pages of metrics and variables.
const ELSEWHERE: [&str; 3] = ["families", "thread_local", "variables"];

struct Walk<'a> {
    of: &'a Crate,
    api: Api,
    /// Modules that define a public item.
    defining: BTreeSet<ModulePath>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

static API: LazyLock<Api> = LazyLock::new(api);

fn api() -> Api {
    let of = Crate::read(&root().join("obs-runtime/src/lib.rs"));
    let mut walk = Walk { of: &of, api: Api::new(), defining: BTreeSet::new() };
    walk.module(&Vec::new(), "obs_runtime");
    for module in walk.defining.clone() {
        walk.macros(&module);
    }
    walk.api
}

impl Walk<'_> {
    fn module(&mut self, module: &ModulePath, path: &str) {
        let content = &self.of.modules[module];
        for item in &content.items {
            let public = visibility(item).is_some_and(is_public) && !is_hidden(attributes(item));
            match item {
                Item::Mod(inner) if public => {
                    let child = module.iter().cloned().chain([inner.ident.to_string()]).collect();
                    self.add_module(&child, &format!("{path}::{}", inner.ident));
                }
                Item::Macro(call) if call.ident.is_none() => {
                    let lines = Renderer { of: self.of, module }.invocation(&call.mac);
                    self.api.entry(path.to_owned()).or_default().lines.extend(lines);
                }
                item if public => self.item(module, item, &format!("{path}::{}", defined_name(item).unwrap()), ""),
                _ => {}
            }
        }
        for import in content.imports.iter().filter(|import| import.is_public) {
            let documented = &import.documentation;
            let name = import.name.clone().unwrap_or_else(|| "*".to_owned());
            let path = format!("{path}::{name}");
            match self.of.resolve(module, &import.path) {
                Some(Target::Item(defined_in, original)) => {
                    let items = self.of.modules[&defined_in].items.iter();
                    for item in items.filter(|item| defined_name(item).is_some_and(|name| name == original)) {
                        self.item(&defined_in, item, &path, documented);
                    }
                }
                Some(Target::Module(inner)) if import.name.is_some() => self.add_module(&inner, &path),
                Some(Target::Foreign(foreign)) => {
                    let entry = self.api.entry(path).or_default();
                    entry.lines.push(Line::new(format!("use {}", foreign.join("::")), &[]));
                    entry.documentation += documented;
                }
                None if import.path.len() > 1 => {
                    // A macro defines it.
                    let parent = &import.path[..import.path.len() - 1];
                    let Some(Target::Module(parent)) = self.of.resolve(module, parent) else {
                        panic!("{path} names nothing")
                    };
                    self.api
                        .entry(path)
                        .or_default()
                        .lines
                        .push(Line::new(format!("by a macro of {}", parent.join("::")), &[]));
                    self.defining.insert(parent);
                }
                found => panic!("{path} names {found:?}"),
            }
        }
    }

    fn add_module(&mut self, module: &ModulePath, path: &str) {
        self.api.entry(path.to_owned()).or_default().lines.push(Line::new("mod", &[]));
        self.module(module, path);
    }

    fn item(&mut self, module: &ModulePath, item: &Item, path: &str, documented: &str) {
        self.defining.insert(module.clone());
        let mut lines = Renderer { of: self.of, module }.item(item);
        let target = Target::Item(module.clone(), defined_name(item).unwrap());
        let mut blocks = Vec::new();
        for (implementing, content) in &self.of.modules {
            for block in &content.items {
                let Item::Impl(block) = block else { continue };
                if self.concerns(implementing, block, &target) {
                    blocks.push(Renderer { of: self.of, module: implementing }.implementation(block));
                }
            }
        }
        blocks.sort_by_cached_key(|block| block.iter().map(|line| line.text.clone()).collect::<Vec<_>>());
        lines.extend(blocks.into_iter().flatten().map(Line::indented));
        let entry = self.api.entry(path.to_owned()).or_default();
        entry.lines.extend(lines);
        entry.documentation += documented;
        entry.documentation += &documentation(attributes(item));
    }

    /// Whether a block is of this type, or implements this trait for a type of another crate.
    fn concerns(&self, module: &ModulePath, block: &syn::ItemImpl, target: &Target) -> bool {
        let named = |path: &syn::Path| {
            let path: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.of.resolve(module, &path)
        };
        let own = match &*block.self_ty {
            Type::Path(path) => named(&path.path),
            _ => None,
        };
        if own.as_ref() == Some(target) {
            return true;
        }
        let of_trait = block.trait_.as_ref().and_then(|(path, _)| named(path));
        of_trait.as_ref() == Some(target) && !matches!(own, Some(Target::Item(..)))
    }

    /// The calls of macros that define what a module offers besides its items.
    fn macros(&mut self, module: &ModulePath) {
        let calls = self.of.modules[module].items.iter().filter_map(|item| match item {
            Item::Macro(call) if call.ident.is_none() && !ELSEWHERE.iter().any(|name| call.mac.path.is_ident(name)) => {
                Some(&call.mac)
            }
            _ => None,
        });
        let lines: Vec<_> = calls.flat_map(|call| Renderer { of: self.of, module }.invocation(call)).collect();
        if !lines.is_empty() {
            self.api.entry(format!("(macros of {})", module.join("::"))).or_default().lines.extend(lines);
        }
    }
}

fn text(api: &Api) -> String {
    let lines = api.iter().flat_map(|(path, entry)| {
        let lines = entry.lines.iter().map(|line| format!("    {}\n", line.text));
        std::iter::once(format!("{path}\n")).chain(lines)
    });
    lines.collect()
}

/// The lines of one text that another one lacks, each after the path that it belongs to.
fn missing<'t>(from: &'t str, other: &'t str) -> Vec<(&'t str, &'t str)> {
    let lines = |text: &'t str| {
        let mut path = "";
        text.lines()
            .map(|line| {
                if !line.starts_with(' ') {
                    path = line;
                }
                (path, line.trim())
            })
            .collect::<Vec<_>>()
    };
    let known: BTreeSet<_> = lines(other).into_iter().collect();
    lines(from).into_iter().filter(|line| !known.contains(line)).collect()
}

#[test]
fn the_public_api_is_as_recorded() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt");
    let now = text(&API);
    if std::env::var_os("OBS_BLESS").is_some_and(|value| value == "1") {
        fs::write(&file, &now).unwrap();
        return;
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let mut changes: Vec<String> = Vec::new();
    changes.extend(missing(&recorded, &now).iter().map(|(path, line)| format!("- {path}: {line}")));
    changes.extend(missing(&now, &recorded).iter().map(|(path, line)| format!("+ {path}: {line}")));
    assert!(
        recorded == now,
        "the public API has changed; `OBS_BLESS=1 cargo test -p obs-tests --test public_api` records it:\n{}",
        changes.join("\n")
    );
}

/// The version of each crate in the lock file; the lowest, if there are several.
fn versions() -> BTreeMap<String, String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let value = |line: &str, key: &str| line.strip_prefix(key).map(|value| value.trim_matches('"').to_owned());
    let mut versions = BTreeMap::new();
    let mut name = String::new();
    for line in lock.lines() {
        if let Some(found) = value(line, "name = ") {
            name = found;
        } else if let Some(version) = value(line, "version = ") {
            versions.entry(name.replace('-', "_")).or_insert(version);
        }
    }
    versions
}

/// A type of a crate below 1.0 changes with each of its minor versions, and obs-runtime's own version cannot promise it.
#[test]
fn items_with_types_of_unstable_crates_say_that_they_are_exempt_from_semver() {
    let is_unstable = |(name, version): &(String, String)| version.starts_with("0.") && !name.starts_with("obs_");
    let unstable: BTreeSet<String> = versions().into_iter().filter(is_unstable).map(|(name, _)| name).collect();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut silent = Vec::new();
    for (path, entry) in &*API {
        for Line { text, documentation } in &entry.lines {
            let roots = text.match_indices("::").filter_map(|(at, _)| {
                let before = text[..at].rsplit(|letter| !is_word(letter)).next()?;
                let start = at - before.len();
                (!text[..start].ends_with("::")).then_some(before)
            });
            let used = text.strip_prefix("use ").map(|path| path.split("::").next().unwrap_or(path));
            let is_exempt =
                [documentation, &entry.documentation].iter().any(|words| words.contains("exempt from semver"));
            if roots.chain(used).any(|root| unstable.contains(root)) && !is_exempt {
                silent.push(format!("{path}: {}", text.trim()));
            }
        }
    }
    assert!(silent.is_empty(), "not documented as exempt from semver:\n{}", silent.join("\n"));
}
