use super::{
    deliveries::{Deliveries, Entry},
    record::HeaderContent,
};

/// How much of a body is searched, in bytes.
const BODY: usize = 1 << 20;

/// Limit on what is read for one search, in bytes. The newest deliveries come first.
const MOST: usize = 64 << 20;

impl Deliveries {
    /// The ids of deliveries in whose target, headers or body all these words are, in upper or lower case. It waits for the disk.
    pub(crate) fn search(&self, words: &[String]) -> Vec<u64> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let mut left = MOST;
        let mut found = Vec::new();
        for entry in self.changes_after(0).entries.iter().rev() {
            let mut missing: Vec<&String> = words.iter().collect();
            let head = head(entry);
            missing.retain(|word| !head.contains(*word));
            if !missing.is_empty() && left > 0 {
                // What cannot be read is not found.
                let body = self.body(entry.record.id, 0, BODY.min(left)).ok().flatten().unwrap_or_default();
                left = left.saturating_sub(body.len());
                let body = String::from_utf8_lossy(&body).to_lowercase();
                missing.retain(|word| !body.contains(*word));
            }
            if missing.is_empty() {
                found.push(entry.record.id);
            }
        }
        found
    }
}

fn head(entry: &Entry) -> String {
    let record = &entry.record;
    let mut text = format!("#{} {} {}", record.id, record.method, record.target);
    for header in &record.headers {
        if let HeaderContent::Text(value) = &header.value {
            text.push_str(&format!("\n{}: {value}", header.name));
        }
    }
    let verdict = &record.verdict;
    for word in [&verdict.sender, &verdict.reason, &verdict.message].into_iter().flatten() {
        text.push_str(&format!("\n{word}"));
    }
    text.to_lowercase()
}
