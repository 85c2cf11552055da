//! Deliveries that attack the page.

/// Markup that renames the page if a browser runs it, and bytes that act on a terminal.
pub(super) const HOSTILE: &str = "</pre></script><script>document.title='EXE'+'CUTED'</script>\
    <img src=x onerror=\"document.title='EXE'+'CUTED'\"><svg onload=\"document.title='EXE'+'CUTED'\">\
    <a href=\"javascript:document.title='EXE'+'CUTED'\">x</a>\u{1b}[2J\u{202e}";

/// The same as the values and the names of JSON.
pub(super) fn json() -> String {
    serde_json::json!({ HOSTILE: HOSTILE, "__proto__": { "polluted": HOSTILE }, "list": [HOSTILE, { HOSTILE: [] }] })
        .to_string()
}

/// 10 MB of JSON on one line.
pub(super) fn large_json() -> String {
    let item = serde_json::json!({ "name": "x".repeat(60), "value": 12_345, "tags": ["a", "b"] }).to_string();
    format!("[{}]", vec![&*item; 10_000_000 / item.len()].join(","))
}
