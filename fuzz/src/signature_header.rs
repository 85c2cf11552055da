use std::sync::LazyLock;

use countersign::TimestampFormat;

use crate::{
    plan::{KeyInput, Period, Plan},
    receiver::Receiver,
    reference::{Delivery, Key},
    schemes::{CASES, Case},
};

const PLAN: Plan<'_> = Plan {
    method: "POST",
    path: "/hooks",
    query: "id=1",
    values: ["msg_1", "orders"],
    time: "",
    body: b"{\"a\":\"b\"}",
};

/// A receiver and a valid delivery for each scheme.
static RIGHT: LazyLock<Vec<(Receiver, Delivery)>> = LazyLock::new(|| CASES.iter().map(right).collect());

fn right(case: &'static Case) -> (Receiver, Delivery) {
    let form = &case.reference.secret_form;
    let key = |id, seed, period| KeyInput { seed, length: 24, period }.key(id, form);
    let keys: Vec<Key> = vec![key("old", 1, Period::Expired), key("new", 2, Period::Always)];
    let time = match case.reference.time.as_ref().map(|time| time.format) {
        Some(TimestampFormat::Milliseconds) => "1719342000000",
        Some(TimestampFormat::Rfc3339) => "2024-06-25T19:00:00Z",
        _ => "1719342000",
    };
    let delivery = Plan { time, ..PLAN }.signed(case, keys[1..].iter());
    (Receiver::new(case, keys, 1024), delivery)
}

fn is_signature(receiver: &Receiver, name: &str) -> bool {
    name == receiver.case.reference.header
}

/// A valid value of the signature header for each scheme.
pub fn right_values() -> impl Iterator<Item = &'static [u8]> {
    RIGHT.iter().flat_map(|(receiver, delivery)| {
        let mut headers = delivery.headers.iter();
        headers.find(|(name, _)| is_signature(receiver, name)).map(|(_, value)| &**value)
    })
}

/// Asserts that each scheme agrees with the reference on these bytes as the signature header. Returns how many accept.
pub fn signature_header(data: &[u8]) -> usize {
    let accepted = RIGHT.iter().filter_map(|(receiver, delivery)| {
        let mut delivery = delivery.clone();
        for (_, value) in delivery.headers.iter_mut().filter(|(name, _)| is_signature(receiver, name)) {
            *value = data.to_vec();
        }
        receiver.check(&delivery, &[0, 3])
    });
    accepted.count()
}
