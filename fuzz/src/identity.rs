use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use aws_lc_rs::digest::{SHA256, digest};
use countersign::{
    Algorithm, Encoding, Fallback, Identified, IdentitySource, Scheme, Secret, Signer, Verifier,
};

use crate::receiver::now;

const POINTERS: [&[&str]; 8] = [
    &["/id"],
    &["/a", "/id"],
    &["/a/id"],
    &["/a/0", "/a/1/id"],
    &["/a~1b", "/~0", "/"],
    &["/id/id/id"],
    &["/0/id", "/1/id"],
    &["/a/a/0/a", "/a/id", "/a/a/1"],
];

/// A receiver for each list of pointers, and its signer.
static RECEIVERS: LazyLock<Vec<(Verifier, Signer)>> = LazyLock::new(|| {
    let receivers = POINTERS.iter().map(|pointers| {
        let scheme = Scheme::builder("fuzzed")
            .signature_header("x-signature")
            .encoding(Encoding::Hex)
            .algorithm(Algorithm::HmacSha256)
            .identity(IdentitySource::fields(pointers.iter().copied()))
            .build()
            .expect("the scheme is sound");
        let verifier = Verifier::builder(scheme.clone())
            .secret("only", Secret::new("secret").dangerously_accept_placeholder())
            .build();
        (verifier.expect("the key fits"), Signer::new(scheme, [Secret::new("secret")]).expect("the key fits"))
    });
    receivers.collect()
});

fn identify(place: usize, body: &[u8]) -> Identified {
    let (verifier, signer) = &RECEIVERS[place];
    let headers = signer.headers(body, now()).expect("it signs any body");
    verifier.identify(&headers, body, now()).expect("it is signed").1
}

/// The first byte chooses pointers and whether the rest is a body, or what a document is made from. Whether the fields were
/// found.
pub fn identity(data: &[u8]) -> bool {
    let Some((&choice, rest)) = data.split_first() else { return false };
    let place = usize::from(choice) % POINTERS.len();
    if choice < 128 { any_body(place, rest) } else { document(place, rest).unwrap_or_default() }
}

/// No body panics. It is JSON with white space around it and a byte order mark, and no longer without its end.
fn any_body(place: usize, body: &[u8]) -> bool {
    let this = identify(place, body);
    let by_digest = reference(&[b"body", body]);
    assert_eq!(this.fallback.is_some(), *this.identity.as_bytes() == by_digest);
    if this.fallback.is_none() {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let around = ["\u{feff} \t".as_bytes(), body, b"\r\n"].concat();
        assert_eq!(identify(place, &around), this);
        let cut = &body[..body.trim_ascii_end().len() - 1];
        assert_eq!(identify(place, cut).fallback, Some(Fallback::NotJson));
    }
    this.fallback.is_none()
}

/// A document's identity follows from what it was made from, however it is written.
fn document(place: usize, data: &[u8]) -> Result<bool> {
    let mut input = Unstructured::new(data);
    let wanted = POINTERS[place].iter().flat_map(|pointer| levels(pointer));
    let names: Vec<String> = wanted.chain(["other".to_owned()]).collect();
    let value = Json::container(&mut input, &names, 0)?;
    let mut body = String::new();
    value.write(&mut input, &mut body)?;
    let this = identify(place, body.as_bytes());

    let mut frames: Vec<&[u8]> = vec![b"fields"];
    let mut fallback = None;
    for &pointer in POINTERS[place] {
        frames.push(pointer.as_bytes());
        match value.at(pointer) {
            Ok(Json::Number(text)) => frames.extend([b"number", text.as_bytes()]),
            Ok(Json::Text(text)) if !text.is_empty() => frames.extend([b"string", text.as_bytes()]),
            Ok(_) => fallback = fallback.or(Some(Fallback::Unusable { field: pointer.into() })),
            Err(reason) => fallback = fallback.or(Some(reason)),
        }
    }
    if fallback.is_some() {
        frames = vec![b"body", body.as_bytes()];
    }
    assert_eq!(this.fallback, fallback, "{body}");
    assert_eq!(*this.identity.as_bytes(), reference(&frames), "{body}");
    Ok(fallback.is_none())
}

