use std::{fmt, str::FromStr};

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use serde::{Deserialize, Deserializer, de};

/// The address of a service: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamAddress(Authority);

impl UpstreamAddress {
    /// The address of this path and query at the service.
    pub(crate) fn at(&self, target: PathAndQuery) -> Result<Uri, http::Error> {
        Uri::builder().scheme(Scheme::HTTP).authority(self.0.clone()).path_and_query(target).build()
    }
}

impl FromStr for UpstreamAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| "this is not an address: write \"http://127.0.0.1:3000\"")?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err("an upstream is reached by plain HTTP: write \"http://127.0.0.1:3000\"");
        }
        // An address ends with the authority: the path is the delivery's.
        if uri.query().is_some() || !matches!(uri.path(), "" | "/") || text.contains('#') {
            return Err("an upstream has no path: each delivery keeps its own");
        }
        match uri.into_parts().authority {
            Some(authority) if is_host_and_port(&authority) => Ok(Self(authority)),
            _ => Err("an upstream is a host and a port, without a user: write \"http://127.0.0.1:3000\""),
        }
    }
}

/// An authority may also have a user, no host, or a port that is none and would count as 80.
fn is_host_and_port(authority: &Authority) -> bool {
    let (host, port) = (authority.host(), authority.port());
    let read = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    !host.is_empty() && read == authority.as_str()
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl<'de> Deserialize<'de> for UpstreamAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["http://127.0.0.1:3000", "http://[::1]:3000/", "http://app"] {
            good.parse::<UpstreamAddress>().unwrap_or_else(|mistake| panic!("{good}: {mistake}"));
        }
        for bad in [
            "",
            "app:3000",
            "https://app",
            "http://app/path",
            "http://app?query",
            "http://app#part",
            "http://user:password@app",
            "http://:3000",
            "http://app:",
            "http://app:65536",
            "/path",
        ] {
            assert!(bad.parse::<UpstreamAddress>().is_err(), "{bad}");
        }
    }
}
