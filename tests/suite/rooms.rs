//! No two source files of a library import each other, however far around, and the core's rooms stand in the order of `lib.rs`.

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

/// Each module with its source.
type Files = BTreeMap<Module, String>;

/// Each module with what the names that it imports stand for.
type Names = BTreeMap<Module, BTreeMap<String, Module>>;

fn imports(crate_name: &str) -> Imports {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(crate_name).join("src");
    let mut files = Files::new();
    collect(&source, &mut Vec::new(), &mut files);
    imports_of(&files)
}

fn imports_of(files: &Files) -> Imports {
    let (mut found, mut names) = (BTreeMap::new(), Names::new());
    for (module, text) in files {
        let mut paths = Paths { files, module, found: Vec::new(), names: BTreeMap::new() };
        paths.visit_file(&syn::parse_file(text).unwrap());
        found.insert(module, paths.found);
        names.insert(module.clone(), paths.names);
    }
    let imports = found.into_iter().map(|(module, paths)| {
        let named = paths.into_iter().map(|path| defined_in(path, &names));
        (module.clone(), named.filter(|named| named != module).collect())
    });
    imports.collect()
}

/// The module whose file defines what the path names, however many others export it again.
fn defined_in(mut path: Module, names: &Names) -> Module {
    let mut seen = BTreeSet::new();
    while seen.insert(path.clone()) {
        let mut module = path.clone();
        while !names.contains_key(&module) {
            module.pop();
        }
        let Some(exported) = path.get(module.len()).and_then(|name| names[&module].get(name)) else {
            return module;
        };
        path = exported.iter().chain(&path[module.len() + 1..]).cloned().collect();
    }
    panic!("{path:?} stands for itself");
}

fn collect(folder: &Path, module: &mut Module, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let own = (name != "lib").then_some(name);
            let own = own.filter(|name| name != "mod");
            files.insert(module.iter().cloned().chain(own).collect(), fs::read_to_string(&path).unwrap());
        }
    }
}

/// The paths within the crate that a file names, in `use` items and elsewhere, but for its unit tests.
struct Paths<'f> {
    files: &'f Files,
    module: &'f Module,
    found: Vec<Module>,
    /// What `use` items give a name to.
    names: BTreeMap<String, Module>,
}

impl Paths<'_> {
    /// The path from the crate root. `None`: it leads to another crate, or to what the file itself defines.
    fn absolute(&self, segments: &[String]) -> Option<Module> {
        let mut path = match segments.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.module.clone(),
            child => {
                let path = [self.module.as_slice(), &[child.to_owned()]].concat();
                return self.files.contains_key(&path).then(|| [self.module.as_slice(), segments].concat());
            }
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => drop(path.pop()),
                _ => path.push(segment.clone()),
            }
        }
        Some(path)
    }

    fn add_use(&mut self, segments: &[String], name: &str) {
        if let Some(path) = self.absolute(segments) {
            self.names.insert(name.to_owned(), path.clone());
            self.found.push(path);
        }
    }

    fn add_tree(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before.clone())),
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.add_use(&before, &name.ident.to_string());
            }
            UseTree::Rename(rename) => {
                before.push(rename.ident.to_string());
                self.add_use(&before, &rename.rename.to_string());
            }
            UseTree::Glob(_) => self.found.extend(self.absolute(&before)),
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
        if item.leading_colon.is_none() {
            self.add_tree(&item.tree, Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.found.extend(self.absolute(&segments));
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
    for crate_name in [
        "countersign",
        "countersign-actix",
        "countersign-events",
        "countersign-inbox",
        "countersign-once",
        "countersign-tenants",
        "countersign-tower",
        "countersign-watch",
    ] {
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

#[test]
fn an_import_is_of_the_file_that_defines_the_name_whatever_exports_it() {
    let module =
        |path: &str| -> Module { path.split("::").filter(|name| !name.is_empty()).map(Into::into).collect() };
    let files = [
        ("", "mod a; mod b; pub use a::Thing; pub use b::inner::Part as Piece; pub use ::b::Other;"),
        ("a", "use crate::Piece; pub struct Thing(Piece);"),
        ("b", "mod inner; pub(crate) use self::inner::Part; fn with(_: crate::Thing) { log::warn(); }"),
        ("b::inner", "use super::Part as Own; pub struct Part; mod tests { use crate::Thing; }"),
        // The root defines what it exports of another crate.
        ("c", "use crate::{b::Part, Other}; use super::a::*;"),
    ];
    let expected = [
        ("", vec!["a", "b::inner"]),
        ("a", vec!["b::inner"]),
        ("b", vec!["a", "b::inner"]),
        ("b::inner", vec![]),
        ("c", vec!["", "a", "b::inner"]),
    ];
    let imports = imports_of(&files.map(|(path, text)| (module(path), text.to_owned())).into());
    let expected = expected.map(|(path, named)| (module(path), named.into_iter().map(module).collect()));
    assert_eq!(imports, Imports::from(expected));
}
