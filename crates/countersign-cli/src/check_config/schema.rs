use countersign::{Algorithm, senders};
use serde_json::{Value, json};

use super::serve_schema;

/// The JSON Schema of [`Config`](countersign::Config) and of [`ServeConfig`](crate::serve::ServeConfig): their fields, and the
/// words that each allows.
///
/// It tells an editor what it may write. What fields exclude or require each other, `check-config` says.
pub(crate) fn schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Senders and keys of Countersign, alone or in the routes of `countersign serve`",
        "oneOf": [{ "$ref": "#/$defs/config" }, { "$ref": "#/$defs/serve" }],
        "$defs": {
            "config": object(&json!({
                "senders": { "$ref": "#/$defs/senders" },
                "on_several": { "$ref": "#/$defs/on_several" },
            }), &["senders"]),
            "senders": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/sender" } },
            "on_several": described(
                json!({ "enum": ["reject", "take-first"] }),
                "What to do with a request that has the signature headers of several senders",
            ),
            "serve": serve_schema::serve(),
            "route": serve_schema::route(),
            "timeouts": serve_schema::timeouts(),
            "limits": serve_schema::limits(),
            "once": serve_schema::once(),
            "inbox": serve_schema::inbox(),
            "reference": one_field(&[
                ("env", "The environment variable with the address"),
                ("file", "The file with the address"),
            ]),
            "sender": object(&json!({
                "sender": described(json!({ "enum": senders::names().collect::<Vec<_>>() }), "A named sender"),
                "url": described(text.clone(), "Your address as configured at the sender, if the sender signs it"),
                "scheme": { "$ref": "#/$defs/scheme" },
                "keys": { "type": "array", "items": { "$ref": "#/$defs/key" } },
                "header": described(text.clone(), "Replaces the named sender's signature header"),
                "tolerance": { "$ref": "#/$defs/tolerance" },
                "identity": { "$ref": "#/$defs/identity" },
                "identity_scope": text,
                "retry_horizon": { "$ref": "#/$defs/horizon" },
                "body_limit": described(count(1), "In bytes; 1048576 by default"),
                "warn_before_expiry": described(
                    json!({ "$ref": "#/$defs/horizon" }),
                    "How long before a key expires the log warns of it; 7 days by default, 0 for never",
                ),
            }), &["keys"]),
            "key": object(&json!({
                "id": described(text.clone(), "Its name in logs and metrics, never the key itself"),
                "secret": { "$ref": "#/$defs/secret" },
                "public_key": { "$ref": "#/$defs/public_key" },
                "not_before": described(text.clone(), "In RFC 3339: 2027-01-31T00:00:00Z"),
                "expires_at": described(text.clone(), "In RFC 3339: 2027-01-31T00:00:00Z"),
                "dangerously_accept_placeholder": described(
                    json!({ "type": "boolean" }),
                    "Accepts a secret that anyone can know, for a demo or a test",
                ),
            }), &["id"]),
            "secret": one_field(&[
                ("env", "The environment variable with the secret"),
                ("file", "The file with the secret"),
                ("insecure_inline", "A value that is not secret"),
            ]),
            "public_key": one_field(&[
                ("env", "The environment variable with the key"),
                ("file", "The file with the key"),
                ("inline", "The key itself, in PEM or base64"),
            ]),
            "scheme": scheme(),
            "list": object(&json!({ "separator": character(), "label": text, "assignment": character() }), &["separator"]),
            "timestamp": object(&json!({
                "header": described(text.clone(), "The header that carries it"),
                "item": described(text.clone(), "Instead of a header: its label in the list of signatures"),
                "format": { "enum": ["seconds", "milliseconds", "rfc3339", "any"] },
                "tolerance": { "$ref": "#/$defs/tolerance" },
            }), &["format", "tolerance"]),
            "part": { "oneOf": [
                { "enum": ["timestamp", "method", "path", "query", "body", "sorted-form"] },
                one_field(&[("literal", "A fixed text"), ("header", "The value of this header"), ("url", "Your address")]),
            ] },
            "tolerance": object(&json!({
                "seconds": count(0),
                "past_seconds": count(0),
                "future_seconds": count(0),
                "dangerously_unlimited": { "const": true },
            }), &[]),
            "identity": { "oneOf": [
                { "const": "digest" },
                object(&json!({ "header": text }), &["header"]),
                object(&json!({ "fields": { "type": "array", "items": text } }), &["fields"]),
            ] },
            "horizon": object(&json!({ "seconds": count(0) }), &["seconds"]),
        },
    })
}

