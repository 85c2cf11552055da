use arbitrary::{Arbitrary, Unstructured};
use countersign::{Secret, Signer, TimestampFormat};

use crate::{
    mutation::Mutation,
    plan::{KeyInput, Plan},
    receiver::{NOW, Receiver, now},
    reference::{Delivery, Key},
    schemes::{CASES, Case},
};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    case: u8,
    keys: [KeyInput; 3],
    key_count: u8,
    signers: u8,
    time: TimeInput<'a>,
    method: Word<'a>,
    path: Word<'a>,
    query: Word<'a>,
    values: [Word<'a>; 2],
    body_limit: u8,
    mutations: Vec<Mutation<'a>>,
    cuts: &'a [u8],
    body: &'a [u8],
}

/// Text that is usually what a sender sends, and sometimes contains the separators of schemes.
#[derive(Arbitrary, Debug)]
enum Word<'a> {
    Plain,
    Longer,
    Dotted,
    Dashed,
    Any(&'a str),
}

impl Word<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Plain => "POST",
            Self::Longer => "/hooks/orders.created",
            Self::Dotted => "a=1.5&b=%2e",
            Self::Dashed => "id-",
            Self::Any(text) => text,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum TimeInput<'a> {
    Now,
    /// Seconds from now, at most a few hours.
    Near(i16),
    Tenths(i8),
    Zoned(u8),
    Any(&'a str),
}

impl TimeInput<'_> {
    fn text(&self, format: Option<TimestampFormat>) -> String {
        let (offset, tenths) = match self {
            Self::Near(offset) => (i64::from(*offset % 10_000), 0),
            Self::Tenths(tenths) => (i64::from(tenths.div_euclid(10)), tenths.rem_euclid(10)),
            Self::Any(text) => return (*text).to_owned(),
            Self::Now | Self::Zoned(_) => (0, 0),
        };
        let seconds = NOW.saturating_add_signed(offset);
        match format {
            Some(TimestampFormat::Milliseconds) => format!("{seconds}{tenths}00"),
            Some(TimestampFormat::Rfc3339) => {
                let zone = match self {
                    Self::Zoned(minutes) => format!("+00:{:02}", minutes % 64),
                    Self::Tenths(_) => format!(".{tenths}z"),
                    _ => "Z".to_owned(),
                };
                let of_day = seconds % 86_400;
                let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
                format!("2024-06-25T{hour:02}:{minute:02}:{second:02}{zone}")
            }
            _ => seconds.to_string(),
        }
    }
}

const IDS: [&str; 3] = ["first", "second", "third"];

/// Signs a delivery with the reference, perhaps changes it, and asserts that it gets the same verdict whole, in chunks,
/// and from the reference. If the unchanged delivery is accepted, so is the one that the `Signer` makes.
///
/// Returns whether it was accepted, or `None` if there were too few bytes to make a delivery.
pub fn delivery(data: &[u8]) -> Option<bool> {
    let input = Input::arbitrary_take_rest(Unstructured::new(data)).ok()?;
    let case = &CASES[usize::from(input.case) % CASES.len()];
    let count = 1 + usize::from(input.key_count) % IDS.len();
    let form = &case.reference.secret_form;
    let keys: Vec<Key> = IDS.iter().zip(input.keys).take(count).map(|(id, key)| key.key(id, form)).collect();
    let time = input.time.text(case.reference.time.as_ref().map(|time| time.format));
    let plan = Plan {
        method: input.method.text(),
        path: input.path.text(),
        query: input.query.text(),
        values: [input.values[0].text(), input.values[1].text()],
        time: &time,
        body: input.body,
    };
    let signs = |at: usize| input.signers >> at & 1 == 1;
    let mut signers: Vec<&Key> = (0..count).filter(|at| signs(*at)).map(|at| &keys[at]).collect();
    if signers.is_empty() {
        signers.push(&keys[0]);
    }
    let mut delivery = plan.signed(case, signers.into_iter());
    // A limit small enough that some bodies exceed it.
    let receiver = Receiver::new(case, keys.clone(), 64 + usize::from(input.body_limit));
    let cuts = &input.cuts[..input.cuts.len().min(64)];

    let accepted = receiver.check(&delivery, cuts);
    if let Some(key) = keys.iter().find(|key| Some(key.id) == accepted) {
        let made = by_signer(case, key, &plan);
        assert!(receiver.check(&made, cuts).is_some(), "rejected the signer's delivery: {made:?}");
    }
    input.mutations.iter().for_each(|mutation| mutation.apply(&case.reference, &mut delivery));
    Some(receiver.check(&delivery, cuts).is_some())
}

fn by_signer(case: &Case, key: &Key, plan: &Plan<'_>) -> Delivery {
    let target = plan.target(case);
    let signer = Signer::new(case.library.clone(), [Secret::new(key.text.clone())]);
    let signer = signer.expect("the verifier accepted the key").request(plan.method, &*target);
    // Servers strip white space around a field's value.
    let trimmed = plan.headers(case).into_iter().map(|(name, value)| (name, value.trim_ascii().to_owned()));
    let signer = trimmed.fold(signer, |signer, (name, value)| signer.header(name, value));
    let headers = signer.headers(plan.body, now()).expect("the signer has what the reference had");
    let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    Delivery { method: plan.method.to_owned(), target, headers, body: plan.body.to_vec() }
}
