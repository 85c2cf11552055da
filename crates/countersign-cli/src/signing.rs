use std::{path::PathBuf, time::SystemTime};

use clap::Args;
use countersign::{Algorithm, BuildError, Key, Part, PrivateKey, Scheme, Secret, Signer, SigningKey};
use http::Uri;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    breaking::Break,
    delivery::{Delivery, target},
    failure::Failure,
    made_up_key, read, sample,
    sender_args::SenderArgs,
};

/// Limit on a body to sign, in bytes: 64 MiB.
const BODY_LIMIT: u64 = 64 << 20;

/// What to sign, and as whom.
#[derive(Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    sender: SenderArgs,
    /// The sender's private key in PEM, for a sender that signs with one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["secret_env", "secret_file"])]
    private_key_file: Option<PathBuf>,
    /// The id of the configuration's key to sign with, instead of the first active one
    #[arg(long, value_name = "ID", requires = "config")]
    key: Option<String>,
    /// The file with the body, or - for the standard input; without it, a sample
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// A header, such as "webhook-id: 1". May be given more than once
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// Breaks one thing, so that a receiver must reject the delivery
    #[arg(long = "break", value_name = "WHAT")]
    pub(crate) broken: Option<Break>,
}

/// Makes the deliveries that a sender would send to an address.
pub(crate) struct Signing {
    scheme: Scheme,
    key: Material,
    url: Uri,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    broken: Option<Break>,
}

enum Material {
    Secret(Secret),
    Pem(Zeroizing<String>),
    MadeUp,
}

impl SigningArgs {
    /// Reads the keys and the body.
    pub(crate) fn signing(self, url: &Uri) -> Result<Signing, Failure> {
        let (scheme, keys) = self.sender.one(&without_query(url))?;
        if let Some(broken) = self.broken {
            broken.check(&scheme)?;
        }
        let key = match (&self.private_key_file, self.broken) {
            (_, Some(Break::Key)) => Material::MadeUp,
            (Some(path), _) => Material::Pem(read::private(path)?),
            (None, _) => Material::Secret(secret(&scheme, keys, self.key.as_deref())?),
        };
        let body = match self.body.as_deref() {
            Some(path) => read::bytes(path, BODY_LIMIT)?,
            None => sample::body(scheme.name()).into(),
        };
        let url = with_body_digest(&scheme, url, &body)?;
        let signing = Signing { scheme, key, url, headers: self.header, body, broken: self.broken };
        // Mistakes in the set-up are found before anything is sent.
        signing.delivery()?;
        Ok(signing)
    }
}

