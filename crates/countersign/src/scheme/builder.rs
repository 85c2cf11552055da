use std::borrow::Cow;

use super::{ContentEncoding, Encoding, LEAST_MODULUS_BITS, Layout, Part, Scheme, SecretForm};
use crate::{
    algorithm::{Algorithm, GREATEST_MODULUS_BITS},
    error::BuildError,
    signature::is_of_signature,
    timestamp::Timestamp,
};

/// States the [`Scheme`] of a sender: its signature header, encoding and algorithm, and what else it does.
///
/// Where nothing else is said, the header's value is one signature, the body is what is signed, and the secret's bytes
/// are the key.
///
/// ```
/// use std::time::Duration;
/// use countersign::{Algorithm, Encoding, Part, Scheme, Timestamp, TimestampFormat, Tolerance};
///
/// // X-Acme-Signature: v1=<hex of HMAC-SHA256 over the timestamp, a dot and the body>
/// // X-Acme-Timestamp: 1719342000
/// let five_minutes = Tolerance::within(Duration::from_secs(300));
/// let scheme = Scheme::builder("acme")
///     .signature_header("X-Acme-Signature")
///     .prefix("v1=")
///     .encoding(Encoding::Hex)
///     .algorithm(Algorithm::HmacSha256)
///     .timestamp(Timestamp::in_header("X-Acme-Timestamp", TimestampFormat::Seconds, five_minutes))
///     .content([Part::Timestamp, Part::literal("."), Part::Body])
///     .build()?;
/// # let _ = scheme;
/// # Ok::<(), countersign::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder is no scheme until it is built"]
pub struct SchemeBuilder {
    name: Cow<'static, str>,
    header: Option<Cow<'static, str>>,
    prefix: Option<Cow<'static, str>>,
    list: Option<SignatureList>,
    encoding: Option<Encoding>,
    algorithm: Option<Algorithm>,
    secret_form: SecretForm,
    least_modulus_bits: usize,
    timestamp: Option<Timestamp>,
    content: Vec<Part>,
    body_digest: Option<Cow<'static, str>>,
    content_encoding: ContentEncoding,
}

impl SchemeBuilder {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            header: None,
            prefix: None,
            list: None,
            encoding: None,
            algorithm: None,
            secret_form: SecretForm::Text,
            least_modulus_bits: LEAST_MODULUS_BITS,
            timestamp: None,
            content: vec![Part::Body],
            body_digest: None,
            content_encoding: ContentEncoding::Wire,
        }
    }

    /// The header that carries the signature. Required.
    pub fn signature_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// What stands before the signature in the header's value: `sha256=`. It is taken in upper and lower case and, where
    /// it ends in `=`, with spaces around that.
    pub fn prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = Some(text.into());
        self
    }

    /// The header lists several signatures: a delivery passes where one of them is right.
    pub fn list(mut self, list: SignatureList) -> Self {
        self.list = Some(list);
        self
    }

    /// How the signature is written. Required.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// The signature algorithm. Required.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// How the secret that the sender shows gives the bytes of the key; [`SecretForm::Text`] where this is not called.
    pub fn secret_form(mut self, form: SecretForm) -> Self {
        self.secret_form = form;
        self
    }

    /// Takes RSA keys from this size on, in bits, where the sender has keys of less than 2048: 1024 at the least.
    pub fn legacy_least_modulus_bits(mut self, bits: usize) -> Self {
        self.least_modulus_bits = bits;
        self
    }

    /// The timestamp that is signed; [`content`](Self::content) says where in what is signed it stands.
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// What is signed, in this order; the body alone where this is not called.
    pub fn content(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.content = parts.into_iter().collect();
        self
    }

    /// The body is signed by its SHA-256, whose hex is the value of this parameter of the query. The content then signs
    /// the query and no body.
    pub fn body_digest_in_query(mut self, parameter: impl Into<Cow<'static, str>>) -> Self {
        self.body_digest = Some(parameter.into());
        self
    }

    /// What is signed of a compressed body; [`ContentEncoding::Wire`] where this is not called.
    pub fn content_encoding(mut self, encoding: ContentEncoding) -> Self {
        self.content_encoding = encoding;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`BuildError::Scheme`], which names the field: for a required one that is missing, a prefix beside a list, a
    /// prefix or label that the list could not be split by, content that does not sign the body exactly once, a timestamp
    /// that is declared and not signed or signed and not declared, and a part whose end could not be told from what comes
    /// beside it. [`BuildError::HeaderName`] for a name that HTTP does not allow.
    pub fn build(self) -> Result<Scheme, BuildError> {
        let Self { name, header, prefix, list, encoding, algorithm, .. } = self;
        let mistake = |field, mistake: &'static str| BuildError::Scheme {
            scheme: name.clone().into_owned(),
            field,
            mistake: mistake.into(),
        };
        let layout = match (prefix, list) {
            (None, None) => Layout::Bare,
            (Some(prefix), None)
                if prefix.trim_ascii() == &*prefix && prefix.is_ascii() && !prefix.is_empty() =>
            {
                Layout::Prefixed(prefix)
            }
            (Some(_), None) => {
                return Err(mistake("prefix", "it is empty, not ASCII, or has white space around it"));
            }
            (None, Some(list)) => Layout::List(list),
            (Some(_), Some(_)) => {
                return Err(mistake("prefix", "a list has labels and no prefix: remove it"));
            }
        };
        let header = header.ok_or_else(|| mistake("signature_header", "it is missing"))?;
        let encoding = encoding.ok_or_else(|| mistake("encoding", "it is missing"))?;
        let algorithm = algorithm.ok_or_else(|| mistake("algorithm", "it is missing"))?;
        if algorithm == Algorithm::UnsignedToken {
            return Err(mistake("algorithm", "a static token is no signature: use `Scheme::unsigned_token`"));
        }
        if !(1024..=GREATEST_MODULUS_BITS).contains(&self.least_modulus_bits) {
            return Err(mistake("legacy_least_modulus_bits", "it is not between 1024 and 4096"));
        }
        let scheme = Scheme {
            name,
            header,
            layout,
            encoding,
            algorithm,
            secret_form: self.secret_form,
            least_modulus_bits: self.least_modulus_bits,
            timestamp: self.timestamp,
            content: self.content,
            body_digest: self.body_digest,
            content_encoding: self.content_encoding,
            facts: None,
        };
        scheme.clone().checked().map(|_| scheme)
    }
}

