//! Deliveries that somebody else's code signed: each through every surface, in many cuts of its body, and once
//! more with one thing broken.

use countersign::RejectionKind;

use crate::harness::{Delivery, Outcome, SURFACES, Surface, Vector, VectorFile};

/// Runs every vector of a file with this check and says how many ran.
fn run(file: &str, check: impl Fn(&Vector)) -> usize {
    let file = VectorFile::load(file);
    assert!(!file.provenance.is_empty());
    file.vectors.iter().for_each(check);
    file.vectors.len()
}

fn everywhere(name: &str, vector: &Vector, delivery: &Delivery, outcome: &Outcome) {
    let verifier = vector.verifier();
    for Surface {
        name: surface,
        deliver,
    } in SURFACES
    {
        assert_eq!(
            &deliver(&verifier, delivery),
            outcome,
            "{}, {name}, through {surface}",
            vector.name
        );
    }
}

fn whole(vector: &Vector) {
    everywhere("whole", vector, &vector.delivery(), &vector.outcome());
}

/// The same verdict and the same body for the handler, however the body is cut into chunks.
fn in_every_cut(vector: &Vector) {
    let (verifier, delivery, outcome) = (vector.verifier(), vector.delivery(), vector.outcome());
    let length = delivery.body().len();
    for Surface { name, deliver } in SURFACES {
        for size in 1..=64 {
            let cut = delivery.in_chunks_of(size);
            assert_eq!(
                deliver(&verifier, &cut),
                outcome,
                "{}, chunks of {size}, {name}",
                vector.name
            );
        }
        // Every place in short bodies, and those round the blocks of the hash in long ones.
        for place in (0..=length).filter(|place| length <= 512 || place % 64 <= 1) {
            let cut = delivery.split_at(place);
            assert_eq!(
                deliver(&verifier, &cut),
                outcome,
                "{}, split at {place}, {name}",
                vector.name
            );
        }
    }
}

/// One thing is broken in a delivery that passes, and the rejection is the one for that thing.
fn broken(vector: &Vector) {
    let delivery = vector.delivery();
    let mismatch = Outcome::rejected(RejectionKind::SignatureMismatch);
    let mut body = delivery.body();

    everywhere(
        "a byte more",
        vector,
        &delivery.with_body([&body[..], b"x"].concat()),
        &mismatch,
    );
    everywhere(
        "a newline more",
        vector,
        &delivery.with_body([&body[..], b"\n"].concat()),
        &mismatch,
    );
    if let Some(last) = body.pop() {
        everywhere(
            "a byte less",
            vector,
            &delivery.with_body(body.clone()),
            &mismatch,
        );
        everywhere(
            "a bit flipped",
            vector,
            &delivery.with_body([&body[..], &[last ^ 1]].concat()),
            &mismatch,
        );
    }

    let mut unsigned = delivery.clone();
    let (name, value) = unsigned.headers.remove(0);
    everywhere(
        "unsigned",
        vector,
        &unsigned,
        &Outcome::rejected(RejectionKind::SignatureMissing),
    );
    let twice = delivery.with_header(&name.to_lowercase(), value);
    everywhere(
        "signed twice",
        vector,
        &twice,
        &Outcome::rejected(RejectionKind::SignatureRepeated),
    );
}

#[test]
fn the_senders_own_vectors_verify_everywhere() {
    assert_eq!(run("senders.json", whole), 10);
    assert_eq!(run("senders.json", in_every_cut), 10);
}

#[test]
fn rfc_4231_vectors_verify_everywhere() {
    assert_eq!(run("rfc4231.json", whole), 7);
    assert_eq!(run("rfc4231.json", in_every_cut), 7);
}

#[test]
fn openssl_vectors_verify_everywhere() {
    assert_eq!(run("openssl.json", whole), 216);
}

#[test]
fn openssl_vectors_verify_in_every_cut() {
    let ran = run("openssl.json", |vector| {
        // RSA is slow in a debug build and sees only the digest: its smallest key stands for all.
        if !vector.name.contains("2048") && !vector.name.contains("4096") {
            in_every_cut(vector);
        }
    });
    assert_eq!(ran, 216);
}

#[test]
fn openssl_vectors_are_rejected_when_one_thing_is_broken() {
    assert_eq!(run("openssl.json", broken), 216);
}

#[test]
fn python_vectors_verify_everywhere() {
    assert_eq!(run("python.json", whole), 306);
}

#[test]
fn node_vectors_verify_everywhere() {
    assert_eq!(run("node.json", whole), 144);
}

#[test]
fn java_vectors_verify_everywhere() {
    assert_eq!(run("java.json", whole), 36);
}
