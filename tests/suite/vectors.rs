//! Deliveries that somebody else's code signed: each through every surface, in every cut of its body, and once
//! more with one thing broken.

use countersign::{RejectionKind, Verifier};

use crate::harness::{Delivery, Outcome, SURFACES, Surface, Vector, VectorFile};

/// Runs every vector of these files with this check, and says how many ran.
fn run(files: &[&str], check: impl Fn(&Vector)) -> usize {
    let files = files.iter().map(|file| VectorFile::load(file));
    let ran = files.map(|file| {
        assert!(!file.provenance.is_empty());
        file.vectors.iter().map(&check).count()
    });
    ran.sum()
}

const ALL: &[&str] = &[
    "senders.json",
    "rfc4231.json",
    "openssl.json",
    "python.json",
    "node.json",
    "java.json",
    "standard.json",
    "messaging.json",
    "saas.json",
];

/// Made by the senders' own libraries, or taken from their documentation.
const LIBRARIES: &[&str] = &["standard.json", "messaging.json", "saas.json"];

fn everywhere(name: &str, vector: &Vector, delivery: &Delivery, outcome: &Outcome) {
    let verifier = vector.verifier();
    for Surface { name: surface, deliver } in SURFACES {
        assert_eq!(&deliver(&verifier, delivery), outcome, "{}, {name}, through {surface}", vector.name);
    }
}

#[test]
fn every_vector_has_its_verdict_on_every_surface() {
    let ran = run(ALL, |vector| everywhere("whole", vector, &vector.delivery(), &vector.outcome()));
    assert_eq!(ran, 10 + 7 + 216 + 306 + 144 + 36 + 85 + 94 + 104);
}

/// The same verdict and the same body for the handler, in a few cuts: the core's part of it is below.
#[test]
fn every_vector_has_its_verdict_on_every_surface_when_its_body_comes_in_chunks() {
    let ran = run(ALL, |vector| {
        let (delivery, outcome) = (vector.delivery(), vector.outcome());
        for size in [1, 7, 64] {
            everywhere("in chunks", vector, &delivery.in_chunks_of(size), &outcome);
        }
        everywhere("in halves", vector, &delivery.split_at(delivery.body().len() / 2), &outcome);
    });
    assert_eq!(ran, 719 + 283);
}

fn core_in_every_cut(vector: &Vector) {
    in_every_cut(&vector.name, &vector.verifier(), &vector.delivery(), &vector.outcome());
}

/// The same verdict at every chunk size and every split point.
pub(crate) fn in_every_cut(name: &str, verifier: &Verifier, delivery: &Delivery, outcome: &Outcome) {
    let Surface { deliver, .. } = SURFACES.iter().find(|surface| surface.name == "core, chunked").unwrap();
    for size in 1..=64 {
        assert_eq!(&deliver(verifier, &delivery.in_chunks_of(size)), outcome, "{name}, chunks of {size}");
    }
    for place in 0..=delivery.body().len() {
        assert_eq!(&deliver(verifier, &delivery.split_at(place)), outcome, "{name}, split at {place}");
    }
}

#[test]
fn hmac_vectors_verify_at_every_chunk_size_and_every_split_point() {
    assert_eq!(run(&["senders.json", "rfc4231.json", "python.json"], core_in_every_cut), 10 + 7 + 306);
}

#[test]
fn rsa_vectors_verify_at_every_chunk_size_and_every_split_point() {
    assert_eq!(run(&["java.json"], core_in_every_cut), 36);
}

#[test]
fn openssl_and_node_vectors_verify_at_every_chunk_size_and_every_split_point() {
    assert_eq!(run(&["openssl.json", "node.json"], core_in_every_cut), 216 + 144);
}

/// One thing is broken in a delivery that passes, and the rejection is the one for that thing.
fn broken(vector: &Vector) {
    let delivery = vector.delivery();
    let mismatch = Outcome::rejected(RejectionKind::SignatureMismatch);
    let mut body = delivery.body();

    everywhere("a byte more", vector, &delivery.with_body([&body[..], b"x"].concat()), &mismatch);
    everywhere("a newline more", vector, &delivery.with_body([&body[..], b"\n"].concat()), &mismatch);
    if let Some(last) = body.pop() {
        everywhere("a byte less", vector, &delivery.with_body(body.clone()), &mismatch);
        everywhere(
            "a bit flipped",
            vector,
            &delivery.with_body([&body[..], &[last ^ 1]].concat()),
            &mismatch,
        );
    }

    let mut unsigned = delivery.clone();
    let (name, value) = unsigned.headers.remove(0);
    everywhere("unsigned", vector, &unsigned, &Outcome::rejected(RejectionKind::SignatureMissing));
    let twice = delivery.with_header(&name.to_lowercase(), value);
    everywhere("signed twice", vector, &twice, &Outcome::rejected(RejectionKind::SignatureRepeated));
}

#[test]
fn every_vector_is_rejected_when_one_thing_is_broken() {
    assert_eq!(run(&["openssl.json", "python.json", "node.json", "java.json"], broken), 702);
}
