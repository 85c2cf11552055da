//! What goes wrong in practice, each with a name and what to do.

use std::fmt;

macro_rules! hypotheses {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $advice:literal;)*) => {
        /// One mistake that makes a right delivery fail, named for logs by [`as_str`](Self::as_str). `Display` says what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Hypothesis {
            $($(#[$doc])* $variant,)*
        }

        impl Hypothesis {
            /// Every hypothesis.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, such as `body_minified`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl fmt::Display for Hypothesis {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $advice,)* })
            }
        }
    };
}

hypotheses! {
    /// A key that was given made the signature, but the verifier does not hold it.
    AnotherKey = "another_key", "a key that the verifier does not hold made the signature: add it to the verifier, or replace the one with the same id";
    /// The delivery is right under another named sender's scheme.
    AnotherSender = "another_sender", "another sender's scheme fits: build the verifier with that scheme";
    /// The secret that was given has white space around it.
    SecretPadded = "secret_padded", "the secret has white space around it: remove it, or read the secret with `Secret::from_file`";
    /// The sender's secret ends in a line end that the given one lacks.
    SecretLacksLineEnd = "secret_lacks_line_end", "the sender's secret ends in a line end: set it again at the sender, without the line end";
    /// The secret that was given is in quotes.
    SecretQuoted = "secret_quoted", "the secret has quotes around it: remove them from the file or the variable";
    /// The sender's secret is in quotes that the given one lacks.
    SecretLacksQuotes = "secret_lacks_quotes", "the sender's secret has quotes around it: set it again at the sender, without them";
    /// The secret that was given begins with the name of a variable.
    SecretAssigned = "secret_assigned", "the secret begins with a variable's name and `=`: keep only what follows";
    /// The sender's key lacks the prefix that the given secret has.
    SecretPrefixed = "secret_prefixed", "the key is the secret without its prefix: remove the prefix";
    /// The sender's key has the prefix that the given secret lacks.
    SecretLacksPrefix = "secret_lacks_prefix", "the secret lacks its prefix: copy the whole text that the sender shows";
    /// The secret's text is the key, and the scheme decodes it.
    SecretIsText = "secret_is_text", "the secret's text is the key: use `SecretForm::Text` in the scheme";
    /// The secret is hex, and the scheme does not decode it so.
    SecretIsHex = "secret_is_hex", "the secret is the key in hex: use `SecretForm::Hex` in the scheme";
    /// The secret is base64, and the scheme does not decode it so.
    SecretIsBase64 = "secret_is_base64", "the secret is the key in base64: use `SecretForm::Base64` in the scheme";
    /// The secret was decoded, and its hex text is the key.
    SecretWasHex = "secret_was_hex", "the secret was decoded from hex, but the hex text is the key: give the text";
    /// The secret was decoded, and its base64 text is the key.
    SecretWasBase64 = "secret_was_base64", "the secret was decoded from base64, but the base64 text is the key: give the text";
    /// The signature is in hex.
    SignatureInHex = "signature_in_hex", "the signature is in hex: use `Encoding::Hex` in the scheme";
    /// The signature is in base64.
    SignatureInBase64 = "signature_in_base64", "the signature is in base64: use `Encoding::Base64` in the scheme";
    /// The signature is in URL-safe base64.
    SignatureInBase64Url = "signature_in_base64_url", "the signature is in URL-safe base64: use `Encoding::Base64Url` in the scheme";
    /// The signature lacks the prefix that the scheme expects.
    SignatureLacksPrefix = "signature_lacks_prefix", "the signature has no prefix: leave the prefix or list out of the scheme";
    /// The signature has a prefix that the scheme does not expect.
    SignaturePrefixed = "signature_prefixed", "the signature has a prefix: add it to the scheme";
    /// Another hash function was used.
    AnotherAlgorithm = "another_algorithm", "another algorithm made the signature: set it in the scheme, and prefer SHA-256 or better at the sender";
    /// Only the body is signed.
    OnlyBodySigned = "only_body_signed", "the signature covers only the body: choose the sender's version that signs more, or sign `Part::Body` alone in the scheme";
    /// The parts are signed with nothing between them.
    PartsNotSeparated = "parts_not_separated", "the parts are signed with nothing between them: remove the literals from the scheme's content";
    /// The body is not signed.
    BodyNotSigned = "body_not_signed", "the signature covers an empty body: the sender signs before it has written the body";
    /// The signed URL has the other of `http` and `https`.
    UrlScheme = "url_scheme", "the sender signs the URL with the other of http and https: configure the URL that the sender calls, not the one behind the proxy";
    /// The signed URL has another host.
    UrlHost = "url_host", "the sender signs the URL with another host: configure the host that the sender calls";
    /// The signed URL states or omits the port.
    UrlPort = "url_port", "the sender signs the URL with or without its port: configure the URL exactly as the sender has it on file";
    /// The signed URL has another path or query.
    UrlPath = "url_path", "the sender signs the URL with another path or query: configure the URL exactly as the sender has it on file";
    /// A proxy changed the path or query.
    TargetChanged = "target_changed", "a proxy changed the path or query: verify before it is rewritten, or pass the original target";
    /// The timestamp is in seconds.
    TimestampInSeconds = "timestamp_in_seconds", "the timestamp is in seconds: use `TimestampFormat::Seconds` in the scheme";
    /// The timestamp is in milliseconds.
    TimestampInMilliseconds = "timestamp_in_milliseconds", "the timestamp is in milliseconds: use `TimestampFormat::Milliseconds` in the scheme";
    /// The timestamp is in RFC 3339.
    TimestampInRfc3339 = "timestamp_in_rfc3339", "the timestamp is in RFC 3339: use `TimestampFormat::Rfc3339` in the scheme";
    /// A clock is off by a time zone.
    ClockOffByZone = "clock_off_by_zone", "the clocks differ by the offset of a time zone: write and compare timestamps in UTC";
    /// A clock is wrong, by no time zone's offset.
    ClockWrong = "clock_wrong", "the timestamp lies in the future: synchronize the clocks of receiver and sender";
    /// The delivery arrived late.
    DeliveryLate = "delivery_late", "the delivery was signed too long ago: a late retry, a queue in between, a replay, or a clock that is wrong";
    /// The sender signed the body without white space.
    BodyMinified = "body_minified", "the sender signed the body without white space: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed the body with `, ` and `: `, as Python writes it.
    BodySpaced = "body_spaced", "the sender signed the body with spaces after commas and colons, as Python writes it: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed the body indented.
    BodyIndented = "body_indented", "the sender signed the body indented: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed the body with sorted keys.
    BodyKeysSorted = "body_keys_sorted", "the sender signed the body with sorted keys: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed the body with `\uXXXX`, `\/` or other escapes, or without them.
    BodyUnescaped = "body_unescaped", "the sender signed the body without these escapes: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed characters as `\uXXXX`.
    BodyUnicodeEscaped = "body_unicode_escaped", "the sender signed characters beyond ASCII as \\uXXXX: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed slashes as `\/`.
    BodySlashesEscaped = "body_slashes_escaped", "the sender signed slashes as \\/: verify the bytes that arrived, before anything parses and rewrites them";
    /// The sender signed `<`, `>` and `&` as `\u003c`, `\u003e` and `\u0026`, as Go writes them.
    BodyHtmlEscaped = "body_html_escaped", "the sender signed <, > and & as escapes, as Go writes them: verify the bytes that arrived, before anything parses and rewrites them";
    /// The body arrived as a JSON string of the signed JSON.
    BodyQuoted = "body_quoted", "the body was written as a JSON string of what was signed: encode it once only";
    /// The sender signed a line end that did not arrive.
    BodyLacksLineEnd = "body_lacks_line_end", "the signed body ends in a line end that did not arrive: pass the body without trimming it";
    /// White space arrived around the body that was not signed.
    BodyPadded = "body_padded", "white space around the body was not signed: send the body without it, with `printf %s` or `curl --data-binary`";
    /// The sender signed CRLF line ends.
    BodyLacksCrlf = "body_lacks_crlf", "the signed body has CRLF line ends: pass the bytes through without changing line ends";
    /// The sender signed LF line ends.
    BodyHasCrlf = "body_has_crlf", "the signed body has LF line ends: pass the bytes through without changing line ends";
    /// The sender signed a byte order mark that did not arrive.
    BodyLacksBom = "body_lacks_bom", "the signed body begins with a byte order mark: pass the bytes through without decoding them";
    /// A byte order mark arrived that was not signed.
    BodyHasBom = "body_has_bom", "a byte order mark was added to the body: write it as UTF-8 without a mark";
    /// The sender signed Latin-1 and UTF-8 arrived.
    BodyWasLatin1 = "body_was_latin1", "the signed body is in Latin-1 and arrived in UTF-8: pass the bytes through without decoding them";
    /// The sender signed UTF-8 and Latin-1 arrived.
    BodyWasUtf8 = "body_was_utf8", "the signed body is in UTF-8 and arrived in Latin-1: pass the bytes through without decoding them";
    /// The sender signed the body before compressing it.
    BodyCompressed = "body_compressed", "the sender signed the body before it was compressed: turn compression off at the sender or the proxy";
    /// The body was probably decompressed after it was signed.
    BodyDecompressed = "body_decompressed", "the head announces a compressed body and a plain one arrived: verify before decompressing";
    /// The body has another length than its head announces.
    BodyLengthChanged = "body_length_changed", "the body has another length than content-length says: find what reads or changes the body before the verifier";
    /// Characters were replaced by U+FFFD.
    BodyLossy = "body_lossy", "the body contains replacement characters: something decoded it as text and lost bytes";
    /// No key was given to try.
    NoKeyGiven = "no_key_given", "no key was given to the explainer: give it the secrets that the sender may have used";
    /// No hypothesis made the signature match.
    Unknown = "unknown", "no known mistake explains it: copy the secret from the sender again, compare the raw body with the sender's log, and consider a forgery";
}
