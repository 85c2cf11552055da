//! Secrets that are not the sender's.

use countersign::{Hypothesis as H, SecretForm, senders};

use crate::{
    broken::{Broken, Rows, SECRET},
    schemes::{COMPACT, acme, form},
};

pub(crate) fn rows() -> Rows {
    let hex = "00112233445566778899aabbccddeeff";
    let bytes = base16ct::mixed::decode_vec(hex).unwrap();
    let key = || Broken::of(acme().build().unwrap(), COMPACT);
    let with = |sender: &[u8], held: &[u8]| Broken {
        sender_secret: sender.to_vec(),
        held_secret: held.to_vec(),
        ..key()
    };
    vec![
        ("echo into a secret's file", Broken::secret(SECRET, format!("{SECRET}\n")), H::SecretPadded),
        ("a pasted secret with blanks", Broken::secret(SECRET, format!("  {SECRET} ")), H::SecretPadded),
        ("a line end at the sender", Broken::secret(format!("{SECRET}\n"), SECRET), H::SecretLacksLineEnd),
        ("quotes in a docker --env-file", Broken::secret(SECRET, format!("\"{SECRET}\"")), H::SecretQuoted),
        ("quotes and a line end", Broken::secret(SECRET, format!("'{SECRET}'\n")), H::SecretQuoted),
        ("quotes at the sender", Broken::secret(format!("\"{SECRET}\""), SECRET), H::SecretLacksQuotes),
        (
            "a whole line of an env file",
            Broken::secret(SECRET, format!("WEBHOOK_SECRET={SECRET}")),
            H::SecretAssigned,
        ),
        (
            "a text secret with the prefix cut off",
            Broken::secret(format!("whsec_{SECRET}"), SECRET),
            H::SecretLacksPrefix,
        ),
        (
            "Paddle's secret with its prefix cut off",
            Broken {
                sender_secret: b"pdl_ntfset_01h".to_vec(),
                held_secret: b"01h".to_vec(),
                ..Broken::of(senders::paddle(), COMPACT)
            },
            H::SecretLacksPrefix,
        ),
        ("a text secret with a prefix added", Broken::secret("a!b!c!d", "whsec_a!b!c!d"), H::SecretPrefixed),
        ("hex used as text", with(&bytes, hex.as_bytes()), H::SecretIsHex),
        ("base64 used as text", with(b"secret of a sender", SECRET.as_bytes()), H::SecretIsBase64),
        (
            "whsec_ used as text",
            with(b"secret of a sender", format!("whsec_{SECRET}").as_bytes()),
            H::SecretIsBase64,
        ),
        ("text that was decoded from hex", with(hex.as_bytes(), &bytes), H::SecretWasHex),
        (
            "text that was decoded from base64",
            Broken::secret(SECRET, "secret of a sender"),
            H::SecretWasBase64,
        ),
        (
            "base64 decoded that is text",
            Broken::scheme(form(SecretForm::Text), form(base64())),
            H::SecretIsText,
        ),
        (
            "hex decoded that is text",
            Broken {
                sender_secret: hex.into(),
                held_secret: hex.into(),
                ..Broken::scheme(form(SecretForm::Text), form(SecretForm::Hex))
            },
            H::SecretIsText,
        ),
        (
            "the test mode's secret",
            Broken {
                held_secret: b"live".to_vec(),
                sender_secret: b"test".to_vec(),
                other_secrets: vec![("test", "test")],
                ..Broken::default()
            },
            H::AnotherKey,
        ),
    ]
}

fn base64() -> SecretForm {
    SecretForm::Base64 { prefix: "whsec_".into() }
}
