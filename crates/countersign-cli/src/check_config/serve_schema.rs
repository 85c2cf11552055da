//! The tables of a configuration for `countersign serve`, in the JSON Schema.

use serde_json::{Value, json};

use super::schema::{count, described, object};

pub(super) fn serve() -> Value {
    object(
        &json!({
            "listen": text("Where deliveries arrive, by plain HTTP/1.1; 127.0.0.1:8080 by default"),
            "admin": text("Where health, readiness and metrics are; nowhere by default"),
            "upstream": text("The service behind every route that names none itself: http://127.0.0.1:3000"),
            "trust_forwarded": described(
                json!({ "type": "boolean" }),
                "Whether a proxy in front is trusted to set Forwarded and X-Forwarded-*, which are replaced otherwise",
            ),
            "timeouts": { "$ref": "#/$defs/timeouts" },
            "limits": { "$ref": "#/$defs/limits" },
            "once": { "$ref": "#/$defs/once" },
            "inbox": { "$ref": "#/$defs/inbox" },
            "route": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/route" } },
        }),
        &["route"],
    )
}

pub(super) fn route() -> Value {
    let method = json!({ "type": "string" });
    object(
        &json!({
            "path": text("Compared byte by byte, without the query: /webhooks/acme"),
            "upstream": text("The service behind this route"),
            "methods": described(
                json!({ "type": "array", "minItems": 1, "items": method }),
                "POST alone by default",
            ),
            "handling": described(
                json!({ "enum": ["forward", "once", "inbox"] }),
                "What happens to a verified delivery; forward by default",
            ),
            "senders": { "$ref": "#/$defs/senders" },
            "on_several": { "$ref": "#/$defs/on_several" },
        }),
        &["path", "senders"],
    )
}

pub(super) fn timeouts() -> Value {
    let seconds = |what| described(seconds(1), what);
    object(
        &json!({
            "head_seconds": seconds("For a request's head, and for the next request; 30 by default"),
            "body_seconds": seconds("For a request's body; 30 by default"),
            "connect_seconds": seconds("For a connection to the service; 2 by default"),
            "response_seconds": seconds(
                "For the head of the service's answer, and then for each part of its body; 30 by default",
            ),
            "send_seconds": seconds("For a caller to take more of its answer; 30 by default"),
            "shutdown_seconds": seconds("For what is in flight when the program is told to stop; 25 by default"),
        }),
        &[],
    )
}

pub(super) fn limits() -> Value {
    object(
        &json!({
            "connections": described(count(1), "Connections at a time; 10000 by default"),
            "body_budget": described(count(1), "Bytes of all bodies in memory at a time; 268435456 by default"),
            "linger_bytes": described(
                count(0),
                "How much of a rejected body is discarded, so that its sender sees the answer; 33554432 by default",
            ),
            "linger_seconds": described(seconds(0), "The time limit for that; 5 by default"),
        }),
        &[],
    )
}

pub(super) fn once() -> Value {
    let reference = |what| described(json!({ "$ref": "#/$defs/reference" }), what);
    object(
        &json!({
            "redis": reference("The address of Redis 7.0 or later"),
            "postgres": reference("The address of PostgreSQL"),
            "sqlite": text("The file of an SQLite database on a local disk"),
            "lease_seconds": described(seconds(1), "Longer than the slowest answer of the service; 60 by default"),
        }),
        &[],
    )
}

pub(super) fn inbox() -> Value {
    object(
        &json!({
            "file": text("The file of an SQLite database on a local disk"),
            "concurrency": described(count(1), "Deliveries that are forwarded at a time; 16 by default"),
            "max_attempts": described(count(1), "Attempts before a delivery is a dead letter; 20 by default"),
        }),
        &["file"],
    )
}

fn text(description: &str) -> Value {
    described(json!({ "type": "string" }), description)
}

fn seconds(least: u16) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": u16::MAX })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{check_config::schema::schema, serve::ServeConfig};

    #[test]
    fn the_schema_has_the_fields_that_serve_reads() {
        let schema = schema();
        for (place, text) in [
            ("serve", "zzz = 1"),
            ("route", "[[route]]\nzzz = 1"),
            ("timeouts", "[timeouts]\nzzz = 1"),
            ("limits", "[limits]\nzzz = 1"),
            ("once", "[once]\nzzz = 1"),
            ("inbox", "[inbox]\nzzz = 1"),
        ] {
            let error = toml::from_str::<ServeConfig>(text).unwrap_err();
            let (_, list) = error.message().split_once("expected ").unwrap();
            let read: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
            let properties = schema["$defs"][place]["properties"].as_object().unwrap();
            assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), read, "{place}");
        }
    }
}
