mod cuts;
mod input;

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use countersign::{Part, RejectionKind, RequestHead, Secret, Verified, Verifier};

use self::{cuts::Cuts, input::Input};
use crate::{
    receiver::now,
    reference::{Delivery, Place, Scheme},
    schemes,
};

const SECRET: &str = "00112233445566778899aabbccddeeff";

/// Asserts that a scheme that builds accepts what it signs, and that no two deliveries share a signature, so no byte can
/// move between fields.
///
/// Returns whether a scheme was built and a delivery was accepted under it.
pub fn scheme_builder(data: &[u8]) -> Option<bool> {
    let input = Input::arbitrary_take_rest(Unstructured::new(data)).ok()?;
    let scheme = input.scheme();
    if let Some(odd) = input.odd_call(schemes::builder(&scheme)) {
        // The reference does not state this call, so only a panic counts.
        drop(odd.build());
        return Some(false);
    }
    let Ok(library) = schemes::builder(&scheme).build() else { return Some(false) };
    // A public-key algorithm takes no secret.
    let Ok(verifier) = Verifier::builder(library).secret("only", Secret::new(SECRET)).build() else {
        return Some(false);
    };
    let attempt = Attempt { scheme, verifier };
    // Several bodies can give the same sorted form or match the same digest rule, so deliveries need not be unique.
    if attempt.scheme.content.contains(&Part::SortedForm) || attempt.scheme.digest_parameter.is_some() {
        return Some(false);
    }
    attempt.takes_what_it_signs(&input);
    Some(attempt.one_delivery_for_each_signature(&input.values()))
}

struct Attempt {
    scheme: Scheme,
    verifier: Verifier,
}

/// A field of the request that is part of the signed content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Method,
    Path,
    Query,
    /// The header's name in lower case. A timestamp in a header is also a `Header`.
    Header(String),
    ListedTime,
    Body,
}

type Values = BTreeMap<Field, Vec<u8>>;

impl Attempt {
    /// Each part of the content: fixed text, or the field that supplies it.
    fn slots(&self) -> Vec<Result<&str, Field>> {
        let slots = self.scheme.content.iter().map(|part| match part {
            Part::Literal(text) | Part::Url(text) => Ok(&**text),
            Part::Timestamp => Err(self.time_field()),
            Part::Header(name) => Err(Field::Header(name.to_ascii_lowercase())),
            Part::Method => Err(Field::Method),
            Part::Path => Err(Field::Path),
            Part::Query => Err(Field::Query),
            _ => Err(Field::Body),
        });
        slots.collect()
    }

    fn time_field(&self) -> Field {
        match self.scheme.time.as_ref().map(|time| &time.place) {
            Some(Place::Header(name)) => Field::Header(name.to_ascii_lowercase()),
            _ => Field::ListedTime,
        }
    }

    fn delivery(&self, values: &Values, signature: &str) -> Delivery {
        let text = |field: &Field| {
            values.get(field).map_or(String::new(), |value| String::from_utf8_lossy(value).into_owned())
        };
        let target = match values.contains_key(&Field::Query) {
            true => format!("{}?{}", text(&Field::Path), text(&Field::Query)),
            false => text(&Field::Path),
        };
        let value = self.scheme.value(&text(&Field::ListedTime), &[signature.to_owned()]);
        let headers = values.iter().filter_map(|(field, value)| match field {
            Field::Header(name) => Some((name.clone(), value.trim_ascii().to_vec())),
            _ => None,
        });
        let headers = headers.chain([(self.scheme.header.clone(), value.into_bytes())]).collect();
        let body = values.get(&Field::Body).cloned().unwrap_or_default();
        Delivery { method: text(&Field::Method), target, headers, body }
    }

    fn verify(&self, delivery: &Delivery) -> Result<Verified, RejectionKind> {
        let head = RequestHead::new(&delivery.method, &delivery.target, &delivery.headers);
        self.verifier.verify(&head, &delivery.body, now()).map_err(|rejection| rejection.kind())
    }

    /// A delivery with plain values may be rejected as ambiguous next to the scheme's texts, but never for its signature.
    fn takes_what_it_signs(&self, input: &Input<'_>) {
        let fields = self.slots().into_iter().filter_map(Result::err);
        let values: Values =
            fields.map(|field| (field.clone(), input.plain(&field, &self.time_field()))).collect();
        let delivery = self.delivery(&values, &self.signature(&values));
        let of_the_signature =
            |kind| kind <= RejectionKind::TimestampRepeated || kind >= RejectionKind::SignatureMismatch;
        if let Err(kind) = self.verify(&delivery) {
            assert!(!of_the_signature(kind), "{kind:?} of {delivery:?} by {:?}", self.scheme);
        }
    }

    fn signature(&self, values: &Values) -> String {
        self.scheme.signature(SECRET.as_bytes(), &self.content(values))
    }

    fn content(&self, values: &Values) -> Vec<u8> {
        let bytes = |slot: Result<&str, Field>| match slot {
            Ok(text) => text.as_bytes().to_vec(),
            Err(field) => values[&field].clone(),
        };
        self.slots().into_iter().flat_map(bytes).collect()
    }

    /// Cuts one signed content into fields in every way, and asserts that all deliveries accepted under its signature are
    /// the same. Returns whether any was accepted.
    fn one_delivery_for_each_signature(&self, values: &dyn Fn(&Field, &Field) -> Vec<u8>) -> bool {
        let slots = self.slots();
        let fields = slots.iter().filter_map(|slot| slot.as_ref().err());
        let values: Values = fields.map(|field| (field.clone(), values(field, &self.time_field()))).collect();
        let content = self.content(&values);
        let signature = self.signature(&values);
        let mut accepted: Option<Delivery> = None;
        Cuts::new(&slots, &content).visit(&mut |cut| {
            let delivery = self.delivery(cut, &signature);
            if self.verify(&delivery).is_ok() {
                let first = accepted.get_or_insert_with(|| delivery.clone());
                assert_eq!(*first, delivery, "one signature for two deliveries by {:?}", self.scheme);
            }
        });
        accepted.is_some()
    }
}
