//! Verifiers from configuration files in TOML, JSON and YAML.

use std::{env, fs, process::Command};

use countersign::{Config, Key, RejectionKind, Secret, Signer, Verifier, senders};

use crate::{
    harness::{Delivery, Outcome, SURFACES, hmac_delivery, now},
    senders::pem,
};

pub(crate) fn read(toml: &str) -> Result<Verifier, String> {
    let config: Config = toml::from_str(toml).map_err(|error: toml::de::Error| error.message().to_owned())?;
    config.verifier().map_err(|error| error.to_string())
}

const ACME_TOML: &str = r#"
    [[senders]]
    body_limit = 4096
    keys = [
        { id = "old", secret = { insecure_inline = "bygone" }, expires_at = 2026-01-31T00:00:00Z },
        { id = "new", secret = { insecure_inline = "736563726574" }, not_before = "2026-01-01T00:00:00+02:00" },
    ]

    [senders.scheme]
    name = "acme"
    signature_header = "X-Acme-Signature"
    list = { separator = ",", label = "v1", assignment = "=" }
    encoding = "base64url-unpadded"
    algorithm = "hmac-sha512"
    timestamp = { item = "t", format = "milliseconds", tolerance = { past_seconds = 300, future_seconds = 60 } }
    content = [{ header = "X-Acme-Id" }, { literal = ":" }, "timestamp", { literal = ":" }, "body"]
"#;

const ACME_JSON: &str = r#"{"senders": [{
    "body_limit": 4096,
    "keys": [
        {"id": "old", "secret": {"insecure_inline": "bygone"}, "expires_at": "2026-01-31T00:00:00Z"},
        {"id": "new", "secret": {"insecure_inline": "736563726574"}, "not_before": "2026-01-01T00:00:00+02:00"}
    ],
    "scheme": {
        "name": "acme",
        "signature_header": "X-Acme-Signature",
        "list": {"separator": ",", "label": "v1", "assignment": "="},
        "encoding": "base64url-unpadded",
        "algorithm": "hmac-sha512",
        "timestamp": {
            "item": "t", "format": "milliseconds", "tolerance": {"past_seconds": 300, "future_seconds": 60}
        },
        "content": [{"header": "X-Acme-Id"}, {"literal": ":"}, "timestamp", {"literal": ":"}, "body"]
    }
}]}"#;

const ACME_YAML: &str = r#"
senders:
  - body_limit: 4096
    keys:
      - {id: old, secret: {insecure_inline: bygone}, expires_at: "2026-01-31T00:00:00Z"}
      - id: new
        secret: {insecure_inline: "736563726574"}
        not_before: "2026-01-01T00:00:00+02:00"
    scheme:
      name: acme
      signature_header: X-Acme-Signature
      list: {separator: ",", label: v1, assignment: "="}
      encoding: base64url-unpadded
      algorithm: hmac-sha512
      timestamp:
        item: t
        format: milliseconds
        tolerance: {past_seconds: 300, future_seconds: 60}
      content: [{header: X-Acme-Id}, {literal: ":"}, timestamp, {literal: ":"}, body]
"#;

