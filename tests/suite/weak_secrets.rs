//! Secrets that anyone can know are refused at start-up, and short ones are warned of.

use std::{env, fs, process::Command};

use countersign::{BuildError, Config, Scheme, Secret, Verifier, senders};
use receiver_setup::demo_keys;
use tempfile::TempDir;

use crate::{
    config::read,
    harness::{good, now},
    log::captured,
};

/// What the issue, the README, the demo and public `.env.example` files hold. The core's unit tests have more.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "whsec_xxx",
    "your-secret-here",
    "secret",
    "whsec_…",
    "<signing secret>",
    "${SHOPIFY_SECRET}",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    demo_keys::MODUSLINK,
    demo_keys::EWAREHOUSING,
    demo_keys::EXTEND,
    demo_keys::MODERN_DROPSHIP,
    demo_keys::EXPIRED,
];

fn build(scheme: Scheme, secret: Secret) -> Result<Verifier, BuildError> {
    Verifier::builder(scheme).secret("2026-q4", secret).build()
}

/// Asserts that it is refused by name, without a trace of the secret, and that it is accepted if insisted on.
#[track_caller]
fn assert_refused(scheme: &Scheme, secret: &Secret, text: &str) {
    let (name, error) = (scheme.name(), build(scheme.clone(), secret.clone()).unwrap_err());
    assert_eq!(error, BuildError::PlaceholderSecret { key: "2026-q4".to_owned(), scheme: name.to_owned() });
    let shown = error.to_string();
    assert_eq!(
        shown,
        format!(
            "the secret of key \"2026-q4\" of {name} is a placeholder from documentation or an example file, so anyone \
             could sign with it: set it to the secret that the sender gave you, or insist on it with \
             `dangerously_accept_placeholder`"
        )
    );
    assert!(text == "secret" || !shown.contains(text), "{shown}");
    let insisted = build(scheme.clone(), secret.clone().dangerously_accept_placeholder());
    assert!(matches!(insisted, Ok(_) | Err(BuildError::SecretForm { .. })), "{insisted:?}");
}

#[test]
fn a_placeholder_is_refused_wherever_it_comes_from_unless_the_set_up_insists() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    for text in PLACEHOLDERS {
        fs::write(&file, format!("{text}\n")).unwrap();
        for scheme in [senders::stripe(), senders::gitlab_unsigned_token()] {
            assert_refused(&scheme, &Secret::from_file(&file).unwrap(), text);
            assert_refused(&scheme, &Secret::new(*text), text);
        }
        for source in [format!("file = {file:?}"), format!("insecure_inline = {text:?}")] {
            let toml = |insist| {
                format!(
                    "[[senders]]\nsender = \"stripe\"\nkeys = [{{ id = \"k\", secret = {{ {source} }}{insist} }}]"
                )
            };
            let error = toml::from_str::<Config>(&toml("")).unwrap().verifier().unwrap_err();
            assert_eq!(error.path(), "senders[0].keys[0]");
            assert!(matches!(error.build_error(), Some(BuildError::PlaceholderSecret { .. })), "{error}");
            assert!(read(&toml(", dangerously_accept_placeholder = false")).is_err());
            assert!(read(&toml(", dangerously_accept_placeholder = true")).is_ok(), "{text}");
        }
    }
}

#[test]
fn a_variable_with_a_placeholder_is_refused() {
    // A process of its own, because setting a variable is unsafe beside other threads.
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "weak_secrets::a_variable_in_a_child_process", "--nocapture"])
        .env("COUNTERSIGN_TEST_SECRET", "your-secret-here")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("is a placeholder"), "{output:?}");
    assert!(!shown.contains("your-secret-here"), "{shown}");
}

#[test]
fn a_variable_in_a_child_process() {
    if env::var_os("COUNTERSIGN_TEST_SECRET").is_some() {
        let secret = Secret::from_env("COUNTERSIGN_TEST_SECRET").unwrap();
        println!("{}", build(senders::stripe(), secret).unwrap_err());
    }
}

#[test]
fn a_placeholder_in_base64_or_hex_is_refused_if_the_scheme_decodes_it() {
    // `secret` and `this_secret_is_for_testing_only`.
    for text in ["c2VjcmV0", "whsec_c2VjcmV0", "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="] {
        assert_refused(&senders::standard_webhooks(), &Secret::new(text), text);
    }
    // Elsewhere the text itself is the key.
    assert!(build(senders::stripe(), Secret::new("c2VjcmV0IG9mIG91cnM=")).is_ok());
    let hex = "[[senders]]\nkeys = [{ id = \"k\", secret = { insecure_inline = \"736563726574\" } }]\n[senders.scheme]\n\
               name = \"lab\"\nsignature_header = \"X-Lab\"\nencoding = \"hex\"\nalgorithm = \"hmac-sha256\"\nsecret_form = \"hex\"";
    assert!(read(hex).unwrap_err().contains("is a placeholder"));
}

#[test]
fn insisting_on_a_public_key_is_a_mistake() {
    let toml = "[[senders]]\nsender = \"discord\"\nkeys = [{ id = \"k\", dangerously_accept_placeholder = true, public_key = \
                { inline = \"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=\" } }]";
    let error = read(toml).unwrap_err();
    assert_eq!(error, "senders[0].keys[0].dangerously_accept_placeholder: it applies only to a secret");
}

/// The warnings of one start-up.
fn warnings(scheme: Scheme, secret: Secret) -> Vec<String> {
    let log = captured(|| drop(build(scheme, secret).unwrap()));
    log.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
}

#[test]
fn a_short_secret_and_an_accepted_placeholder_are_one_warning_each() {
    let short = " WARN countersign: the webhook secret has fewer than 16 bytes, so it may be guessed: set a longer one at the \
                 sender sender=\"github\" key=\"2026-q4\"";
    assert_eq!(warnings(senders::github(), Secret::new("fifteen bytes 1")), [short]);
    assert!(warnings(senders::github(), Secret::new("sixteen bytes 12")).is_empty());
    // 15 and 16 bytes in base64: the key counts, not its text.
    let decoded = |text| warnings(senders::standard_webhooks(), Secret::new(text));
    assert_eq!(decoded("whsec_ZmlmdGVlbiBieXRlcyAx").len(), 1);
    assert!(decoded("whsec_c2l4dGVlbiBieXRlcyAxMg==").is_empty());
    let insisted = Secret::new("changeme").dangerously_accept_placeholder();
    let placeholder = " WARN countersign: the webhook secret is a placeholder, so anyone can sign with it sender=\"github\" \
                       key=\"2026-q4\"";
    assert_eq!(warnings(senders::github(), insisted), [placeholder]);
}

#[test]
fn no_delivery_is_warned_of_again() {
    let delivery = good();
    let verifier = build(senders::moduslink(), Secret::new("a short one")).unwrap();
    let log = captured(|| drop(verifier.verify(&delivery.headers, &delivery.body(), now())));
    assert!(!log.contains("the webhook secret"), "{log}");
}
