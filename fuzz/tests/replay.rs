//! Runs every property over the committed seeds and over generated inputs, on stable.

use std::{fs, path::Path};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Runs the property over every seed of its target, then over generated inputs, and returns the results.
fn replay<T>(target: &str, generated: u32, property: fn(&[u8]) -> T) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut outcomes: Vec<T> = files.map(|path| property(&fs::read(path).unwrap())).collect();
    assert!(outcomes.len() >= 12, "{} seeds of {target}", outcomes.len());
    outcomes.extend(inputs(generated).map(|input| property(&input)));
    outcomes
}

fn inputs(count: u32) -> impl Iterator<Item = Vec<u8>> {
    let mut random = ChaCha8Rng::seed_from_u64(20_261_121);
    (0..count).map(move |_| {
        let mut input = vec![0; usize::from(random.next_u32() as u16 % 500)];
        random.fill_bytes(&mut input);
        input
    })
}

#[test]
fn deliveries_get_one_verdict() {
    let outcomes = replay("delivery", 6000, countersign_fuzz::delivery);
    let accepted = outcomes.iter().filter(|outcome| **outcome == Some(true)).count();
    let rejected = outcomes.iter().filter(|outcome| **outcome == Some(false)).count();
    assert!(accepted >= 1000 && rejected >= 1000, "{accepted} accepted, {rejected} rejected");
}

#[test]
fn signature_headers_get_one_verdict() {
    let outcomes = replay("signature_header", 1000, countersign_fuzz::signature_header);
    assert!(outcomes.iter().filter(|accepted| **accepted > 0).count() >= 12);
    for right in countersign_fuzz::right_values() {
        assert!(countersign_fuzz::signature_header(right) > 0, "{right:?}");
    }
}

#[test]
fn bytes_cannot_move_between_fields() {
    let outcomes = replay("scheme_builder", 20_000, countersign_fuzz::scheme_builder);
    let accepted = outcomes.iter().filter(|outcome| **outcome == Some(true)).count();
    assert!(accepted >= 100, "{accepted} accepted");
}

#[test]
fn no_public_key_accepts_a_made_up_signature() {
    let outcomes = replay("public_key", 3000, countersign_fuzz::public_key);
    assert!(outcomes.iter().filter(|verifiers| **verifiers > 0).count() >= 4);
}

#[test]
fn identities_follow_from_the_fields() {
    let outcomes = replay("identity", 40_000, countersign_fuzz::identity);
    let found = outcomes.iter().filter(|found| **found).count();
    assert!(found >= 200, "{found} found");
}

#[test]
fn no_configuration_accepts_an_unsigned_delivery() {
    let outcomes = replay("configuration", 3000, countersign_fuzz::configuration);
    assert!(outcomes.iter().filter(|built| **built).count() >= 8);
}