/// Several signatures in one header: the items between separators, each with a label that says what it is.
///
/// Items with other labels are versions that we do not know, and are ignored: only signatures with this label count, so
/// that nobody can choose a weaker one. A list of more than 16 items is rejected.
///
/// ```
/// use countersign::SignatureList;
///
/// let stripe = SignatureList::separated_by(',').labelled("v1", '='); // t=1719342000,v1=…,v1=…,v0=…
/// let standard_webhooks = SignatureList::separated_by(' ').labelled("v1", ','); // v1,… v1,… v1a,…
/// let unlabelled = SignatureList::separated_by(','); // …,…
/// # let _ = (stripe, standard_webhooks, unlabelled);
/// ```
#[derive(Clone, Debug)]
pub struct SignatureList {
    pub(crate) separator: char,
    pub(crate) label: Option<(Cow<'static, str>, char)>,
    /// Items may also come without labels: then the first is the timestamp and the others are signatures.
    pub(crate) bare_items: bool,
}

impl SignatureList {
    /// Items between these, without labels: each is a signature.
    pub fn separated_by(separator: char) -> Self {
        Self { separator, label: None, bare_items: false }
    }

    /// Items have labels, and those with this one are signatures: `assignment` stands between label and signature.
    pub fn labelled(mut self, label: impl Into<Cow<'static, str>>, assignment: char) -> Self {
        self.label = Some((label.into(), assignment));
        self
    }

    pub(super) fn is_label(&self, text: &str) -> bool {
        self.label.as_ref().is_some_and(|(label, _)| label.eq_ignore_ascii_case(text))
    }

    pub(super) fn mistake(&self) -> Option<String> {
        let splits =
            |char: char| u8::try_from(char).is_ok_and(|byte| byte.is_ascii() && !is_of_signature(byte));
        if !splits(self.separator) || self.separator == '=' {
            return Some(format!(
                "{:?} can be a part of a signature: separate by a comma, say",
                self.separator
            ));
        }
        let (label, assignment) = self.label.as_ref()?;
        if !splits(*assignment) || *assignment == ' ' || *assignment == self.separator {
            return Some(format!("{assignment:?} can be a part of what it separates: label by =, say"));
        }
        self.label_mistake(label)
    }

    /// What is wrong with the label of an item.
    pub(super) fn label_mistake(&self, label: &str) -> Option<String> {
        let (_, assignment) = self.label.as_ref()?;
        let is_whole = !label.contains([self.separator, *assignment]);
        let is_visible = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic());
        (!is_whole || !is_visible).then(|| {
            format!("{label:?} is no label: leave out {assignment:?}, {:?} and white space", self.separator)
        })
    }
}
