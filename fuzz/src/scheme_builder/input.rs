//! A scheme chosen by the fuzzer, from texts that can overlap at their ends.

use arbitrary::Arbitrary;
use countersign::{
    Algorithm, Encoding, Padding, Part, SchemeBuilder, SecretForm, SignatureList, TimestampFormat,
};

use super::Field;
use crate::reference::{Form, Place, Scheme, Time};

#[derive(Arbitrary, Debug)]
pub struct Input<'a> {
    header: Name<'a>,
    form: FormInput<'a>,
    encoding: u8,
    algorithm: u8,
    time: TimeInput<'a>,
    /// Each part with its separator.
    parts: [(PartInput<'a>, Option<Word<'a>>); 4],
    part_count: u8,
    /// The number of parts before the body.
    body_at: u8,
    has_digest: u8,
    refuses_encoded: bool,
    odd: u8,
    values: [[Word<'a>; 3]; 5],
}

#[derive(Arbitrary, Debug)]
enum FormInput<'a> {
    Bare,
    Prefixed(Word<'a>),
    Unlabelled(Separator),
    List(Separator, Word<'a>, Separator),
}

#[derive(Arbitrary, Debug)]
enum Separator {
    Comma,
    Equals,
    Semicolon,
    Space,
    Colon,
    Any(char),
}

impl Separator {
    fn char(&self) -> char {
        match self {
            Self::Comma => ',',
            Self::Equals => '=',
            Self::Semicolon => ';',
            Self::Space => ' ',
            Self::Colon => ':',
            Self::Any(char) => *char,
        }
    }
}

#[derive(Arbitrary, Debug)]
struct TimeInput<'a> {
    is_listed: bool,
    name: Name<'a>,
    format: u8,
    limit: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum PartInput<'a> {
    Literal(Word<'a>),
    Url(Word<'a>),
    Timestamp,
    Header(Name<'a>),
    Method,
    Path,
    Query,
    Body,
    SortedForm,
}

/// One of the known words, or occasionally any text.
#[derive(Arbitrary, Debug)]
struct Word<'a> {
    known: u8,
    any: &'a str,
}

#[derive(Arbitrary, Debug)]
struct Name<'a>(Word<'a>);

const WORDS: [&str; 32] = [
    "x-a",
    "x-b",
    "v1",
    "t",
    "v1=",
    "sha256=",
    "a",
    ".",
    ":",
    "-",
    "--",
    "T",
    "Z",
    "5",
    ",",
    "=",
    "",
    "ab",
    "X-A",
    "https://a.b/",
    "1719342000",
    "1719342000000",
    "2024-06-25T19:00:00Z",
    "2024",
    "06-25",
    "19:00",
    ":00Z",
    ".5Z",
    "+00:00",
    "/",
    "?",
    "0",
];

const NAMES: [&str; 8] = ["x-a", "x-b", "x-t", "X-A", "t", "v1", "x-signature", "content-length"];

impl Word<'_> {
    fn text(&self) -> &str {
        self.of(&WORDS)
    }

    fn of<'w>(&'w self, known: &[&'w str]) -> &'w str {
        if self.known < 240 { known[usize::from(self.known) % known.len()] } else { self.any }
    }

    fn owned(&self) -> String {
        self.text().to_owned()
    }
}

impl Name<'_> {
    fn owned(&self) -> String {
        self.0.of(&NAMES).to_owned()
    }
}

const FORMATS: [TimestampFormat; 4] =
    [TimestampFormat::Seconds, TimestampFormat::Milliseconds, TimestampFormat::Rfc3339, TimestampFormat::Any];

impl Input<'_> {
    pub fn scheme(&self) -> Scheme {
        let label = |(label, assignment): (&Word<'_>, &Separator)| (label.owned(), assignment.char());
        let list = |separator: &Separator, label| Form::List {
            separator: separator.char(),
            label,
            bare_items: false,
        };
        let paddings = [Padding::Required, Padding::Optional, Padding::Absent];
        let padding = paddings[usize::from(self.encoding / 4) % 3];
        let encodings =
            [Encoding::Hex, Encoding::HexUpper, Encoding::Base64(padding), Encoding::Base64Url(padding)];
        let hmac =
            [Algorithm::HmacSha256, Algorithm::HmacSha384, Algorithm::HmacSha512, Algorithm::LegacyHmacSha1];
        let algorithms = if self.algorithm.is_multiple_of(16) { Algorithm::ALL } else { &hmac };
        let content = self.content();
        Scheme {
            header: self.header.owned(),
            form: match &self.form {
                FormInput::Bare => Form::Bare,
                FormInput::Prefixed(prefix) => Form::Prefixed(prefix.owned()),
                FormInput::Unlabelled(separator) => list(separator, None),
                FormInput::List(separator, text, assignment) => {
                    list(separator, Some(label((text, assignment))))
                }
            },
            encoding: encodings[usize::from(self.encoding) % 4],
            algorithm: algorithms[usize::from(self.algorithm / 16) % algorithms.len()],
            secret_form: if self.odd & 1 == 1 { SecretForm::Hex } else { SecretForm::Text },
            time: (self.odd == 128 || content.contains(&Part::Timestamp)).then(|| self.time.time()),
            content,
            digest_parameter: (self.has_digest > 250).then(|| "digest".to_owned()),
            refuses_encoded: self.refuses_encoded,
        }
    }

    fn content(&self) -> Vec<Part> {
        let count = usize::from(self.part_count) % (self.parts.len() + 1);
        let (before, after) = self.parts[..count].split_at(usize::from(self.body_at) % (count + 1));
        let end = |word: &Option<Word<'_>>| word.as_ref().map(|word| Part::literal(word.owned()));
        let before = before.iter().flat_map(|(part, word)| [Some(part.part()), end(word)]);
        let after = after.iter().flat_map(|(part, word)| [end(word), Some(part.part())]);
        let body = (self.odd != 127).then_some(Part::Body);
        before.chain([body]).chain(after).flatten().collect()
    }

    /// Occasionally makes a call that contradicts or repeats another.
    pub fn odd_call(&self, builder: SchemeBuilder) -> Option<SchemeBuilder> {
        let text = self.header.owned();
        Some(match self.odd {
            255 => builder.prefix(text),
            254 => builder.list(SignatureList::separated_by(';').labelled(text, ';')),
            253 => builder.legacy_least_modulus_bits(usize::from(self.algorithm)),
            252 => builder.secret_form(SecretForm::Base64 { prefix: text.into() }),
            251 => builder.body_digest_in_query(text),
            250 => countersign::Scheme::builder(text),
            _ => return None,
        })
    }

    /// A value that is rarely ambiguous next to other texts.
    pub fn plain(&self, field: &Field, time: &Field) -> Vec<u8> {
        let text = match field {
            field if field == time => {
                let texts = ["1719342000", "1719342000000", "2024-06-25T19:00:00Z", "1719342000"];
                texts[usize::from(self.time.format) % 4]
            }
            Field::Path => "/~",
            Field::Body => "{}",
            // A signed content length must still be a number.
            Field::Header(name) if name == "content-length" => "2",
            _ => "~",
        };
        text.as_bytes().to_vec()
    }

    /// Values that may contain the texts next to them.
    pub fn values(&self) -> impl Fn(&Field, &Field) -> Vec<u8> {
        |field, time| {
            let at = match field {
                field if field == time => 0,
                Field::Body => 1,
                Field::Header(name) if name == "x-b" => 2,
                Field::Header(_) | Field::ListedTime => 3,
                Field::Method | Field::Path | Field::Query => 4,
            };
            let words: String = self.values[at].iter().map(Word::text).collect();
            words.chars().take(24).collect::<String>().into_bytes()
        }
    }
}

impl TimeInput<'_> {
    fn time(&self) -> Time {
        let name = self.name.owned();
        let limit = self.limit.map(|limit| if limit < 128 { 300 } else { u64::MAX / u64::from(limit) });
        Time {
            place: if self.is_listed { Place::Listed(name) } else { Place::Header(name) },
            format: FORMATS[usize::from(self.format) % 4],
            limits: limit.map(|limit| (limit, limit)),
        }
    }
}

impl PartInput<'_> {
    fn part(&self) -> Part {
        match self {
            Self::Literal(text) => Part::literal(text.owned()),
            Self::Url(text) => Part::Url(text.owned().into()),
            Self::Timestamp => Part::Timestamp,
            Self::Header(name) => Part::header(name.owned()),
            Self::Method => Part::Method,
            Self::Path => Part::Path,
            Self::Query => Part::Query,
            Self::Body => Part::Body,
            Self::SortedForm => Part::SortedForm,
        }
    }
}
