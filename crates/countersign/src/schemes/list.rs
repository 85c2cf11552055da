//! How the signature header's value carries one signature or several.

use std::borrow::Cow;

use crate::wire::encoding::is_signature_character;

/// How the signature header's value carries the signature.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// The whole value is the signature.
    Bare,
    /// The signature follows this text, which may be in any case. If the text ends in `=`, spaces may surround that.
    Prefixed(Cow<'static, str>),
    /// The value lists signatures, and the timestamp if it is sent there.
    List(SignatureList),
}

/// Several signatures in one header: items between separators, each with a label that says what it is.
///
/// Only items with the given label count as signatures, so that a caller cannot choose a weaker version; items with
/// other labels are ignored. A list of more than 16 items is rejected.
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
    /// Items may lack labels: then the first is the timestamp and the others are signatures.
    pub(crate) bare_items: bool,
}

impl SignatureList {
    /// Items without labels, separated by this character: each is a signature.
    pub fn separated_by(separator: char) -> Self {
        Self { separator, label: None, bare_items: false }
    }

    /// Items with labels: those with this label are signatures. `assignment` stands between label and signature.
    pub fn labelled(mut self, label: impl Into<Cow<'static, str>>, assignment: char) -> Self {
        self.label = Some((label.into(), assignment));
        self
    }

    pub(crate) fn is_label(&self, text: &str) -> bool {
        self.label.as_ref().is_some_and(|(label, _)| label.eq_ignore_ascii_case(text))
    }

    pub(crate) fn mistake(&self) -> Option<String> {
        let splits = |char: char| {
            u8::try_from(char).is_ok_and(|byte| byte.is_ascii() && !is_signature_character(byte))
        };
        if !splits(self.separator) || self.separator == '=' {
            return Some(format!(
                "a signature can contain {:?}: separate items by a comma, for example",
                self.separator
            ));
        }
        let (label, assignment) = self.label.as_ref()?;
        if !splits(*assignment) || *assignment == ' ' || *assignment == self.separator {
            return Some(format!(
                "a label or signature can contain {assignment:?}: put = after the label, for example"
            ));
        }
        self.label_mistake(label)
    }

    /// What is wrong with an item's label, if anything.
    pub(crate) fn label_mistake(&self, label: &str) -> Option<String> {
        let (_, assignment) = self.label.as_ref()?;
        let is_whole = !label.contains([self.separator, *assignment]);
        let is_visible = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic());
        (!is_whole || !is_visible).then(|| {
            format!(
                "{label:?} is not a label: it must not contain {assignment:?}, {:?} or white space",
                self.separator
            )
        })
    }
}
