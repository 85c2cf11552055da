//! What the documents name exists, and no page is left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use countersign::{Config, RejectionKind};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[track_caller]
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages in `docs`, as paths from the root.
fn pages() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let pages: BTreeSet<_> =
        entries.map(|entry| Path::new("docs").join(entry.unwrap().file_name())).collect();
    assert!(!pages.is_empty());
    pages
}

/// The fenced blocks of a document in this language.
fn blocks<'d>(document: &'d str, language: &str) -> Vec<&'d str> {
    let opening = format!("```{language}\n");
    document
        .split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|(block, _)| block)
        .collect()
}

#[test]
fn every_test_named_in_the_documents_exists() {
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    for (document, rows_without) in [("tests/BUG_CLASSES.md", 2), ("SECURITY.md", 1)] {
        let text = read(document);
        let mut rows = 0;
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            let named = row.split('`').filter_map(|code| code.split_once("::"));
            let mut found = named.filter(|(module, test)| is_name(module) && is_name(test)).peekable();
            rows += usize::from(found.peek().is_some());
            for (module, test) in found {
                let source = read(match module {
                    "memory" => "tests/memory/main.rs".to_owned(),
                    "found" | "replay" => format!("fuzz/tests/{module}.rs"),
                    _ => format!("tests/suite/{module}.rs"),
                });
                assert!(source.contains(&format!("fn {test}(")), "{document}: {module}::{test}");
            }
        }
        let all = text.lines().filter(|line| line.starts_with("| ")).count();
        assert_eq!(rows, all - rows_without, "{document}: a row names no test");
    }
}

#[test]
fn every_page_is_tested_and_shown() {
    let guide = read("crates/countersign/src/guide.rs");
    let links = read("crates/countersign/src/guide/links.md");
    let tested = read("tests/guide.rs");
    let readme = read("README.md");
    for page in pages() {
        let page = page.to_str().unwrap();
        let name = page.trim_start_matches("docs/").trim_end_matches(".md");
        let module = name.replace('-', "_");
        let item = format!("mod {module} {{}}");
        let included = format!("#[doc = include_str!(\"../{page}\")]\n");
        assert!(tested.contains(&format!("{included}{item}")), "{page} is not tested");
        assert!(guide.contains(&format!("{included}pub {item}")), "{page} is not in `countersign::guide`");
        assert!(
            guide.contains(&format!("| [`{module}`] |")),
            "{page} is not in the table of `countersign::guide`"
        );
        assert!(
            links.contains(&format!("[{name}]: crate::guide::{module}\n")),
            "{page} has no link in links.md"
        );
        assert!(readme.contains(&format!("]({page})")), "{page} is not in the README");
    }
}

#[test]
fn every_rust_block_is_compiled() {
    for page in pages().into_iter().chain(["README.md".into()]) {
        let text = read(&page);
        for opening in text.lines().filter(|line| line.starts_with("```") && line.len() > 3) {
            let known = ["```rust", "```rust,no_run", "```sh", "```text", "```toml"];
            assert!(known.contains(&opening), "{}: {opening}", page.display());
        }
    }
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    for page in pages().into_iter().chain(["README.md".into(), "SECURITY.md".into()]) {
        let text = read(&page);
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
        let defined =
            text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
        for link in inline.chain(defined.map(|(_, link)| link)).filter(|link| !link.contains("://")) {
            let (file, heading) =
                link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(root().join(&target).exists(), "{}: {link}", page.display());
            if let Some(heading) = heading {
                let anchor =
                    |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                let found =
                    read(&target).lines().any(|line| line.starts_with('#') && anchor(line) == heading);
                assert!(found, "{}: {link}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

#[test]
fn every_configuration_in_the_guide_is_one() {
    let mut read_configurations = 0;
    for page in pages() {
        let text = read(&page);
        for block in blocks(&text, "toml").into_iter().filter(|block| block.contains("[[senders]]")) {
            let config = toml::from_str::<Config>(block);
            assert!(config.is_ok(), "{}: {config:?}", page.display());
            read_configurations += 1;
        }
    }
    assert!(read_configurations > 0);
}

#[test]
fn the_operating_page_lists_every_reason_with_its_status_in_the_order_of_the_checks() {
    let text = read("docs/operating.md");
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("## Reasons")).collect();
    let rows: Vec<&str> = rows.into_iter().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), RejectionKind::ALL.len());
    for (row, kind) in rows.iter().zip(RejectionKind::ALL) {
        assert!(row.starts_with(&format!("| `{}` | {} |", kind.as_str(), kind.status())), "{row}");
    }
}

#[test]
fn the_operating_page_lists_every_event_and_every_metric() {
    let text = read("docs/operating.md");
    let sources = [
        ("crates/countersign/src/log.rs", 10),
        ("crates/countersign/src/metrics.rs", 12),
        ("crates/countersign-once/src/log.rs", 9),
        ("crates/countersign-once/src/metrics.rs", 3),
        ("crates/countersign-inbox/src/log.rs", 22),
        ("crates/countersign-watch/src/log.rs", 4),
        ("crates/countersign-tenants/src/log.rs", 2),
        ("crates/countersign-tenants/src/metrics.rs", 1),
    ];
    for (source, count) in sources {
        let source_text = read(source);
        let named = |literal: &&str| {
            literal.contains(' ') && literal.contains("webhook") && !literal.ends_with('.')
                || literal.starts_with("countersign_") && literal.matches('_').count() > 1
                || literal.starts_with("the ") && literal.len() > 20
                || literal.starts_with("webhook.")
        };
        let listed: Vec<&str> = source_text.split('"').filter(named).collect();
        assert_eq!(listed.len(), count, "{source}: {listed:#?}");
        for listed in listed {
            assert!(text.contains(listed), "{source}: {listed}");
        }
    }
}

#[test]
fn the_readme_has_at_most_160_lines() {
    assert!(read("README.md").lines().count() <= 160);
}
