//! Every mistake, and the diagnosis that must come first.

use countersign::{Cause, Hypothesis as H};

use crate::{
    bodies,
    broken::{Broken, Rows, output},
    heads,
    schemes::{COMPACT, SPACED},
    secrets,
};

fn rows() -> Rows {
    [
        bodies::rewritten(),
        bodies::changed(),
        secrets::rows(),
        heads::signatures(),
        heads::times(),
        heads::addresses(),
    ]
    .concat()
}

#[test]
fn each_broken_delivery_is_explained_by_the_mistake_that_broke_it() {
    let rows = rows();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, broken, diagnosis)| {
            let explanation = broken.explain();
            let first = explanation.causes().first().map(Cause::hypothesis);
            (first != Some(*diagnosis))
                .then(|| format!("{name}: wanted {}\n{explanation}\n", diagnosis.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), rows.len(), wrong.concat());
    assert!(rows.len() >= 60, "{}", rows.len());
}

#[test]
fn each_hypothesis_explains_a_delivery_of_the_table() {
    let found: Vec<H> = rows()
        .iter()
        .flat_map(|(_, broken, _)| broken.explain().causes().to_vec())
        .map(|cause| cause.hypothesis())
        .collect();
    // The properties have a delivery for each of these.
    let elsewhere = [H::NoKeyGiven, H::Unknown];
    let missing: Vec<_> =
        H::ALL.iter().filter(|one| !found.contains(one) && !elsewhere.contains(one)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

const PYTHON: &str = "import json,sys; sys.stdout.write(json.dumps(json.load(sys.stdin)))";
const NODE: &str = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8'))))";

/// What happened, a program with its arguments, the signed body that it gets, and the diagnosis that must come first.
type Program = (&'static str, &'static str, &'static [&'static str], &'static [u8], H);

#[test]
fn what_real_programs_make_of_a_body_is_explained() {
    let accented = r#"{"city":"Málaga","url":"a/b"}"#.as_bytes();
    let rows: [Program; 6] = [
        ("Python re-serialises a compact body", "python3", &["-c", PYTHON], COMPACT, H::BodyMinified),
        ("Python escapes what was UTF-8", "python3", &["-c", PYTHON], accented, H::BodyMinified),
        ("Node re-serialises Python's body", "node", &["-e", NODE], SPACED, H::BodySpaced),
        ("jq indents", "jq", &["."], COMPACT, H::BodyMinified),
        ("a shell's echo adds a line end", "sh", &["-c", "echo \"$(cat)\""], COMPACT, H::BodyPadded),
        (
            "a shell's substitution drops the line end",
            "sh",
            &["-c", "printf %s \"$(cat)\""],
            b"{}\n",
            H::BodyLacksLineEnd,
        ),
    ];
    for (name, program, arguments, signed, expected) in rows {
        if let Some(arrived) = output(program, arguments, signed) {
            assert_ne!(arrived, signed, "{name}");
            Broken::body(signed, arrived).is_explained_by(name, expected);
        }
    }
}
