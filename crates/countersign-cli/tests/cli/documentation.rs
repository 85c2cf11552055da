//! `--help`, `countersign completions` and `countersign man`

use std::process::Command;

use crate::program::Program;

const SUBCOMMANDS: &[&str] = &[
    "senders",
    "sign",
    "send",
    "verify",
    "explain",
    "listen",
    "serve",
    "check-config",
    "completions",
    "man",
];

#[test]
fn every_subcommand_has_help_with_examples() {
    let program = Program::new(["--help"]).run();
    for subcommand in SUBCOMMANDS {
        assert!(program.stdout.contains(&format!("\n  {subcommand} ")), "{subcommand}: {program:?}");
        let run = Program::new([subcommand, "--help"]).run();
        assert_eq!(run.status, 0, "{run:?}");
        assert!(
            run.stdout.contains(&format!("\nExamples:\n  countersign {subcommand}")),
            "{subcommand}: {run:?}"
        );
        assert!(!run.stdout.contains('\u{1b}'), "no colours in a pipe: {run:?}");
    }
    // None is missing here.
    let (_, list) = program.stdout.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(
        names.iter().filter(|name| !name.is_empty() && **name != "help").count(),
        SUBCOMMANDS.len(),
        "{names:?}"
    );
}

#[test]
fn bash_reads_its_completions_and_completes_a_subcommand() {
    let run = Program::new(["completions", "bash"]).run();
    assert_eq!(run.status, 0, "{run:?}");
    let script = format!(
        "{}\nCOMP_WORDS=(countersign che); COMP_CWORD=1; _countersign countersign che countersign; echo \"${{COMPREPLY[*]}}\"",
        run.stdout
    );
    let shown = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), "check-config\n", "{:?}", shown.stderr);
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(Program::new(["completions", shell]).run().stdout.contains("check-config"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_the_program_and_each_subcommand() {
    let page = Program::new(["man"]).run().stdout;
    assert!(page.contains(".TH countersign 1") && page.contains("Exit status: 0"), "{page}");
    for subcommand in SUBCOMMANDS {
        let page = Program::new(["man", subcommand]).run().stdout;
        assert!(page.contains(&format!(".TH countersign-{subcommand} 1")), "{page}");
        assert!(page.contains("Examples:"), "{page}");
    }
    let run = Program::new(["man", "nothing"]).run();
    assert_eq!((run.status, &*run.stderr), (2, "error: there is no subcommand nothing\n"), "{run:?}");
}

#[test]
fn colours_are_for_terminals_and_whoever_asks_for_none_gets_none() {
    let failing = || Program::new(["man", "nothing"]);
    assert!(!failing().run().stderr.contains('\u{1b}'));
    // What a terminal would get.
    assert!(failing().env("CLICOLOR_FORCE", "1").run().stderr.contains("\u{1b}["));
    assert!(!failing().env("NO_COLOR", "1").run().stderr.contains('\u{1b}'));
}