impl Signing {
    /// Deliveries of a sender with these keys, of which the first active one signs.
    pub(crate) fn new(
        scheme: Scheme,
        keys: Vec<Key>,
        url: &Uri,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<Self, Failure> {
        let key = Material::Secret(secret(&scheme, keys, None)?);
        let url = with_body_digest(&scheme, url, &body)?;
        Ok(Self { scheme, key, url, headers, body, broken: None })
    }

    /// A new delivery, signed now.
    pub(crate) fn delivery(&self) -> Result<Delivery, Failure> {
        let now = SystemTime::now();
        let key = match &self.key {
            Material::Secret(secret) => secret.clone().into(),
            Material::Pem(pem) => SigningKey::from(PrivateKey::from_pem(pem).map_err(Failure::new)?),
            Material::MadeUp => made_up_key::signing_key(self.scheme.algorithm())?,
        };
        let signer = Signer::new(self.scheme.clone(), [key]).map_err(|error| match (&error, &self.key) {
            (BuildError::KeyDoesNotFit { needs, .. }, Material::Secret(_)) => Failure::new(format_args!(
                "{} signs with {needs}: give the private one with --private-key-file",
                self.scheme.name()
            )),
            _ => Failure::new(error),
        })?;
        let mut signer = signer.request("POST", target(&self.url));
        let mut others = self.headers.clone();
        for name in self.signed_headers() {
            // A header that is given is signed as it is. For others, every delivery gets a new id.
            let given = others.iter().position(|(other, _)| other.eq_ignore_ascii_case(name));
            let (name, value) = match given {
                Some(place) => others.remove(place),
                None => (name.to_owned(), new_id()),
            };
            signer = signer.header(name, value);
        }
        let time = self.broken.map_or(now, |broken| broken.time(now));
        let mut headers = signer.headers(&self.body, time).map_err(Failure::new)?;
        if !others.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_owned(), self.content_type().to_owned()));
        }
        headers.append(&mut others);
        let mut delivery =
            Delivery { method: "POST".to_owned(), url: self.url.clone(), headers, body: self.body.clone() };
        if let Some(broken) = self.broken {
            broken.apply(&self.scheme, &mut delivery);
        }
        Ok(delivery)
    }

    /// The command that sends a new delivery with curl.
    pub(crate) fn curl(&self) -> Result<String, Failure> {
        if self.scheme.algorithm() == Algorithm::UnsignedToken {
            return Err(Failure::new(format_args!(
                "{} sends its secret itself, which does not belong into a command",
                self.scheme.name()
            )));
        }
        self.delivery()?.curl()
    }

    fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.scheme.signed_parts().iter().filter_map(|part| match part {
            Part::Header(name) => Some(&**name),
            _ => None,
        })
    }

    fn content_type(&self) -> &'static str {
        if self.scheme.signed_parts().contains(&Part::SortedForm) {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        }
    }
}

/// The secret to sign with: the one with this id, or the first that is active.
fn secret(scheme: &Scheme, keys: Vec<Key>, id: Option<&str>) -> Result<Secret, Failure> {
    let now = SystemTime::now();
    let mut keys = keys.into_iter().filter(|key| match id {
        Some(id) => key.id().as_str() == id,
        None => key.is_active(now),
    });
    let key = keys.next().ok_or_else(|| match id {
        Some(id) => Failure::new(format_args!("{} has no key {id}", scheme.name())),
        None => Failure::new(
            "no active key to sign with: give --secret-env or --secret-file, or --private-key-file for a sender that signs with \
             a private key",
        ),
    })?;
    let id = key.id().clone();
    key.into_secret().ok_or_else(|| {
        Failure::new(format_args!("key {id} is a public key, which signs nothing: give --private-key-file"))
    })
}

/// An id for a signed header, such as `webhook-id`.
fn new_id() -> String {
    let characters = std::iter::repeat_with(fastrand::alphanumeric).take(24);
    format!("msg_{}", characters.collect::<String>())
}

/// The address without its query, as a sender has it on file.
fn without_query(url: &Uri) -> String {
    let text = url.to_string();
    text.split_once('?').map_or(text.as_str(), |(address, _)| address).to_owned()
}

/// Adds the body's digest to the query, if the sender does, in the place of one that is there.
fn with_body_digest(scheme: &Scheme, url: &Uri, body: &[u8]) -> Result<Uri, Failure> {
    let Some(parameter) = scheme.body_digest_parameter() else { return Ok(url.clone()) };
    let text = url.to_string();
    let (address, query) = text.split_once('?').unwrap_or((&text, ""));
    let is_other = |field: &&str| field.split('=').next() != Some(parameter) && !field.is_empty();
    let digest = format!("{parameter}={}", base16ct::lower::encode_string(&Sha256::digest(body)));
    let query: Vec<&str> = query.split('&').filter(is_other).chain([&*digest]).collect();
    format!("{address}?{}", query.join("&")).parse().map_err(Failure::new)
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    http::HeaderName::try_from(name).map_err(|error| error.to_string())?;
    http::HeaderValue::try_from(value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads an address to send to.
pub(crate) fn address(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("this is not a URL: {error}"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(url),
        _ => Err("write the whole URL, such as http://localhost:3000/webhooks".to_owned()),
    }
}