fn reference(frames: &[&[u8]]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for frame in [b"countersign identity 1".as_slice(), b"fuzzed"].iter().chain(frames) {
        bytes.extend((frame.len() as u64).to_be_bytes());
        bytes.extend_from_slice(frame);
    }
    digest(&SHA256, &bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

enum Json {
    Word(&'static str),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The levels of a JSON pointer, unescaped.
fn levels(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|level| level.replace("~1", "/").replace("~0", "~"))
}

impl Json {
    fn new(input: &mut Unstructured<'_>, names: &[String], depth: usize) -> Result<Self> {
        Ok(match input.int_in_range(0..=7)? {
            0 => Self::Word(input.choose(&["null", "true", "false"])?),
            1 | 2 => Self::Number(match input.int_in_range(0..=3)? {
                0 => u128::arbitrary(input)?.to_string(),
                1 => i8::arbitrary(input)?.to_string(),
                2 => format!("{}.50", i8::arbitrary(input)?),
                _ => format!("-{}E+07", u8::arbitrary(input)?),
            }),
            5.. if depth < 5 => Self::container(input, names, depth)?,
            _ => Self::Text(String::arbitrary(input)?),
        })
    }

    /// An object or an array whose members have these names.
    fn container(input: &mut Unstructured<'_>, names: &[String], depth: usize) -> Result<Self> {
        let count = input.int_in_range(0..=4)?;
        if input.ratio(1_u8, 4_u8)? {
            let element = |_| Self::new(input, names, depth + 1);
            return Ok(Self::Array((0..count).map(element).collect::<Result<_>>()?));
        }
        let member = |_| Ok((input.choose(names)?.clone(), Self::new(input, names, depth + 1)?));
        Ok(Self::Object((0..count).map(member).collect::<Result<_>>()?))
    }

    /// The value at the pointer, as RFC 6901 says, and no value if a name is given twice.
    fn at(&self, pointer: &str) -> std::result::Result<&Self, Fallback> {
        let missing = || Fallback::Missing { field: pointer.to_owned().into() };
        levels(pointer).try_fold(self, |value, level| match value {
            Self::Object(members) => {
                let mut named = members.iter().filter(|(name, _)| *name == level);
                match (named.next(), named.next()) {
                    (Some((_, member)), None) => Ok(member),
                    (None, _) => Err(missing()),
                    (Some(_), Some(_)) => Err(Fallback::Repeated { field: pointer.to_owned().into() }),
                }
            }
            Self::Array(elements) => {
                let place = elements.iter().enumerate().find(|(place, _)| place.to_string() == level);
                place.map(|(_, element)| element).ok_or_else(missing)
            }
            Self::Word(_) | Self::Number(_) | Self::Text(_) => Err(missing()),
        })
    }

    fn write(&self, input: &mut Unstructured<'_>, to: &mut String) -> Result<()> {
        space(input, to)?;
        match self {
            Self::Word(text) => *to += text,
            Self::Number(text) => *to += text,
            Self::Text(text) => write_text(text, input, to)?,
            Self::Array(elements) => {
                to.push('[');
                for (place, element) in elements.iter().enumerate() {
                    *to += if place > 0 { "," } else { "" };
                    element.write(input, to)?;
                }
                to.push(']');
            }
            Self::Object(members) => {
                to.push('{');
                for (place, (name, member)) in members.iter().enumerate() {
                    *to += if place > 0 { "," } else { "" };
                    space(input, to)?;
                    write_text(name, input, to)?;
                    space(input, to)?;
                    to.push(':');
                    member.write(input, to)?;
                }
                to.push('}');
            }
        }
        space(input, to)
    }
}

fn space(input: &mut Unstructured<'_>, to: &mut String) -> Result<()> {
    *to += input.choose(&["", "", "", " ", "\n", "\t\r "])?;
    Ok(())
}

fn write_text(text: &str, input: &mut Unstructured<'_>, to: &mut String) -> Result<()> {
    to.push('"');
    for char in text.chars() {
        if char < ' ' || matches!(char, '"' | '\\') || input.ratio(1_u8, 4_u8)? {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                *to += &format!("\\u{unit:04x}");
            }
        } else {
            to.push(char);
        }
    }
    to.push('"');
    Ok(())
}
