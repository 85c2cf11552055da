//! A second, naive implementation of the verdict, written from the documentation, to compare the library with.
//!
//! It shares the types that describe a scheme ([`Part`], [`Encoding`] and the like) with the library, but no code.

mod fields;
mod primitives;
mod time;

use aws_lc_rs::digest;
use countersign::{Algorithm, Encoding, Part, SecretForm};

pub use self::time::{Place, Time};

/// A sender's wire format.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub header: String,
    pub form: Form,
    pub encoding: Encoding,
    pub algorithm: Algorithm,
    pub secret_form: SecretForm,
    pub time: Option<Time>,
    pub content: Vec<Part>,
    pub digest_parameter: Option<String>,
    pub refuses_encoded: bool,
}

/// The syntax of the signature header's value.
#[derive(Clone, Debug)]
pub enum Form {
    Bare,
    Prefixed(String),
    /// Modern Dropship sends bare items, the first of which is the timestamp.
    List {
        separator: char,
        label: Option<(String, char)>,
        bare_items: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Key {
    pub id: &'static str,
    /// The secret as the sender shows it.
    pub text: Vec<u8>,
    /// In nanoseconds since 1970, like every instant here.
    pub not_before: Option<i128>,
    pub expires_at: Option<i128>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Delivery {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim_ascii()).collect()
    }

    fn once(&self, name: &str) -> Option<&str> {
        match *self.values(name) {
            [value] => str::from_utf8(value).ok(),
            _ => None,
        }
    }
}

impl Scheme {
    /// Returns the id of the key that signed the delivery, or `None` if it is rejected.
    pub fn verdict(
        &self,
        keys: &[Key],
        body_limit: usize,
        now: i128,
        delivery: &Delivery,
    ) -> Option<&'static str> {
        let value = self.claim(delivery)?;
        let (_, claimed) = self.items(value)?;
        let time = self.time_text(delivery)?;
        if self.time.as_ref().is_some_and(|stated| !stated.admits(time, self.beside_time(), now)) {
            return None;
        }
        let content = self.content(delivery, time)?;
        if delivery.body.len() > body_limit || !announces(delivery, body_limit) {
            return None;
        }
        let plain = match *delivery.values("content-encoding") {
            [] => true,
            [value] => value.eq_ignore_ascii_case(b"identity"),
            _ => false,
        };
        if self.refuses_encoded && !plain {
            return None;
        }
        if let Some(parameter) = &self.digest_parameter {
            let found = fields::of(delivery.target.split_once('?')?.1.as_bytes());
            let mut values = found.iter().filter(|(name, _)| name == parameter).map(|(_, value)| value);
            let digest = hex::encode(digest::digest(&digest::SHA256, &delivery.body));
            if values.next() != Some(&digest) || values.next().is_some() {
                return None;
            }
        }
        let active = |key: &&Key| {
            key.not_before.is_none_or(|at| now >= at) && key.expires_at.is_none_or(|at| now < at)
        };
        let made = |key: &&Key| match self.hmac(&key.text, &content) {
            Some(right) => claimed.iter().filter_map(|text| self.decoded(text)).any(|bytes| bytes == right),
            None => value.as_bytes() == key.text,
        };
        keys.iter().filter(active).find(made).map(|key| key.id)
    }

