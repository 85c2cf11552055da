use std::{error::Error, time::SystemTime};

use countersign::{DEFAULT_BODY_LIMIT, PrivateKey, Scheme, Secret, Signer, SigningKey, senders};
use receiver_setup::demo_keys;

/// A request, and the status it must get.
pub(crate) struct Delivery {
    pub(crate) sender: &'static str,
    pub(crate) case: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    /// What must handle it, if anything.
    pub(crate) handled_by: Option<&'static str>,
}

struct Sender {
    name: &'static str,
    scheme: fn() -> Scheme,
    key: SigningKey,
    expired_key: SigningKey,
    body: &'static str,
    /// The same delivery, as the sender repeats it.
    retry: &'static str,
}

/// Each sender's delivery: once valid, once repeated, and once for each of four faults.
pub(crate) fn all() -> Result<Vec<Delivery>, Box<dyn Error>> {
    let now = SystemTime::now();
    let mut deliveries = Vec::new();
    for Sender { name: sender, scheme, key, expired_key, body, retry } in senders()? {
        let body = body.as_bytes().to_vec();
        let retry = retry.as_bytes().to_vec();
        let tampered = [body.as_slice(), b" "].concat();
        let oversized = vec![b'x'; DEFAULT_BODY_LIMIT + 1];

        let signer = Signer::new(scheme(), [key])?;
        let expired = Signer::new(scheme(), [expired_key])?;
        let headers = signer.headers(&body, now)?;
        let retry_headers = signer.headers(&retry, now)?;
        let expired_headers = expired.headers(&body, now)?;
        // curl does this for large bodies, so the rejection arrives before the body is sent.
        let mut oversized_headers = signer.headers(&oversized, now)?;
        oversized_headers.push(("Expect".to_owned(), "100-continue".to_owned()));

        deliveries.extend([
            Delivery {
                sender,
                case: "as the sender signs it",
                headers: headers.clone(),
                body: body.clone(),
                status: 200,
                handled_by: Some("ran"),
            },
            Delivery {
                sender,
                case: "the same again, as it retries",
                headers: retry_headers,
                body: retry,
                status: 200,
                handled_by: None,
            },
            Delivery {
                sender,
                case: "a byte added to the body",
                headers,
                body: tampered,
                status: 401,
                handled_by: None,
            },
            Delivery {
                sender,
                case: "no signature",
                headers: Vec::new(),
                body: body.clone(),
                status: 401,
                handled_by: None,
            },
            Delivery {
                sender,
                case: "signed with an expired key",
                headers: expired_headers,
                body,
                status: 401,
                handled_by: None,
            },
            Delivery {
                sender,
                case: "a byte over the limit of 1 MiB",
                headers: oversized_headers,
                body: oversized,
                status: 413,
                handled_by: None,
            },
        ]);
    }
    Ok(deliveries)
}

/// A delivery and its retry, for the receiver with the inbox.
pub(crate) fn for_the_inbox() -> Result<[Delivery; 2], Box<dyn Error>> {
    let [sender, ..] = senders()?;
    let signer = Signer::new((sender.scheme)(), [sender.key])?;
    let delivery = |case, body: &str, handled_by| -> Result<Delivery, Box<dyn Error>> {
        let headers = signer.headers(body.as_bytes(), SystemTime::now())?;
        Ok(Delivery { sender: sender.name, case, headers, body: body.into(), status: 200, handled_by })
    };
    Ok([
        delivery("stored in an inbox, answered", sender.body, Some("worker"))?,
        delivery("the same again: no second row", sender.retry, None)?,
    ])
}

fn senders() -> Result<[Sender; 5], Box<dyn Error>> {
    let secret = |text: &str| SigningKey::from(Secret::new(text));
    Ok([
        Sender {
            name: "moduslink",
            scheme: senders::moduslink,
            key: secret(demo_keys::MODUSLINK),
            expired_key: secret(demo_keys::EXPIRED),
            body: r#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders"}"#,
            retry: r#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders"}"#,
        },
        Sender {
            name: "ewarehousing",
            scheme: senders::ewarehousing,
            key: secret(demo_keys::EWAREHOUSING),
            expired_key: secret(demo_keys::EXPIRED),
            body: r#"{"body":{"sku":"12345","stock_salable":973},"group":"stock","action":"updated"}"#,
            retry: r#"{"body":{"sku":"12345","stock_salable":973},"group":"stock","action":"updated"}"#,
        },
        Sender {
            name: "extend",
            scheme: senders::extend,
            key: secret(demo_keys::EXTEND),
            expired_key: secret(demo_keys::EXPIRED),
            body: "{\r\n  \"Id\": \"1234567890\",\r\n  \"Attempt\": 1\r\n}",
            retry: "{\r\n  \"Id\": \"1234567890\",\r\n  \"Attempt\": 2\r\n}",
        },
        Sender {
            name: "fluent",
            scheme: senders::fluent,
            key: PrivateKey::from_pem(demo_keys::FLUENT_PRIVATE)?.into(),
            expired_key: PrivateKey::from_pem(demo_keys::FLUENT_EXPIRED_PRIVATE)?.into(),
            body: r#"{"name":"OrderStatus","entityType":"ORDER","entityStatus":"COMPLETE"}"#,
            retry: r#"{"name":"OrderStatus","entityType":"ORDER","entityStatus":"COMPLETE"}"#,
        },
        Sender {
            name: "modern-dropship",
            scheme: senders::modern_dropship,
            key: secret(demo_keys::MODERN_DROPSHIP),
            expired_key: secret(demo_keys::EXPIRED),
            body: r#"{"_id":"61a8e4c6b8f4f0a3d2c1b0a9","type":"order.fulfilled"}"#,
            retry: r#"{"_id":"61a8e4c6b8f4f0a3d2c1b0a9","type":"order.fulfilled"}"#,
        },
    ])
}
