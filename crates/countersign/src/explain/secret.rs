//! The secret that the sender may have used, made from the one that was given.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use crate::{
    explain::hypothesis::Hypothesis,
    keys::secret::{Secret, SecretForm},
};

/// A secret that may have been used, and the mistake that made another of it.
pub(crate) struct Candidate {
    pub(crate) mistake: Hypothesis,
    pub(crate) secret: Secret,
    /// `None` for the scheme's own form.
    pub(crate) form: Option<SecretForm>,
}

/// Makes what the sender may have used from what was given; `None` if the change does not apply.
type Change = fn(&[u8]) -> Option<Vec<u8>>;

/// Changes of the text, which the scheme then reads in its own form.
const TEXTS: &[(Hypothesis, Change)] = &[
    (Hypothesis::SecretPadded, |text| Some(text.trim_ascii().to_vec())),
    (Hypothesis::SecretQuoted, |text| unquoted(text.trim_ascii()).map(<[u8]>::to_vec)),
    (Hypothesis::SecretAssigned, |text| {
        let value = assigned(text)?.trim_ascii();
        Some(unquoted(value).unwrap_or(value).to_vec())
    }),
    (Hypothesis::SecretLacksLineEnd, |text| Some([text, b"\n"].concat())),
    (Hypothesis::SecretLacksLineEnd, |text| Some([text, b"\r\n"].concat())),
    (Hypothesis::SecretLacksQuotes, |text| Some([b"\"", text, b"\""].concat())),
    (Hypothesis::SecretLacksQuotes, |text| Some([b"'", text, b"'"].concat())),
];

/// Changes that give the bytes of the key.
const KEYS: &[(Hypothesis, Change)] = &[
    (Hypothesis::SecretIsText, |text| Some(text.to_vec())),
    (Hypothesis::SecretPrefixed, |text| unprefixed(text).map(<[u8]>::to_vec)),
    (Hypothesis::SecretLacksPrefix, |text| Some([b"whsec_", text].concat())),
    (Hypothesis::SecretLacksPrefix, |text| Some([b"pdl_ntfset_", text].concat())),
    (Hypothesis::SecretIsHex, |text| base16ct::mixed::decode_vec(text.trim_ascii()).ok()),
    (Hypothesis::SecretIsBase64, |text| base64(text.trim_ascii())),
    (Hypothesis::SecretIsBase64, |text| base64(unprefixed(text.trim_ascii())?)),
    (Hypothesis::SecretWasHex, |text| Some(base16ct::lower::encode_string(text).into_bytes())),
    (Hypothesis::SecretWasHex, |text| Some(base16ct::upper::encode_string(text).into_bytes())),
    (Hypothesis::SecretWasBase64, |text| Some(STANDARD.encode(text).into_bytes())),
    (Hypothesis::SecretWasBase64, |text| Some(STANDARD_NO_PAD.encode(text).into_bytes())),
    (Hypothesis::SecretWasBase64, |text| Some(URL_SAFE.encode(text).into_bytes())),
];

/// Limit on a secret that is changed, in bytes.
const LONGEST: usize = 4096;

pub(crate) fn candidates(secret: &Secret) -> Vec<Candidate> {
    let Ok(text) = secret.key(&SecretForm::Text) else { return Vec::new() };
    if text.len() > LONGEST {
        return Vec::new();
    }
    let texts = TEXTS.iter().map(|row| (row, None));
    let keys = KEYS.iter().map(|row| (row, Some(SecretForm::Text)));
    let changed = texts.chain(keys).filter_map(|((mistake, change), form)| {
        let changed = Zeroizing::new(change(&text)?);
        let differs = *changed != *text || form.is_some();
        differs.then(|| Candidate { mistake: *mistake, secret: Secret::new(changed.to_vec()), form })
    });
    changed.collect()
}

fn unquoted(text: &[u8]) -> Option<&[u8]> {
    [b"\"", b"'", b"`"].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// The text after a variable's name and `=`.
fn assigned(text: &[u8]) -> Option<&[u8]> {
    let (name, value) = str::from_utf8(text).ok()?.split_once('=')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b' ';
    (!value.trim_matches('=').is_empty() && name.bytes().all(is_name)).then_some(value.as_bytes())
}

/// The text after a prefix such as `whsec_`, at most 16 letters and underscores.
fn unprefixed(text: &[u8]) -> Option<&[u8]> {
    let at = text.iter().take(16).rposition(|&byte| byte == b'_')?;
    text.get(at.checked_add(1)?..).filter(|rest| !rest.is_empty())
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
}
