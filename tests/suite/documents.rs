//! Every test that `BUG_CLASSES.md` names exists.

use std::{fs, path::Path};

#[test]
fn every_test_named_in_the_bug_classes_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = include_str!("../BUG_CLASSES.md");
    let mut named = 0;
    let lower = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    for (module, test) in list.split('`').filter_map(|code| code.split_once("::")) {
        if !lower(module) || !lower(test) {
            continue;
        }
        let file =
            if module == "memory" { "memory/main.rs".to_owned() } else { format!("suite/{module}.rs") };
        let source = fs::read_to_string(folder.join(&file)).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{module}::{test}");
        named += 1;
    }
    assert!(named >= list.lines().filter(|line| line.starts_with("| ")).count() - 2, "{named}");
}
