use std::{borrow::Cow, fmt, str, sync::Arc};

use countersign::Headers;
use http::{HeaderName, uri::Authority};
use percent_encoding::percent_decode_str;

use crate::BuildError;

/// Where a request names its tenant.
///
/// The caller chooses the name, and so the key that it must have signed with. Whatever is not covered by a signature, such as a header,
/// is good enough here: a delivery passes only with a key of the tenant that it names.
#[derive(Clone)]
pub struct NameFrom(Place);

#[derive(Clone)]
enum Place {
    Path(Result<Arc<matchit::Router<()>>, BuildError>),
    Header(String),
    Host,
    Custom(Arc<Read>),
}

type Read = dyn for<'h> Fn(&'h dyn Headers) -> Option<Cow<'h, str>> + Send + Sync;

impl NameFrom {
    /// The path, at `{tenant}`: `/webhooks/{tenant}/orders`, as axum and actix-web write it. The name is percent-decoded.
    ///
    /// The pattern must match the whole path as the sender wrote it. So put the guard outside anything that changes the path.
    pub fn path(pattern: impl Into<String>) -> Self {
        Self(Place::Path(compile(pattern.into())))
    }

    /// The value of this header, which must be there once.
    pub fn header(name: impl Into<String>) -> Self {
        Self(Place::Header(name.into()))
    }

    /// The host, in lower case and without its port: the header `Host`, or what HTTP/2 has in its place. If both are there, they must be
    /// the same.
    ///
    /// A proxy in front may replace the host; it must pass on the one that the sender used.
    pub fn host() -> Self {
        Self(Place::Host)
    }

    /// Whatever this function reads from the request's head; `None` if the request names no tenant.
    ///
    /// Return `None` for whatever cannot be a name, such as a number where names are words: it costs no lookup.
    ///
    /// ```
    /// use std::{borrow::Cow, str};
    /// use countersign::Headers;
    /// use countersign_tenants::NameFrom;
    ///
    /// // The first label of the host: `shop-7` of `shop-7.hooks.example.com`.
    /// let name = NameFrom::custom(|head| {
    ///     let mut host = None;
    ///     head.for_each_value("host", &mut |value| host = str::from_utf8(value).ok());
    ///     host?.strip_suffix(".hooks.example.com").map(Cow::Borrowed)
    /// });
    /// # let _ = name;
    /// ```
    pub fn custom(
        read: impl for<'h> Fn(&'h dyn Headers) -> Option<Cow<'h, str>> + Send + Sync + 'static,
    ) -> Self {
        Self(Place::Custom(Arc::new(read)))
    }

    pub(crate) fn checked(self) -> Result<Self, BuildError> {
        match self.0 {
            Place::Path(Err(error)) => Err(error),
            Place::Header(name) => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => Ok(Self(Place::Header(name.as_str().to_owned()))),
                Err(_) => Err(BuildError::Header { name }),
            },
            place => Ok(Self(place)),
        }
    }

    /// The name that a request has there: never empty, at most this many bytes, and without control characters, at which databases
    /// and logs stumble.
    pub(crate) fn read<'h>(&self, head: &'h dyn Headers, longest: usize) -> Option<Cow<'h, str>> {
        let name = match &self.0 {
            Place::Path(pattern) => {
                let path = head.target()?.split('?').next()?;
                let matched = pattern.as_ref().ok()?.at(path).ok()?;
                let name =
                    matched.params.get("tenant").filter(|name| name.len() <= longest.saturating_mul(3))?;
                percent_decode_str(name).decode_utf8().ok()?
            }
            Place::Header(name) => Cow::Borrowed(once(head, name)?),
            Place::Host => host(head)?,
            Place::Custom(read) => read(head)?,
        };
        let is_name = !name.is_empty() && name.len() <= longest && !name.chars().any(char::is_control);
        is_name.then_some(name)
    }
}

fn compile(pattern: String) -> Result<Arc<matchit::Router<()>>, BuildError> {
    let mut router = matchit::Router::new();
    match router.insert(&*pattern, ()) {
        Err(error) => Err(BuildError::Path { pattern, mistake: error.to_string() }),
        Ok(()) if !pattern.contains("{tenant}") => {
            Err(BuildError::Path { pattern, mistake: "it has no {tenant}".to_owned() })
        }
        Ok(()) => Ok(Arc::new(router)),
    }
}

/// The header's value, if it is there once.
fn once<'h>(head: &'h dyn Headers, name: &str) -> Option<&'h str> {
    let (mut found, mut times) = (None, 0_u8);
    head.for_each_value(name, &mut |value| {
        found = Some(value);
        times = times.saturating_add(1);
    });
    let value = found.filter(|_| times == 1)?;
    str::from_utf8(value.trim_ascii()).ok()
}

fn host(head: &dyn Headers) -> Option<Cow<'_, str>> {
    let mut times = 0_u8;
    head.for_each_value("host", &mut |_| times = times.saturating_add(1));
    let written = match (times, head.authority()) {
        (0, authority) => authority?,
        (_, None) => once(head, "host")?,
        (_, Some(authority)) => once(head, "host").filter(|host| host.eq_ignore_ascii_case(authority))?,
    };
    let authority: Authority = written.parse().ok()?;
    let host = authority.host();
    // `Authority` also takes a user's name, which no host has.
    let host = written.get(..host.len()).filter(|_| written.starts_with(host))?;
    Some(if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    })
}

impl fmt::Debug for NameFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Place::Path(_) => "NameFrom(path)",
            Place::Header(_) => "NameFrom(header)",
            Place::Host => "NameFrom(host)",
            Place::Custom(_) => "NameFrom(custom)",
        })
    }
}
