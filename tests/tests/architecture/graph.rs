//! Which file imports which, and where imports go round in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::path::PathBuf;

use crate::resolve::Target;
use crate::source::Crate;

/// For each file the files that it imports, with the names by which it does.
pub type Graph = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// The imports of a crate, without those of its tests.
pub fn imports(found: &Crate) -> Graph {
    let mut graph = Graph::new();
    for (id, module) in found.modules.iter().enumerate().filter(|(_, module)| !module.for_tests) {
        let imports = graph.entry(module.file.clone()).or_default();
        if module.is_transparent {
            continue;
        }
        for (name, definers) in imports_of(found, id) {
            let files = definers.into_iter().map(|definer| &found.modules[definer]);
            for other in files.filter(|other| other.file != module.file && !other.for_tests) {
                imports.entry(other.file.clone()).or_default().insert(name.clone());
            }
        }
    }
    graph
}

/// What a module imports, with the modules that define it.
fn imports_of(found: &Crate, module: usize) -> Vec<(String, BTreeSet<usize>)> {
    let names = &found.modules[module].names;
    let mut imports = Vec::new();
    for import in &names.uses {
        let targets = found.resolve(module, &import.path);
        let (modules, mut items) = split(&targets);
        match &import.name {
            // A module and a function of the same name: the function counts where its name stands alone.
            Some(name) if !modules.is_empty() && !names.words.contains(name) => items.clear(),
            Some(_) => {}
            None => items.extend(modules.iter().flat_map(|other| split(&found.offered(*other)).1)),
        }
        imports.push((format!("{}:{}", import.path.join("::"), import.line), items));
    }
    for mention in &names.mentions {
        let (first_modules, first_items) = split(&found.resolve(module, &mention.path[..1]));
        let (_, mut items) = split(&found.resolve(module, &mention.path));
        if first_modules.is_empty() {
            // Its first segment is defined here, or imported, which has been counted.
            items.clear();
        }
        if mention.is_macro && first_items.is_empty() {
            // In scope by the order of the text, without an import.
            items.extend(found.macros.get(&mention.path[0]));
        }
        imports.push((format!("{}:{}", mention.path.join("::"), mention.line), items));
    }
    imports
}

fn split(targets: &BTreeSet<Target>) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut modules = BTreeSet::new();
    let mut items = BTreeSet::new();
    for target in targets {
        match target {
            Target::Module(module) => modules.insert(*module),
            Target::Item(module) => items.insert(*module),
        };
    }
    (modules, items)
}

/// Files that all reach each other.
pub struct Cycle {
    pub files: BTreeSet<PathBuf>,
    /// One of the shortest ways round, from a file back to it.
    pub shortest: Vec<PathBuf>,
}

pub fn cycles(graph: &Graph) -> Vec<Cycle> {
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> = graph.keys().map(|file| (file, reach(graph, file))).collect();
    let mut groups: BTreeSet<BTreeSet<PathBuf>> = BTreeSet::new();
    for (file, ahead) in reached.iter().filter(|(file, ahead)| ahead.contains(*file)) {
        groups
            .insert(ahead.iter().filter(|other| reached[*other].contains(*file)).map(|file| (*file).clone()).collect());
    }
    let shortest = |group: &BTreeSet<PathBuf>| {
        group.iter().map(|file| shortest_cycle(graph, file)).min_by_key(Vec::len).unwrap_or_default()
    };
    groups.into_iter().map(|files| Cycle { shortest: shortest(&files), files }).collect()
}

fn reach<'g>(graph: &'g Graph, start: &PathBuf) -> BTreeSet<&'g PathBuf> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&PathBuf> = graph[start].keys().collect();
    while let Some(file) = left.pop() {
        if found.insert(file) {
            left.extend(graph[file].keys());
        }
    }
    found
}

fn shortest_cycle(graph: &Graph, start: &PathBuf) -> Vec<PathBuf> {
    let mut left = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(path) = left.pop_front() {
        for next in graph[&path[path.len() - 1]].keys() {
            let longer = [path.clone(), vec![next.clone()]].concat();
            if next == start {
                return longer;
            }
            if seen.insert(next.clone()) {
                left.push_back(longer);
            }
        }
    }
    Vec::new()
}

/// `a → b → a`, and below it each import among the files, with the names and lines.
pub fn describe_cycles(graph: &Graph) -> String {
    let mut text = String::new();
    for Cycle { files, shortest } in cycles(graph) {
        let names: Vec<_> = shortest.iter().map(|file| file.display().to_string()).collect();
        writeln!(text, "{} ({} files)", names.join(" → "), files.len()).unwrap();
        for file in &files {
            for (import, names) in graph[file].iter().filter(|(import, _)| files.contains(*import)) {
                writeln!(text, "  {} → {}: {}", file.display(), import.display(), line_of(names)).unwrap();
            }
        }
    }
    text
}

pub fn line_of(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
