//! Makes the identity of a verified delivery (feature `identity`).

use std::{borrow::Cow, fmt};

use sha2::{Digest, Sha256};

use crate::{
    schemes::{identity_source::IdentitySource, part::Part},
    verdicts::{
        fields::{self, Field},
        identity::Identity,
        verified::Verified,
    },
    wire::form,
};

/// A delivery's identity, and whether it had to be made from the body's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identified {
    /// Which delivery it is.
    pub identity: Identity,
    /// Why the body's digest took the place of the fields that the scheme names; `None` if it did not.
    ///
    /// Such a delivery was signed like any other. If the sender changes the body between attempts, each gets its own identity.
    pub fallback: Option<Fallback>,
}

/// Why an identity was made from the body's digest instead of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// The body is not JSON in UTF-8.
    NotJson,
    /// The body has no such field.
    Missing {
        /// The field's JSON pointer.
        field: Cow<'static, str>,
    },
    /// A name on the path to the field occurs twice in one object.
    Repeated {
        /// The field's JSON pointer.
        field: Cow<'static, str>,
    },
    /// The field is empty, or neither a string nor a number.
    Unusable {
        /// The field's JSON pointer.
        field: Cow<'static, str>,
    },
}

/// In words, for logs. It contains nothing that the caller sent.
impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is not JSON"),
            Self::Missing { field } => write!(f, "the body has no field {field}"),
            Self::Repeated { field } => write!(f, "the body repeats a name on the path {field}"),
            Self::Unusable { field } => {
                write!(f, "the body's field {field} is empty, or neither a string nor a number")
            }
        }
    }
}

impl Verified {
    /// The identity of the delivery with this body, which must be the verified one: only types that hold both call this.
    pub(crate) fn identify(&self, body: &[u8]) -> Identified {
        match &self.scheme().identity {
            IdentitySource::Digest => Identified { identity: self.digest(body), fallback: None },
            IdentitySource::SignedHeader(name) => {
                let by_header =
                    |value| self.frames("header").with(name.to_ascii_lowercase()).with(value).identity();
                // The scheme signs it, so a verified delivery has it.
                let identity = self.signed_header(name).map_or_else(|| self.digest(body), by_header);
                Identified { identity, fallback: None }
            }
            IdentitySource::Fields(pointers) => self.by_fields(body, pointers).map_or_else(
                |fallback| {
                    #[cfg(feature = "tracing")]
                    tracing::debug!(
                        target: "countersign",
                        sender = self.scheme().name(),
                        "identity falls back to the body's digest: {fallback}"
                    );
                    Identified { identity: self.digest(body), fallback: Some(fallback) }
                },
                |identity| Identified { identity, fallback: None },
            ),
        }
    }

    fn by_fields(&self, body: &[u8], pointers: &[Cow<'static, str>]) -> Result<Identity, Fallback> {
        let fields = fields::read(body, pointers).ok_or(Fallback::NotJson)?;
        let mut frames = self.frames("fields");
        for (pointer, value) in pointers.iter().zip(&fields) {
            let field = || pointer.clone();
            let (kind, text) = match value {
                Field::String(text) => ("string", &**text),
                Field::Number(text) => ("number", *text),
                Field::Missing => return Err(Fallback::Missing { field: field() }),
                Field::Repeated => return Err(Fallback::Repeated { field: field() }),
                Field::Unusable => return Err(Fallback::Unusable { field: field() }),
            };
            frames = frames.with(&**pointer).with(kind).with(text);
        }
        Ok(frames.identity())
    }

    fn digest(&self, body: &[u8]) -> Identity {
        // The signature of a form does not cover the order and the escapes of its fields, so neither may the identity.
        let signs_form = self.scheme().content.contains(&Part::SortedForm);
        match signs_form.then(|| form::sorted(body)).flatten() {
            Some(fields) => self.frames("form").with(fields).identity(),
            None => self.frames("body").with(body).identity(),
        }
    }

    fn frames(&self, kind: &str) -> Frames {
        let scheme = self.scheme();
        let scope = scheme.identity_scope.as_ref().unwrap_or(&scheme.name);
        let frames = Frames(Sha256::new()).with("countersign identity 1").with(&**scope);
        match self.tenant() {
            Some(tenant) => frames.with("tenant").with(tenant).with(kind),
            None => frames.with(kind),
        }
    }
}

/// A hash over byte strings, each with its length, so that no two sequences are hashed alike.
struct Frames(Sha256);

impl Frames {
    fn with(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn identity(self) -> Identity {
        Identity::from_bytes(self.0.finalize().into())
    }
}
