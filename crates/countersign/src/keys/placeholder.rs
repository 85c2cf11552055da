//! Texts that stand where a secret should: what documentation, demos and `.env.example` files hold.
//!
//! A text is a placeholder if, whatever its case and without the quotes and blanks around it, one of these holds:
//!
//! - **Words**: its letters and digits are nothing but words of [`WORDS`] and [`GLUE`], at least one of them of `WORDS`, with any
//!   separators or none. One character again and again counts as a word, and up to four digits may follow one.
//! - **An opening**: it begins with one of [`OPENINGS`] and goes on without long numbers: `your-acme-secret-here`.
//! - **A blank**: it is marked as one, such as `<secret>` or `${SECRET}`, or is nothing but dots, stars and dashes.
//! - **Published**: it is one of [`PUBLISHED`].
//!
//! The words are those that such files are made of. Among them, found in public repositories: `changeme`, `whsec_xxx` and
//! `your-secret-here` (most); `supersecret` (ellariell/telegram-reminder-bot123, config.py); `my-secret-key`
//! (yi-nology/git-manage-service, biz/config/config.go); `your-webhook-secret-32-chars-min` (Rupe88/doc-ai, `QUICK_WEBHOOK_SETUP.md`);
//! `your-secure-token-here` (arslvn93/giveaway, env.js); `whsec_your_webhook_secret_here` (Mikeolab/mike-qa-automation-portfolio,
//! `SECURE_ENV_TEMPLATE.md`); `dev-secret-key-change-in-production` (RushAI-jcr/rmc_app, api/settings.py); `REPLACE_ME_api_key`
//! (konradzagozda/vm, .claude/rules/security.md); `CHANGE_ME_GENERATE_STRONG_SECRET_KEY_MIN_32_CHARS` (shardie-github/floyo,
//! .env.example). The tests below hold more.

use std::collections::BTreeMap;

use subtle::{Choice, ConstantTimeEq};

/// Words that a secret does not consist of.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    // What it is.
    "secret", "secrets", "key", "token", "password", "passwd", "passphrase", "pass", "signature", "signing", "credential",
    "webhook", "webhooks", "hook", "hmac", "jwt", "value", "string", "placeholder",
    // What to do with it.
    "change", "replace", "insert", "enter", "paste", "generate", "fill", "todo", "fixme", "tbd",
    // What it is not.
    "example", "sample", "demo", "dummy", "fake", "test", "testing", "tests", "dev", "devel", "development", "local", "localhost",
    "staging", "prod", "production", "default", "none", "null", "nil", "undefined", "redacted", "hidden", "missing",
    // What comes to mind.
    "foo", "bar", "baz", "qux", "hello", "world", "admin", "root", "letmein", "hunter2", "qwerty", "qwertyuiop", "asdf",
    "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789", "abc", "abcd", "abcde", "abcdef",
    "abcdefgh", "deadbeef", "cafebabe",
    // What senders put before it.
    "whsec", "shpss", "ntfset",
];

/// Words that may stand between them.
#[rustfmt::skip]
const GLUE: &[&str] = &[
    "a", "an", "and", "another", "any", "as", "at", "be", "before", "by", "character", "characters", "chars", "char", "bit", "bits", "byte", "bytes",
    "do", "deploying", "endpoint", "for", "from", "here", "hex", "in", "is", "it", "later", "least", "long", "make", "max", "me", "min",
    "minimum", "must", "my", "need", "new", "next", "not", "of", "old", "one", "only", "or", "our", "previous", "primary", "random",
    "real", "same", "secondary", "secure", "set", "shared", "so", "some", "something", "strong", "super", "that", "the", "this", "to",
    "top", "type", "unique", "use", "very", "with", "you", "your", "yours",
    "access", "api", "app", "auth", "client", "encryption", "hash", "live", "lin", "pdl", "private", "public", "service", "session",
    "sk", "user", "verify", "verification", "wh",
    // Senders, ours and the most common.
    "acme", "bigcommerce", "box", "calendly", "clerk", "discord", "dropship", "ewarehousing", "extend", "fluent", "github", "gitlab",
    "hubspot", "linear", "meta", "modern", "moduslink", "node", "paddle", "paypal", "resend", "sendgrid", "shopify", "slack", "square",
    "standard", "stripe", "svix", "telegram", "twilio", "whatsapp", "woocommerce", "zendesk", "zoom",
];

