//! A body for each sender, to send without having one at hand.

/// Bodies in the form that the first five senders document.
const SAMPLES: &[(&str, &str)] = &[
    ("moduslink", r#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders"}"#),
    ("ewarehousing", r#"{"body":{"sku":"12345","stock_salable":973},"group":"stock","action":"updated"}"#),
    ("extend", "{\r\n  \"Id\": \"1234567890\",\r\n  \"Attempt\": 1\r\n}"),
    ("fluent", r#"{"name":"OrderStatus","entityType":"ORDER","entityStatus":"COMPLETE"}"#),
    ("fluent-legacy-md5", r#"{"name":"OrderStatus","entityType":"ORDER","entityStatus":"COMPLETE"}"#),
    ("modern-dropship", r#"{"_id":"61a8e4c6b8f4f0a3d2c1b0a9","type":"order.fulfilled"}"#),
    (
        "twilio-form",
        "MessageSid=SM00000000000000000000000000000001&From=%2B14155550100&To=%2B14155550101&Body=Hello",
    ),
];

/// For every other sender.
const GENERIC: &str =
    r#"{"id":"evt_sample_1","type":"sample.created","data":{"note":"made by countersign"}}"#;

/// The built-in sample for the sender with this name.
pub(crate) fn body(sender: &str) -> &'static str {
    SAMPLES.iter().find(|(name, _)| *name == sender).map_or(GENERIC, |(_, body)| body)
}