    /// The timestamp as sent, or an empty text if the scheme signs none.
    pub fn time_text<'d>(&self, delivery: &'d Delivery) -> Option<&'d str> {
        match self.time.as_ref().map(|time| &time.place) {
            Some(Place::Header(name)) => delivery.once(name),
            Some(Place::Listed(_)) => self.items(self.claim(delivery)?)?.0,
            None => Some(""),
        }
    }

    fn claim<'d>(&self, delivery: &'d Delivery) -> Option<&'d str> {
        let value = delivery.once(&self.header)?;
        (value.is_ascii() && (1..=8192).contains(&value.len())).then_some(value)
    }

    /// The timestamp in the list and the claimed signatures.
    fn items<'d>(&self, value: &'d str) -> Option<(Option<&'d str>, Vec<&'d str>)> {
        match &self.form {
            Form::Bare => Some((None, vec![value])),
            Form::Prefixed(prefix) => {
                let text = without(value, prefix)?;
                without(text, prefix).is_none().then_some((None, vec![text]))
            }
            Form::List { separator, label, bare_items } => {
                let items: Vec<&str> = value.split(*separator).map(str::trim_ascii).collect();
                let time_label = match self.time.as_ref().map(|time| &time.place) {
                    Some(Place::Listed(label)) => Some(label),
                    _ => None,
                };
                let (mut times, mut signatures) = (Vec::new(), Vec::new());
                for (place, item) in items.iter().enumerate() {
                    let Some((label, assignment)) = label else {
                        signatures.push(*item);
                        continue;
                    };
                    match item.split_once(*assignment) {
                        Some((found, text)) if found.trim_ascii().eq_ignore_ascii_case(label) => {
                            signatures.push(text.trim_ascii());
                        }
                        Some((found, text))
                            if time_label.is_some_and(|l| found.trim_ascii().eq_ignore_ascii_case(l)) =>
                        {
                            times.push(text.trim_ascii());
                        }
                        None if *bare_items && place == 0 => times.push(item),
                        None if *bare_items => signatures.push(item),
                        _ => {}
                    }
                }
                let one_time = times.len() == usize::from(time_label.is_some());
                (items.len() <= 16 && one_time).then(|| (times.first().copied(), signatures))
            }
        }
    }

    /// The literal next to the timestamp, on the side of the body.
    fn beside_time(&self) -> Option<&str> {
        let at = self.content.iter().position(|part| *part == Part::Timestamp)?;
        self.inner_literal(at)
    }

    /// The literal next to the part, on the side of the body.
    fn inner_literal(&self, at: usize) -> Option<&str> {
        let body = self.content.iter().position(|part| matches!(part, Part::Body | Part::SortedForm));
        let inner = if body.is_some_and(|body| body < at) { at - 1 } else { at + 1 };
        match self.content.get(inner) {
            Some(Part::Literal(text) | Part::Url(text)) => Some(text),
            _ => None,
        }
    }

    /// The signed content, or `None` if a part is missing, malformed, or contains its separator.
    pub fn content(&self, delivery: &Delivery, time: &str) -> Option<Vec<u8>> {
        let (path, query) = match delivery.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*delivery.target, None),
        };
        let mut content = Vec::new();
        for (at, part) in self.content.iter().enumerate() {
            let value = match part {
                Part::Header(name) => {
                    let value = delivery.once(name)?;
                    let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                    (visible && (1..=1024).contains(&value.len())).then_some(value)?
                }
                Part::Method => &delivery.method,
                Part::Path => path,
                Part::Query => query?,
                fixed => {
                    content.extend(match fixed {
                        Part::Literal(text) | Part::Url(text) => text.as_bytes().to_vec(),
                        Part::Timestamp => time.as_bytes().to_vec(),
                        Part::SortedForm => fields::signed(&delivery.body)?,
                        _ => delivery.body.clone(),
                    });
                    continue;
                }
            };
            let literal = self.inner_literal(at);
            if literal.is_some_and(|text| format!("{value}{text}").split(text).next() != Some(value)) {
                return None;
            }
            content.extend(value.as_bytes());
        }
        Some(content)
    }

    /// The value of the signature header.
    pub fn value(&self, time: &str, signatures: &[String]) -> String {
        match &self.form {
            Form::Bare => signatures[0].clone(),
            Form::Prefixed(prefix) => format!("{prefix}{}", signatures[0]),
            Form::List { separator, label, bare_items } => {
                let item = |wanted: &str, text: &str| match label {
                    Some((_, assignment)) if !bare_items => format!("{wanted}{assignment}{text}"),
                    _ => text.to_owned(),
                };
                let label = label.as_ref().map_or("", |(label, _)| label);
                let mut items: Vec<String> = signatures.iter().map(|text| item(label, text)).collect();
                if let Some(Time { place: Place::Listed(label), .. }) = &self.time {
                    items.insert(0, item(label, time));
                }
                items.join(&separator.to_string())
            }
        }
    }
}

/// Returns whether each `Content-Length` is a number within the limit.
fn announces(delivery: &Delivery, limit: usize) -> bool {
    delivery.values("content-length").iter().all(|value| {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        digits && String::from_utf8_lossy(value).parse().is_ok_and(|length: usize| length <= limit)
    })
}

/// The value after the prefix, which matches in any case. If the prefix ends in `=`, spaces may surround that.
fn without<'v>(value: &'v str, prefix: &str) -> Option<&'v str> {
    match prefix.strip_suffix('=') {
        Some(label) => {
            let (found, text) = value.split_once('=')?;
            found.trim_ascii_end().eq_ignore_ascii_case(label).then_some(text.trim_ascii_start())
        }
        None => {
            let found = value.get(..prefix.len())?;
            found.eq_ignore_ascii_case(prefix).then(|| &value[prefix.len()..])
        }
    }
}
