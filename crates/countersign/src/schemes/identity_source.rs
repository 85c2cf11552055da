//! Where a sender puts what tells its deliveries apart.

use std::{borrow::Cow, fmt, time::Duration};

/// Limits on the fields of an identity: far more than a sender needs, and few enough to compare with every key.
const MOST_FIELDS: usize = 8;
const MOST_LEVELS: usize = 16;

/// The retry horizon of a sender that documents none.
pub(crate) const DEFAULT_RETRY_HORIZON: Duration = Duration::from_secs(3 * 86_400);

/// The longest retry horizon. Stores add it to the current time, which must not overflow.
pub(crate) const LONGEST_RETRY_HORIZON: Duration = Duration::from_secs(366 * 86_400);

/// Where a sender puts what tells its deliveries apart: the source of an [`Identity`](crate::Identity).
///
/// Every source is signed, so no caller can give a captured delivery another identity. That is why no header counts here
/// unless the scheme signs it, however well it is named: `X-Webhook-Id`, `X-GitHub-Delivery` and the like can be changed by
/// anyone.
///
/// ```
/// use countersign::{IdentitySource, senders};
///
/// let by_id = senders::github().identity(IdentitySource::field("/comment/id"));
/// let by_two = senders::github().identity(IdentitySource::fields(["/repository/id", "/run/attempt"]));
/// # let _ = (by_id, by_two);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentitySource {
    /// The body. Deliveries are the same if their bodies are: byte for byte, or field for field if the scheme signs a
    /// [`SortedForm`](crate::Part::SortedForm).
    ///
    /// This is the default. A sender that changes the body with each attempt gets a new identity for each. A sender that
    /// sends the same bytes for two events, for example because only an unsigned header tells them apart, gets one identity
    /// for both: give each kind of event its own address and [`Scheme::identity_scope`](crate::Scheme::identity_scope).
    Digest,
    /// A header that the scheme signs, by its name in any case.
    SignedHeader(Cow<'static, str>),
    /// Fields of the JSON body, taken together, each as a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    ///
    /// Each must be a string or a number. Strings are compared by their characters and numbers by their text, so `"a"` equals
    /// `"\u0061"`, but `1` differs from `1.0` and from `"1"`. The identity falls back to the body's digest if the body is not
    /// JSON in UTF-8, or if a field is missing, empty, or neither string nor number. It also falls back if a name on the path
    /// to a field occurs twice in one object, because readers disagree about which of the two counts. A byte order mark at
    /// the start is ignored.
    Fields(Vec<Cow<'static, str>>),
}

impl IdentitySource {
    /// The value of this header, which the scheme must sign.
    pub fn signed_header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::SignedHeader(name.into())
    }

    /// The field of the JSON body at this JSON pointer, such as `/event/id`.
    pub fn field(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self::Fields(vec![pointer.into()])
    }

    /// Several fields of the JSON body, for a sender whose ids are unique only together with something else.
    pub fn fields<P: Into<Cow<'static, str>>>(pointers: impl IntoIterator<Item = P>) -> Self {
        Self::Fields(pointers.into_iter().map(Into::into).collect())
    }

    /// What is wrong with the pointers, if anything.
    pub(crate) fn mistake(&self) -> Option<String> {
        let Self::Fields(pointers) = self else { return None };
        if pointers.is_empty() || pointers.len() > MOST_FIELDS {
            return Some(format!("it names {} fields: name 1 to {MOST_FIELDS}", pointers.len()));
        }
        if let Some(pointer) = pointers.iter().find(|pointer| !is_pointer(pointer)) {
            return Some(format!(
                "{pointer:?} is not a JSON pointer of 1 to {MOST_LEVELS} levels: write \"/id\" or \"/event/id\""
            ));
        }
        let contains = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (1..).zip(pointers).find_map(|(next, pointer)| {
            let mut others = pointers.iter().skip(next);
            let other = others.find(|other| contains(pointer, other) || contains(other, pointer))?;
            Some(format!("one of {pointer:?} and {other:?} contains the other: remove one"))
        })
    }
}

/// In words, for errors and logs.
impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest => f.write_str("the body's digest"),
            Self::SignedHeader(name) => write!(f, "the signed header {name}"),
            Self::Fields(pointers) => write!(f, "the body's {}", pointers.join(", ")),
        }
    }
}

fn is_pointer(text: &str) -> bool {
    let Some(levels) = text.strip_prefix('/') else { return false };
    let escapes_are_known = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes_are_known && levels.split('/').count() <= MOST_LEVELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_those_of_rfc_6901_with_at_least_one_level() {
        for pointer in ["/id", "/", "/a/b", "/a~0b~1c", "/0", "/-", "/ä ö", "//"] {
            assert_eq!(IdentitySource::field(pointer).mistake(), None, "{pointer:?}");
        }
        let deep = "/a".repeat(MOST_LEVELS);
        assert_eq!(IdentitySource::field(deep.clone()).mistake(), None);
        for pointer in [String::new(), "id".to_owned(), "/~".to_owned(), "/a~2".to_owned(), deep + "/a"] {
            let mistake = IdentitySource::field(pointer.clone()).mistake().unwrap();
            assert!(mistake.starts_with(&format!("{pointer:?} is not a JSON pointer")), "{mistake}");
        }
    }

    #[test]
    fn fields_are_few_and_none_contains_another() {
        let mistake = |pointers: &[&'static str]| IdentitySource::fields(pointers.iter().copied()).mistake();
        assert_eq!(mistake(&["/a", "/ab", "/b/a"]), None);
        assert_eq!(mistake(&["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"]), None);
        assert_eq!(mistake(&[]).unwrap(), "it names 0 fields: name 1 to 8");
        assert_eq!(mistake(&["/a"; 9]).unwrap(), "it names 9 fields: name 1 to 8");
        for pair in [["/a", "/a"], ["/a", "/a/b"], ["/a/b", "/a"]] {
            let message = format!("one of {:?} and {:?} contains the other: remove one", pair[0], pair[1]);
            assert_eq!(mistake(&[pair[0], "/z", pair[1]]).unwrap(), message);
        }
    }
}
