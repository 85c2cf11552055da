//! No two source files of the core, of an adapter or of the watcher import each other, and the core's rooms stand in the order of `lib.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{UseTree, visit::Visit};

/// A module's path from the crate root, which itself has none.
type Module = Vec<String>;

/// Each module with those whose items it names.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn imports(crate_name: &str) -> Imports {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(crate_name).join("src");
    let mut files = Vec::new();
    collect(&source, &mut Vec::new(), &mut files);
    let modules: BTreeSet<Module> = files.iter().map(|(module, _)| module.clone()).collect();
    let imports = files.iter().map(|(module, text)| {
        let mut paths = Paths { module, found: Vec::new() };
        paths.visit_file(&syn::parse_file(text).unwrap());
        let named = paths.found.into_iter().map(|mut path| {
            while !modules.contains(&path) {
                path.pop();
            }
            path
        });
        (module.clone(), named.filter(|named| named != module).collect())
    });
    imports.collect()
}

fn collect(folder: &Path, module: &mut Module, files: &mut Vec<(Module, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let own = (name != "lib").then_some(name);
            files.push((module.iter().cloned().chain(own).collect(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The paths that a file names, in `use` items and elsewhere, but for its unit tests.
struct Paths<'m> {
    module: &'m Module,
    found: Vec<Module>,
}

impl Paths<'_> {
    fn add(&mut self, segments: Vec<String>) {
        let mut path = match segments.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return,
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => drop(path.pop()),
                _ => path.push(segment),
            }
        }
        self.found.push(path);
    }

    fn add_tree(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before.clone())),
            UseTree::Name(name) => self.add([before, vec![name.ident.to_string()]].concat()),
            UseTree::Rename(rename) => self.add([before, vec![rename.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }
}

/// The modules from which imports lead back to them, and those on the way between two such.
fn knot(imports: &Imports) -> Imports {
    let mut left = imports.clone();
    loop {
        // A module that imports none of the rest, or that none of the rest imports, is in no knot.
        let imported: BTreeSet<Module> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, named| !named.is_empty() && imported.contains(module));
        let rest: BTreeSet<Module> = left.keys().cloned().collect();
        for named in left.values_mut() {
            named.retain(|module| rest.contains(module));
        }
        if left.len() == before {
            return left;
        }
    }
}

#[test]
fn no_two_files_import_each_other() {
    for crate_name in ["countersign", "countersign-tower", "countersign-actix", "countersign-watch"] {
        let imports = imports(crate_name);
        assert!(imports.len() >= 5, "{crate_name}: {} files", imports.len());
        assert_eq!(knot(&imports), Imports::new(), "{crate_name}");
    }
}

#[test]
fn each_room_of_the_core_uses_only_those_above_it() {
    let root = include_str!("../../crates/countersign/src/lib.rs");
    let rooms: Vec<&str> = root
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let place = |module: &Module| rooms.iter().position(|room| *room == module[0]).unwrap();
    let mut checked = 0;
    for (module, named) in imports("countersign").iter().filter(|(module, _)| !module.is_empty()) {
        for other in named {
            assert!(!other.is_empty(), "{module:?} imports from the root what a room below may export");
            assert!(place(other) <= place(module), "{module:?} uses {other:?}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn a_knot_is_found_whatever_hangs_on_it() {
    let module = |name: &str| vec![name.to_owned()];
    let imports = |pairs: &[(&str, &str)]| -> Imports {
        pairs.iter().map(|(from, to)| (module(from), BTreeSet::from([module(to)]))).collect()
    };
    let mut line = imports(&[("x", "a"), ("y", "x")]);
    line.insert(module("a"), BTreeSet::new());
    assert_eq!(knot(&line), Imports::new());
    line.extend(imports(&[("a", "b"), ("b", "c"), ("c", "a")]));
    assert_eq!(knot(&line), imports(&[("a", "b"), ("b", "c"), ("c", "a")]));
}