#[test]
fn toml_json_and_yaml_build_the_same_verifier() {
    let configs: [Config; 3] = [
        toml::from_str(ACME_TOML).unwrap(),
        serde_json::from_str(ACME_JSON).unwrap(),
        serde_saphyr::from_str(ACME_YAML).unwrap(),
    ];
    let mut shown = Vec::new();
    for config in configs {
        let verifier = config.verifier().unwrap();
        let scheme = verifier.schemes().next().unwrap().clone();
        let signed = |secret: &str| {
            let signer =
                Signer::new(scheme.clone(), [Secret::new(secret)]).unwrap().header("X-Acme-Id", "e1");
            Delivery::new(signer.headers(b"body", now()).unwrap(), "body")
        };
        for surface in SURFACES {
            let outcome = (surface.deliver)(&verifier, &signed("736563726574"));
            assert_eq!(outcome, Outcome::verified("new", b"body".to_vec()), "{}", surface.name);
            let outcome = (surface.deliver)(&verifier, &signed("bygone"));
            assert_eq!(outcome, Outcome::rejected(RejectionKind::KeyExpired), "{}", surface.name);
        }
        assert_eq!(verifier.body_limit(), 4096);
        let debug = format!("{config:?}");
        assert!(!debug.contains("bygone") && !debug.contains("736563726574"), "{debug}");
        shown.push(format!("{verifier:?} {:?}", verifier.schemes().collect::<Vec<_>>()));
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
}

#[test]
fn a_tool_gets_the_schemes_and_keys_of_a_configuration() {
    let config: Config = toml::from_str(
        r#"
        [[senders]]
        sender = "github"
        keys = [
            { id = "old", secret = { insecure_inline = "bygone" }, expires_at = "2024-01-01T00:00:00Z" },
            { id = "new", secret = { insecure_inline = "secret" } },
        ]
        [[senders]]
        sender = "sendgrid"
        keys = [{ id = "public", public_key = { inline = "PEM" } }]
        "#
        .replace("PEM", &pem("p256-public.pem").replace('\n', "\\n"))
        .as_str(),
    )
    .unwrap();
    let senders = config.senders().unwrap();
    let names: Vec<&str> = senders.iter().map(|(scheme, _)| scheme.name()).collect();
    assert_eq!(names, ["github", "sendgrid"]);
    let keys: Vec<(&str, bool)> = senders
        .iter()
        .flat_map(|(_, keys)| keys)
        .map(|key| (key.id().as_str(), key.is_active(now())))
        .collect();
    assert_eq!(keys, [("old", false), ("new", true), ("public", true)]);
    let secrets: Vec<Option<Secret>> =
        senders.into_iter().flat_map(|(_, keys)| keys).map(Key::into_secret).collect();
    assert_eq!(secrets, [Some(Secret::new("bygone")), Some(Secret::new("secret")), None]);

    let unset: Config = toml::from_str(
        "[[senders]]\nsender = \"github\"\nkeys = [{ id = \"k\", secret = { env = \"UNSET_SECRET\" } }]",
    )
    .unwrap();
    assert_eq!(unset.senders().unwrap_err(), unset.verifier().unwrap_err());
}

#[test]
fn several_senders_are_configured_by_name_and_their_order_decides() {
    let two = r#"
        [[senders]]
        sender = "square"
        url = "https://example.com/hook"
        keys = [{ id = "k", secret = { insecure_inline = "a" } }]
        [[senders]]
        sender = "github"
        header = "X-Renamed"
        keys = [{ id = "k", secret = { insecure_inline = "b" } }]
    "#;
    let square = hmac_delivery(senders::square("https://example.com/hook"), "a", "body");
    let github = hmac_delivery(senders::github().header("X-Renamed"), "b", "body");
    let both =
        Delivery { headers: [github.headers.clone(), square.headers.clone()].concat(), ..square.clone() };
    let deliver = |on_several: &str, sent: &Delivery| {
        (SURFACES[0].deliver)(&read(&format!("{on_several}\n{two}")).unwrap(), sent)
    };
    let verified = Outcome::verified("k", b"body".to_vec());
    for sent in [&square, &github] {
        assert_eq!(deliver("", sent), verified);
        assert_eq!(deliver("on_several = \"take-first\"", sent), verified);
    }
    for reject in ["", "on_several = \"reject\""] {
        assert_eq!(deliver(reject, &both), Outcome::rejected(RejectionKind::SenderAmbiguous));
    }
    assert_eq!(deliver("on_several = \"take-first\"", &both), verified);
}

#[test]
fn every_built_in_sender_can_be_configured_by_name() {
    let folder = crate::harness::vectors_folder().join("keys");
    for name in senders::names() {
        let url = match name {
            "square" | "twilio-form" | "twilio-json" | "hubspot-v3" => "url = \"https://example.com\"",
            _ => "",
        };
        let key = match name {
            "fluent" | "fluent-legacy-md5" => {
                format!("public_key = {{ file = {:?} }}", folder.join("rsa-1024-public.pem"))
            }
            "discord" | "standard-webhooks-ed25519" => {
                "public_key = { inline = \"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=\" }".to_owned()
            }
            "sendgrid" => format!("public_key = {{ file = {:?} }}", folder.join("p256-public.pem")),
            _ => "secret = { insecure_inline = \"YW4gb3JkZXI=\" }".to_owned(),
        };
        let toml = format!("[[senders]]\nsender = {name:?}\n{url}\nkeys = [{{ id = \"k\", {key} }}]");
        let verifier = read(&toml).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verifier.schemes().next().unwrap().name(), name);
    }
}

#[test]
fn a_static_token_scheme_can_be_written_out() {
    let token = r#"
        [[senders]]
        scheme = { name = "lab", signature_header = "X-Token", algorithm = "unsigned-token" }
        keys = [{ id = "k", secret = { insecure_inline = "t0ken" } }]
    "#;
    let verifier = read(token).unwrap();
    let sent = Delivery::new([("X-Token".to_owned(), "t0ken".to_owned())], "body");
    assert_eq!((SURFACES[0].deliver)(&verifier, &sent), Outcome::verified("k", b"body".to_vec()));
}

/// Secret stores mount such files: one trailing newline is not part of the secret, everything else is.
#[test]
fn a_secret_from_a_file_is_its_content_without_one_trailing_newline() {
    let folder = env::temp_dir().join(format!("countersign-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("secret");
    let verdict = |content: &str| {
        fs::write(&file, content).unwrap();
        let toml = format!(
            "[[senders]]\nsender = \"github\"\nkeys = [{{ id = \"k\", secret = {{ file = {file:?} }} }}]"
        );
        let sent = hmac_delivery(senders::github(), "s3cret", "body");
        read(&toml).map(|verifier| (SURFACES[0].deliver)(&verifier, &sent).verdict.map(drop))
    };
    for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        assert_eq!(verdict(content), Ok(Ok(())), "{content:?}");
    }
    for content in ["s3cret\n\n", " s3cret", "s3cret\n\r", "   \n", "\n\n"] {
        let padded = format!(
            "senders[0].keys[0].secret: file {file:?} begins or ends with white space other than one line end at its \
             end: remove it"
        );
        assert_eq!(verdict(content), Err(padded), "{content:?}");
    }
    for content in ["", "\n"] {
        let error = verdict(content).unwrap_err();
        assert_eq!(
            error,
            format!(
                "senders[0].keys[0].secret: file {file:?} is empty: write the key that the sender gave you into it"
            )
        );
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// Runs itself in a child process, because an environment variable is set for a whole process.
#[test]
fn a_secret_from_the_environment_is_its_value() {
    const VARIABLE: &str = "COUNTERSIGN_CONFIG_TEST";
    let toml = format!(
        "[[senders]]\nsender = \"github\"\nkeys = [{{ id = \"k\", secret = {{ env = {VARIABLE:?} }} }}]"
    );
    if env::var_os(VARIABLE).is_some() {
        let sent = hmac_delivery(senders::github(), "s3cret", "body");
        let outcome = (SURFACES[0].deliver)(&read(&toml).unwrap(), &sent);
        assert_eq!(outcome, Outcome::verified("k", b"body".to_vec()));
        return;
    }
    let test = "config::a_secret_from_the_environment_is_its_value";
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(VARIABLE, "s3cret")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && printed.contains("1 passed"), "{printed}");
}