/// How an instruction to fill in a secret begins, word by word.
#[rustfmt::skip]
const OPENINGS: &[&[&str]] = &[
    &["your"], &["change", "me"], &["change", "this"], &["change", "it"], &["replace"], &["insert"], &["paste"], &["todo"],
    &["placeholder"],
];

/// What senders write before a secret.
const PREFIXES: &[&str] = &["whsec_", "shpss_", "pdl_ntfset_", "lin_wh_"];

/// The marks of a blank to fill in, or of a variable that nothing expanded.
const MARKS: &[(&str, &str)] =
    &[("<", ">"), ("${", "}"), ("{{", "}}"), ("$(", ")"), ("[", "]"), ("%", "%"), ("__", "__")];

/// Secrets that look random and are public.
const PUBLISHED: &[&str] = &[
    // The example of Svix, Standard Webhooks and their libraries' READMEs, after `whsec_`:
    // https://docs.svix.com/receiving/verifying-payloads/how-manual
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    // https://docs.slack.dev/authentication/verifying-requests-from-slack
    "8f742231b10e8888abcd99yyyzzz85a5",
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    "It's a Secret to Everybody",
];

/// Limit on a text that may be a placeholder, in bytes.
const LONGEST: usize = 128;

/// Whether anyone who reads documentation knows the text.
///
/// It is looked at in place, without a copy, and only while a verifier is built: no delivery can time it.
pub(crate) fn is_placeholder(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    // HMAC pads a key with zero bytes, so it is the same with and without them.
    let text = text.trim_end_matches('\0').trim_matches(|c: char| c.is_whitespace() || "\"'`".contains(c));
    if text.is_empty() || text.len() > LONGEST || text.contains(char::is_control) {
        return false;
    }
    let bare = PREFIXES.iter().find_map(|prefix| strip(text, prefix)).unwrap_or(text);
    is_published(bare) || is_blank(bare) || is_made_of_words(text) || is_instruction(bare)
}

/// In constant time: this comparison alone could tell how much of a text is right.
fn is_published(text: &str) -> bool {
    let equal = PUBLISHED.iter().map(|known| known.as_bytes().ct_eq(text.as_bytes()));
    equal.fold(Choice::from(0), |any, this| any | this).into()
}

fn is_blank(text: &str) -> bool {
    let is_name = |name: &str| {
        name.contains(char::is_alphabetic) && name.chars().all(|c| c.is_alphabetic() || " _-.".contains(c))
    };
    let is_variable =
        |name: &str| name.len() > 1 && name.bytes().all(|c| c.is_ascii_uppercase() || c == b'_');
    MARKS.iter().any(|(open, close)| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_name)
    }) || text.strip_prefix('$').is_some_and(is_variable)
        || text.chars().all(|c| ".…*-_?#".contains(c))
}

fn is_made_of_words(text: &str) -> bool {
    let mut is_telling = false;
    let all = tokens(text).all(|token| {
        let found =
            if is_run(token) { Some(true) } else { spell(token).or_else(|| spell(without_number(token)?)) };
        is_telling |= found == Some(true);
        found.is_some()
    });
    all && is_telling || is_run(text)
}

fn is_instruction(text: &str) -> bool {
    let begins = |opening: &&[&str]| {
        let mut rest = text;
        let all = opening.iter().all(|word| {
            let next = strip(rest.trim_start_matches(is_separator), word);
            rest = next.unwrap_or_default();
            next.is_some()
        });
        all && rest.starts_with(is_separator)
    };
    OPENINGS.iter().any(begins) && tokens(text).all(|token| without_number(token).is_some())
}

fn is_run(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    text.len() > 1 && characters.all(|c| Some(c) == first)
}

fn is_separator(c: char) -> bool {
    !c.is_alphanumeric()
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_separator).filter(|token| !token.is_empty())
}

