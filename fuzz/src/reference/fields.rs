//! The fields of a form or a query.

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        match escape.and_then(|digits| hex::decode(digits).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                at += 3;
            }
            None => {
                bytes.push(if text[at] == b'+' { b' ' } else { text[at] });
                at += 1;
            }
        }
    }
    bytes
}

/// Names and values, in order.
pub fn of(text: &[u8]) -> Vec<(String, String)> {
    let fields = text.split(|&byte| byte == b'&').filter(|field| !field.is_empty());
    let text = |bytes: &[u8]| String::from_utf8_lossy(&decoded(bytes)).into_owned();
    let pair = |field: &[u8]| {
        let mut halves = field.splitn(2, |&byte| byte == b'=');
        (text(halves.next().unwrap_or_default()), text(halves.next().unwrap_or_default()))
    };
    fields.map(pair).collect()
}

/// The part of a form that Twilio signs: each distinct name and value once, sorted. `None` if the form is not UTF-8.
pub fn signed(body: &[u8]) -> Option<Vec<u8>> {
    String::from_utf8(decoded(body)).ok()?;
    let fields: std::collections::BTreeSet<_> = of(body).into_iter().collect();
    Some(fields.into_iter().map(|(name, value)| name + &value).collect::<String>().into_bytes())
}