fn scheme() -> Value {
    let text = json!({ "type": "string" });
    let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    let encodings = [
        "hex",
        "hex-upper",
        "base64",
        "base64-unpadded",
        "base64-padding-optional",
        "base64url",
        "base64url-unpadded",
        "base64url-padding-optional",
    ];
    object(
        &json!({
            "name": text,
            "signature_header": text,
            "prefix": described(text.clone(), "What precedes the signature: sha256="),
            "list": { "$ref": "#/$defs/list" },
            "encoding": { "enum": encodings },
            "algorithm": { "enum": algorithms },
            "secret_form": { "enum": ["text", "base64", "hex"] },
            "secret_prefix": described(text.clone(), "An optional prefix of a secret in base64: whsec_"),
            "legacy_least_modulus_bits": count(0),
            "timestamp": { "$ref": "#/$defs/timestamp" },
            "content": described(
                json!({ "type": "array", "items": { "$ref": "#/$defs/part" } }),
                "What is signed, in this order; the body alone by default",
            ),
            "body_digest_in_query": described(text.clone(), "The parameter of the query with the body's SHA-256"),
            "content_encoding": { "enum": ["wire", "refused"] },
            "identity": { "$ref": "#/$defs/identity" },
            "identity_scope": text,
            "retry_horizon": { "$ref": "#/$defs/horizon" },
        }),
        &["name"],
    )
}

pub(super) fn object(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// An object with exactly one of these texts.
fn one_field(fields: &[(&str, &str)]) -> Value {
    let properties =
        fields.iter().map(|(name, what)| ((*name).to_owned(), described(json!({ "type": "string" }), what)));
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
    })
}

pub(super) fn described(mut schema: Value, description: &str) -> Value {
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), description.into());
    }
    schema
}

pub(super) fn count(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

fn character() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 1 })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countersign::Config;

    use super::*;

    /// The fields that the library reads at a place: its error for another one lists them.
    fn fields_read(text: &str) -> BTreeSet<String> {
        let error = toml::from_str::<Config>(text).unwrap_err();
        let (_, list) = error.message().split_once("expected ").unwrap();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_schema_has_the_fields_that_the_library_reads() {
        let schema = schema();
        let scheme = |rest: &str| format!("[[senders]]\nkeys = []\nscheme = {{ name = \"a\", {rest} }}\n");
        let places = [
            ("config", "zzz = 1".to_owned()),
            ("sender", "[[senders]]\nzzz = 1\n".to_owned()),
            ("key", "[[senders]]\nkeys = [{ zzz = 1 }]\n".to_owned()),
            ("scheme", scheme("zzz = 1")),
            ("list", scheme("list = { zzz = 1 }")),
            ("timestamp", scheme("timestamp = { zzz = 1 }")),
            ("tolerance", "[[senders]]\nkeys = []\ntolerance = { zzz = 1 }\n".to_owned()),
            ("horizon", "[[senders]]\nkeys = []\nretry_horizon = { zzz = 1 }\n".to_owned()),
        ];
        for (place, text) in places {
            let properties = schema["$defs"][place]["properties"].as_object().unwrap();
            assert_eq!(properties.keys().cloned().collect::<BTreeSet<_>>(), fields_read(&text), "{place}");
        }
        // A reference is a secret's or a public key's.
        let references =
            ["secret", "public_key"].map(|place| schema["$defs"][place]["properties"].as_object().unwrap());
        let both: BTreeSet<String> = references.iter().flat_map(|fields| fields.keys().cloned()).collect();
        assert_eq!(both, fields_read("[[senders]]\nkeys = [{ id = \"a\", secret = { zzz = 1 } }]\n"));
        let part = schema["$defs"]["part"]["oneOf"][1]["properties"].as_object().unwrap();
        let read = fields_read(&scheme("content = [{ zzz = \"a\" }]"));
        assert_eq!(part.keys().cloned().collect::<BTreeSet<_>>(), read);
    }

    #[test]
    fn the_library_knows_every_word_of_the_schema() {
        let schema = schema();
        let words = |path: &[&str]| {
            let place = path.iter().fold(&schema, |place, step| &place[step]);
            place["enum"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        for (path, text) in [
            (&["scheme", "properties", "encoding"][..], "encoding = \"WORD\", algorithm = \"hmac-sha256\""),
            (
                &["scheme", "properties", "secret_form"],
                "secret_form = \"WORD\", encoding = \"hex\", algorithm = \"hmac-sha256\"",
            ),
            (
                &["scheme", "properties", "content_encoding"],
                "content_encoding = \"WORD\", encoding = \"hex\", algorithm = \"hmac-sha256\"",
            ),
            (
                &["timestamp", "properties", "format"],
                "timestamp = { header = \"T\", format = \"WORD\", tolerance = { seconds = 1 } }, content = [\"timestamp\", { literal = \".\" }, \"body\"], \
                 encoding = \"hex\", algorithm = \"hmac-sha256\"",
            ),
        ] {
            let words = words(&[&["$defs"][..], path].concat());
            assert!(words.len() > 1);
            for word in words {
                let text = text.replace("WORD", &word);
                let config = format!(
                    "[[senders]]\nkeys = [{{ id = \"a\", secret = {{ insecure_inline = \"6093b18f75d8c02dddeb6a93a07f887f\" }} }}]\n\
                     scheme = {{ name = \"a\", signature_header = \"S\", {text} }}\n"
                );
                let config: Config = toml::from_str(&config).unwrap();
                assert!(config.verifier().is_ok(), "{word}: {:?}", config.verifier());
            }
        }
    }
}