/// Whether these letters and digits are nothing but words, and if so, whether one of them is in [`WORDS`].
fn spell(token: &str) -> Option<bool> {
    let known = || WORDS.iter().map(|word| (word, true)).chain(GLUE.iter().map(|word| (word, false)));
    // Where a word may begin, and whether one of those before it tells.
    let mut starts = BTreeMap::from([(0, false)]);
    while let Some((start, is_telling)) = starts.pop_first() {
        let rest = token.get(start..)?;
        if rest.is_empty() {
            return Some(is_telling);
        }
        for (word, tells) in known().filter(|(word, _)| strip(rest, word).is_some()) {
            *starts.entry(start.saturating_add(word.len())).or_default() |= is_telling || tells;
        }
    }
    None
}

/// The letters of a token, without the up to four digits at its end. `None` if it has others.
fn without_number(token: &str) -> Option<&str> {
    let letters = token.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_short = token.len().saturating_sub(letters.len()) <= 4;
    (is_short && letters.chars().all(char::is_alphabetic)).then_some(letters)
}

/// The text after this word, in any case.
fn strip<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What public files give `…WEBHOOK_SECRET`, `SLACK_SIGNING_SECRET`, `SECRET_KEY` and their like, found by an exact search for
    /// these names over public GitHub repositories in November 2026; the first lines are the issue's.
    const PUBLIC: &str = "
        changeme|whsec_xxx|your-secret-here|whsec_...|whsec_…|...|…|xxx|secret|Secret|SECRET|test|password
        your_webhook_secret|your_webhook_secret_here|your-webhook-secret-here|your_secret|your_key|your_stripe_webhook_secret
        your-payment-webhook-secret-at-least-32-chars|your-generated-secret-here|your-paddle-signing-secret|your-256-bit-secret
        your-webhook-secret-32-chars-min|your-secure-token-here|your-slack-signing-secret-here|your-super-secret-api-key
        your-slack-signing-secret-if-testing-real-sdk|whsec_your-webhook-secret|whsec_your_webhook_secret_here|whsec_YOUR_SECRET
        whsec_xxxxxxxxxxxxxxxxxxxx|whsec_test_...|whsec_test|whsec_test_secret|whsec_placeholder|whsec_demo|xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx
        change_me|change-me|CHANGE_ME|change-me-random|change-me-to-random-64-char-string|change-this-long-random-secret|changethis
        change-me-with-the-secret-from-your-integrations-panel|change-this-secret-before-deploying|change-in-production
        change-this-later-with-a-random-secret|change-me-in-production-min-32-chars|change-me-to-random-256-bit-value
        CHANGE_ME_GENERATE_STRONG_SECRET_KEY_MIN_32_CHARS|dev-secret-key-change-in-production|dev-secret-change-me
        replace_me|replace-me|REPLACE_ME_api_key|REPLACE_WITH_THIS_ENDPOINT_SIGNING_SECRET|replace_with_long_random_secret
        replace-with-jira-webhook-token|replace_with_butler_webhook_secret|replace-with-openssl-output
        generate_a_random_secret_here|generate_random_string_here|generate-random-32-char-string-here|generate_long_random_secret
        generate-a-secure-48-character-random-secret-key|dev-webhook-secret|dev_secret|devsecret|dev-your-secret|development
        test-webhook-secret-12345|testsecret123|testsecret12345|test_webhook_secret|test_secret_do_not_use_in_prod|test-secret
        test_webhook_secret_PLACEHOLDER|my-secret|my-secret-key|my-hmac-secret|mysecretkey123|my-webhook-secret|my_secret_123
        my_super_secret_string|my_secret_webhook_token_123|my-super-secure-secret|supersecret|super_secret|supersecretkey|secret123
        <your-secret>|<from vapi dashboard>|<copie do dashboard MP>|<strong-secret>|<redacted-webhook-secret>|${WEBHOOK_SECRET}
        $WEBHOOK_SECRET|{{ webhook_secret }}|%WEBHOOK_SECRET%|[insert secret]|***|********|00000000000000000000000000000000
        0123456789abcdef|0123456789abcdef0123456789abcdef|1234567890|12345678901234567890|abc123|deadbeefdeadbeef
        MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|8f742231b10e8888abcd99yyyzzz85a5
        It's a Secret to Everybody|this_secret_is_for_testing_only|ThisTokenIsNotSoSecretChangeIt|github-test-secret
        moduslink-shared-secret|ABC12345|new-secret|old-secret|hunter2|foobar|password123";

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn what_public_files_hold_is_a_placeholder_however_it_is_written() {
        let values: Vec<&str> = PUBLIC
            .lines()
            .flat_map(|line| line.trim().split('|'))
            .filter(|value| !value.is_empty())
            .collect();
        assert!(values.len() > 100);
        for value in values {
            for written in
                [value.to_owned(), format!("\"{value}\""), format!(" '{value}'\n"), format!("{value}\0\0")]
            {
                assert!(is_placeholder(written.as_bytes()), "{written:?}");
            }
        }
    }

    #[test]
    fn a_variable_a_name_in_marks_and_an_opening_are_placeholders_only_if_they_are_whole() {
        for text in ["$XQZ_VKJ", "${Xqz.vkj}", "<xqz vkj>", "$QX", "your xqzvkj"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["yourxqzvkj", "$Q", "$Xqzvkj", "$XQZ7VKJ", "<xqz7vkj3>", "<-_->"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_text_is_looked_at_up_to_128_bytes() {
        assert!(is_placeholder(&[b'x'; 128]));
        assert!(!is_placeholder(&[b'x'; 129]));
    }

    #[test]
    fn no_published_secret_is_listed_twice() {
        let mut known = PUBLISHED.to_vec();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), PUBLISHED.len());
    }

    #[test]
    fn what_is_only_weak_or_a_published_vector_is_none() {
        let vectors =
            [&[0x0b; 20][..], &[0xaa; 20], &[0xaa; 131], &[0x0c; 20], b"Jefe", &[1, 2, 3, 4, 5, 6, 7]];
        let weak = [
            "s",
            "k",
            "old",
            "new",
            "the other",
            "correct-horse-battery-staple",
            "my dog is named rex",
            "4711",
            "Schlüssel",
        ];
        // Made by `openssl rand`, or shown by a sender for a test of its own.
        let real = [
            "whsec_TRWN9Y/GFL9y2mPzsZRbyNynhrY34KjdWe8QJIsNdCs=",
            "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",
            "Ibxx_5AKakO-3qeNVR61Dw",
            "1u6lqnxmlhd3s5dh0n0x2yyp8v3c3u1",
            "your_4f1c09ab77de23",
        ];
        for text in vectors.into_iter().chain(weak.iter().chain(&real).map(|text| text.as_bytes())) {
            assert!(!is_placeholder(text), "{}", text.escape_ascii());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn a_long_text_is_judged_at_once() {
        for unit in ["insecure", "abcd", "1234", "change me ", "x", "testtests"] {
            is_placeholder(unit.repeat(1 << 16).as_bytes());
            is_placeholder(format!("{}!ß", unit.repeat(120 / unit.len())).as_bytes());
            is_placeholder(format!("{}zz9", unit.repeat(120 / unit.len())).as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        #[cfg_attr(miri, ignore = "takes minutes")]
        fn a_random_secret_is_never_a_placeholder(bytes in prop::collection::vec(any::<u8>(), 16..=64)) {
            use base64::{Engine, engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD}};

            const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
            let of = |alphabet: &[u8]| -> String {
                let letter = |byte: &u8| char::from(alphabet[usize::from(*byte).rem_euclid(alphabet.len())]);
                bytes.iter().map(letter).collect()
            };
            let hex = base16ct::lower::encode_string(&bytes);
            let texts = [
                hex.to_uppercase(),
                STANDARD.encode(&bytes),
                STANDARD_NO_PAD.encode(&bytes),
                URL_SAFE_NO_PAD.encode(&bytes),
                of(LETTERS),
                of(&LETTERS[..36]),
                of(&LETTERS[36..]),
                of(&LETTERS[..16]),
                hex,
            ];
            prop_assert!(!is_placeholder(&bytes));
            for text in texts {
                prop_assert!(!is_placeholder(text.as_bytes()), "{}", text);
                prop_assert!(!is_placeholder(format!("whsec_{text}").as_bytes()), "{}", text);
            }
        }
    }
}
