//! Deliveries signed by third-party code: each through every surface, in many chunkings, and again with one
//! thing broken.

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use countersign::{RejectionKind, Verifier, senders};

use crate::harness::{Delivery, Outcome, SURFACES, Surface, Vector, VectorFile};

/// Runs this check on every vector of these files and returns how many ran.
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

/// Made with the senders' own libraries, or taken from their documentation.
const LIBRARIES: &[&str] = &["standard.json", "messaging.json", "saas.json"];

fn everywhere(name: &str, vector: &Vector, delivery: &Delivery, outcome: &Outcome) {
    let verifier = vector.verifier();
    for Surface { name: surface, deliver } in SURFACES {
        assert_eq!(&deliver(&verifier, delivery), outcome, "{}, {name}, through {surface}", vector.name);
    }
}

#[test]
fn every_vector_gets_its_verdict_on_every_surface() {
    let ran = run(ALL, |vector| everywhere("whole", vector, &vector.delivery(), &vector.outcome()));
    assert_eq!(ran, 10 + 7 + 216 + 306 + 144 + 36 + 85 + 94 + 104);
}

/// A few chunkings on every surface; the core alone gets all of them below.
#[test]
fn every_vector_gets_its_verdict_on_every_surface_in_chunks() {
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

/// Asserts the same verdict at every chunk size up to 64 and at every split point.
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

/// Breaks one thing at a time in a delivery that passes and asserts the rejection for that thing.
fn broken(vector: &Vector) {
    let delivery = vector.delivery();
    let mismatch = Outcome::rejected(match vector.sender.as_str() {
        // These do not sign every byte of the body; `senders` tests what they sign.
        "gitlab-unsigned-token" | "twilio-form" => return,
        "twilio-json" => RejectionKind::BodyDigestMismatch,
        _ => RejectionKind::SignatureMismatch,
    });
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
    for place in 1..delivery.headers.len() {
        broken_header(vector, place);
    }
}

/// Drops, repeats and changes another signed header.
fn broken_header(vector: &Vector, place: usize) {
    let delivery = vector.delivery();
    let (name, value) = delivery.headers[place].clone();
    let (missing, repeated, changed) = if name.to_lowercase().ends_with("-id") {
        (RejectionKind::SignedHeaderMissing, RejectionKind::SignedHeaderRepeated, [&value[..], b"x"].concat())
    } else {
        let earlier = String::from_utf8(value.clone()).unwrap().replacen('2', "1", 1).into_bytes();
        (RejectionKind::TimestampMissing, RejectionKind::TimestampRepeated, earlier)
    };
    let mut without = delivery.clone();
    without.headers.remove(place);
    everywhere("a header less", vector, &without, &Outcome::rejected(missing));
    let twice = delivery.with_header(&name.to_uppercase(), value.clone());
    everywhere("a header twice", vector, &twice, &Outcome::rejected(repeated));
    if changed != value {
        without.headers.insert(place, (name, changed));
        let mismatch = Outcome::rejected(RejectionKind::SignatureMismatch);
        everywhere("a header changed", vector, &without, &mismatch);
    }
}

#[test]
fn every_vector_is_rejected_when_one_thing_is_broken() {
    assert_eq!(run(&["openssl.json", "python.json", "node.json", "java.json"], broken), 702);
}

/// The senders' own libraries reject changed bodies too: the scripts that made the vectors assert it.
#[test]
fn every_library_vector_is_rejected_when_one_thing_is_broken() {
    assert_eq!(run(LIBRARIES, broken), 283);
}

#[test]
fn every_built_in_sender_has_third_party_vectors() {
    let mut missing: BTreeSet<&str> = senders::names().collect();
    for file in ALL.iter().map(|file| VectorFile::load(file)) {
        for vector in &file.vectors {
            missing.remove(vector.sender.as_str());
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// Each is on time under the sender's own tolerance, and a day later or earlier it is not.
#[test]
fn every_timestamped_vector_passes_at_its_own_time_and_fails_a_day_off() {
    let timed = Cell::new(0);
    run(LIBRARIES, |vector| {
        let Some((verifier, on_time)) = vector.timed() else { return };
        let (delivery, body) = (vector.delivery(), vector.delivery().body());
        let verdict =
            |now| verifier.verify(&delivery.head(), &body, now).map(drop).map_err(|error| error.kind());
        assert_eq!(verdict(on_time), Ok(()), "{}", vector.name);
        let day = Duration::from_secs(86_400);
        assert_eq!(verdict(on_time + day), Err(RejectionKind::TimestampTooOld), "{}", vector.name);
        assert_eq!(verdict(on_time - day), Err(RejectionKind::TimestampInFuture), "{}", vector.name);
        timed.set(timed.get() + 1);
    });
    assert_eq!(timed.into_inner(), 182);
}
