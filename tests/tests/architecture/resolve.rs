//! Which module defines what a path names, through imports and re-exports.

use std::collections::BTreeSet;

use crate::source::{Binding, Crate};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Module(usize),
    /// Something defined in this module.
    Item(usize),
}

/// Names that are being looked up: imports may go round in circles.
type Seen = BTreeSet<(usize, String)>;

impl Crate {
    /// What a path in a module names: a module, something that a module defines, or both by the same name. Nothing if
    /// it is in another crate.
    pub fn resolve(&self, module: usize, path: &[String]) -> BTreeSet<Target> {
        self.resolve_path(module, path, &mut Seen::new())
    }

    fn resolve_path(&self, module: usize, path: &[String], seen: &mut Seen) -> BTreeSet<Target> {
        let mut targets = self.first_segment(module, &path[0], seen);
        for name in &path[1..] {
            targets = self.next_segment(&targets, name, seen);
        }
        targets
    }

    fn first_segment(&self, module: usize, name: &str, seen: &mut Seen) -> BTreeSet<Target> {
        match name {
            "crate" => BTreeSet::from([Target::Module(0)]),
            "self" => BTreeSet::from([Target::Module(module)]),
            "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
            name => {
                let found = self.lookup(module, name, seen);
                let is_alias =
                    found.is_empty() && self.aliases.iter().any(|alias| alias == name.trim_start_matches(':'));
                if is_alias { BTreeSet::from([Target::Module(0)]) } else { found }
            }
        }
    }

    fn next_segment(&self, targets: &BTreeSet<Target>, name: &str, seen: &mut Seen) -> BTreeSet<Target> {
        let modules = targets.iter().filter_map(|target| match target {
            Target::Module(module) => Some(*module),
            Target::Item(_) => None,
        });
        let mut found = BTreeSet::new();
        for module in modules.clone() {
            found.extend(match name {
                "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
                "self" => BTreeSet::from([Target::Module(module)]),
                name if self.names(module, name) => self.lookup(module, name, seen),
                // Made by a macro.
                _ => BTreeSet::from([Target::Item(module)]),
            });
        }
        // A variant, an associated function: where the type is.
        if modules.count() == 0 { targets.clone() } else { found }
    }

    /// Whether a module has a name, be it one of another crate.
    fn names(&self, module: usize, name: &str) -> bool {
        let module_names = &self.modules[module];
        let in_glob = || {
            module_names.globs.iter().any(|path| {
                self.resolve_path(module, path, &mut Seen::new()).iter().any(|target| match target {
                    Target::Module(other) => self.modules[*other].bindings.contains_key(name),
                    Target::Item(_) => false,
                })
            })
        };
        module_names.bindings.contains_key(name) || in_glob()
    }

    fn lookup(&self, module: usize, name: &str, seen: &mut Seen) -> BTreeSet<Target> {
        if !seen.insert((module, name.to_owned())) {
            return BTreeSet::new();
        }
        let mut found = BTreeSet::new();
        match self.modules[module].bindings.get(name) {
            Some(bindings) => {
                for binding in bindings {
                    match binding {
                        Binding::Module(child) => drop(found.insert(Target::Module(*child))),
                        Binding::Item => drop(found.insert(Target::Item(module))),
                        Binding::Import(path) => found.extend(self.resolve_path(module, path, seen)),
                    }
                }
            }
            None => {
                for path in &self.modules[module].globs {
                    for target in self.resolve_path(module, path, seen) {
                        if let Target::Module(other) = target {
                            found.extend(self.lookup(other, name, seen));
                        }
                    }
                }
            }
        }
        seen.remove(&(module, name.to_owned()));
        found
    }

    /// Where the names come from that a glob import of a module brings.
    pub fn offered(&self, module: usize) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        let mut left = vec![module];
        let mut seen = BTreeSet::new();
        while let Some(module) = left.pop() {
            if !seen.insert(module) {
                continue;
            }
            for name in self.modules[module].bindings.keys() {
                found.extend(self.lookup(module, name, &mut Seen::new()));
            }
            for path in &self.modules[module].globs {
                left.extend(self.resolve(module, path).into_iter().filter_map(|target| match target {
                    Target::Module(other) => Some(other),
                    Target::Item(_) => None,
                }));
            }
        }
        found
    }
}
