use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

use super::Captured;

/// Limit on what is kept of a capture, in bytes of bodies and headers.
const MOST_BYTES: usize = 128 << 20;

/// Limit on the requests that are kept of a capture.
const MOST_REQUESTS: usize = 10_000;

/// The deliveries of a list, read one at a time: what is not a delivery is dropped at once.
pub(super) struct Kept<T> {
    pub(super) captured: Vec<Captured>,
    item: PhantomData<T>,
}

/// An item of a list of requests.
pub(super) trait Item {
    fn method(&self) -> Option<&str>;

    fn captured(self) -> Result<Captured, String>;
}

impl<'de, T: Deserialize<'de> + Item> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let captured = deserializer.deserialize_seq(KeptVisitor(PhantomData::<T>))?;
        Ok(Self { captured, item: PhantomData })
    }
}

struct KeptVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Item> Visitor<'de> for KeptVisitor<T> {
    type Value = Vec<Captured>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of requests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Captured>, A::Error> {
        let mut kept: Vec<Captured> = Vec::new();
        let mut bytes = 0_usize;
        let mut entry = 0_usize;
        while let Some(item) = items.next_element::<T>()? {
            entry = entry.saturating_add(1);
            // Addresses of others may be no URLs at all, as `data:…` in a browser's HAR.
            if matches!(item.method(), Some("GET" | "HEAD" | "OPTIONS" | "CONNECT")) {
                continue;
            }
            let captured = item
                .captured()
                .map_err(|reason| A::Error::custom(format_args!("entry {entry}: {reason}")))?;
            let headers = captured.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
            bytes = headers.fold(bytes.saturating_add(captured.body.len()), usize::saturating_add);
            if bytes > MOST_BYTES || kept.len() >= MOST_REQUESTS {
                return Err(A::Error::custom(
                    "it has more than 128 MiB of deliveries, or more than 10000 of them",
                ));
            }
            kept.push(Captured { entry, ..captured });
        }
        Ok(kept)
    }
}
