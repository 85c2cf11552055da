//! The commands in the documents, run as a reader would.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use countersign::{Secret, Verifier, senders};

use crate::{listen::listening::Listening, named::SECRET, program::Program, receiver::Receiver};

/// The fenced blocks of a document in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks = document.split(&opening).skip(1).filter_map(|rest| rest.split_once("\n```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

/// Runs the shell's blocks of a document in order, with a receiver in the place of the reader's, and returns what they print.
fn run(document: &Path) -> String {
    let text = fs::read_to_string(document).unwrap();
    let receiver = Receiver::start(|_| {
        Verifier::builder(senders::github()).secret("k", Secret::new(SECRET)).build().unwrap()
    });
    let folder = Arc::new(tempfile::tempdir().unwrap());
    for toml in blocks(&text, "toml") {
        fs::write(folder.path().join("countersign.toml"), toml).unwrap();
    }
    let here = |block: &String| block.replace("http://localhost:3000/webhooks/github", &receiver.url);
    let (listening, commands): (Vec<String>, Vec<String>) = blocks(&text, "sh")
        .iter()
        .filter(|block| !block.starts_with("cargo install"))
        .map(here)
        .partition(|block| block.starts_with("countersign listen "));
    assert!(!commands.is_empty());
    let listening = listening.first().map(|command| listen(command, Arc::clone(&folder)));
    let mut script = commands.join("\n");
    if let Some(listening) = &listening {
        script = script.replace("localhost:8600", &listening.receiver.to_string());
    }
    assert!(!script.contains("localhost"), "{script}");
    let script = script.replace("GITHUB_SECRET=secret", &format!("GITHUB_SECRET={SECRET}"));
    let program = PathBuf::from(env!("CARGO_BIN_EXE_countersign"));
    let path = env::join_paths([program.parent().unwrap(), "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
    let done = Command::new("/bin/sh")
        .args(["-e", "-c", &script])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path)
        .env("GITHUB_SECRET", SECRET)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let line = |listening: &Listening, id| timeless(&listening.line_with(&format!("#{id} ")));
    let listened = listening.iter().flat_map(|listening| [1, 2].map(|id| line(listening, id)));
    let printed = String::from_utf8(done.stdout).unwrap();
    printed + &listened.collect::<Vec<_>>().join("\n")
}

/// Starts what a reader starts in another terminal.
fn listen(command: &str, folder: Arc<tempfile::TempDir>) -> Listening {
    let mut listen = Command::new(env!("CARGO_BIN_EXE_countersign"));
    listen.args(command.split(' ').skip(1));
    Listening::run(listen, folder)
}

/// A line of `countersign listen` with the times that the guide gives.
fn timeless(line: &str) -> String {
    let (_, line) = line.split_once(' ').unwrap();
    let line = match line.split_once(" in ") {
        Some((start, milliseconds)) if milliseconds.ends_with(" ms") => format!("{start} in 3 ms"),
        _ => line.to_owned(),
    };
    format!("09:30:00Z {line}")
}

#[test]
fn the_guides_commands_print_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
    let printed = run(&page);
    for text in blocks(&fs::read_to_string(page).unwrap(), "text") {
        assert!(printed.contains(&text), "{printed}");
    }
    assert!(printed.contains("verified: github, key 2026-q4\n"), "{printed}");
}

#[test]
fn the_readmes_commands_run() {
    let printed = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    assert!(printed.ends_with("\nverified\n  key: GITHUB_SECRET\n"), "{printed}");
}

#[test]
fn the_configurations_of_serve_are_valid_and_its_settings_are_all_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/serve.md");
    let text = fs::read_to_string(page).unwrap();
    let configurations = blocks(&text, "toml");
    assert_eq!(configurations.len(), 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    for sender in ["github", "stripe"] {
        fs::write(folder.path().join(sender), SECRET).unwrap();
    }
    for configuration in configurations {
        fs::write(&file, configuration.replace("/run/secrets", folder.path().to_str().unwrap())).unwrap();
        let run = Program::new(["check-config".as_ref(), file.as_os_str()])
            .env("SHOPIFY_SECRET", SECRET)
            .env("ONCE_DATABASE", "postgres://localhost")
            .run();
        assert_eq!(run.status, 0, "{run:?}");
    }
    let schema = Program::new(["check-config", "--schema"]).run().stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    for table in ["serve", "route", "timeouts", "limits", "once", "inbox"] {
        for setting in schema["$defs"][table]["properties"].as_object().unwrap().keys() {
            let spellings = [format!("`{setting}`"), format!("`{table}.{setting}`"), format!("`{setting}.")];
            assert!(spellings.iter().any(|spelling| text.contains(spelling)), "{table}.{setting}");
        }
    }
}

#[test]
fn the_sidecars_configuration_is_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/serve/deploy/sidecar.yaml");
    let manifest = fs::read_to_string(file).unwrap();
    let (_, rest) = manifest.split_once("countersign.toml: |\n").unwrap();
    let (text, _) = rest.split_once("---").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    fs::write(&file, text.replace("/run/keys", folder.path().to_str().unwrap())).unwrap();
    fs::write(folder.path().join("github"), SECRET).unwrap();
    let run = Program::new(["check-config".as_ref(), file.as_os_str()]).run();
    assert_eq!(run.status, 0, "{run:?}");
}
