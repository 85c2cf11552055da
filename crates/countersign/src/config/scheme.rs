use std::time::Duration;

use super::{
    IdentityConfig, ListConfig, PartConfig, SchemeConfig, TimestampConfig, ToleranceConfig,
    error::{ConfigError, one_of},
};
use crate::{
    error::BuildError,
    keys::{algorithm::Algorithm, secret::SecretForm},
    schemes::{
        list::SignatureList,
        scheme::{ContentEncoding, Scheme},
    },
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat, Tolerance},
    },
};

impl SchemeConfig {
    pub(super) fn scheme(&self) -> Result<Scheme, ConfigError> {
        let algorithm = match &self.algorithm {
            Some(word) => {
                let all: Vec<_> = Algorithm::ALL.iter().map(|known| (known.as_str(), *known)).collect();
                Some(one_of("algorithm", word, &all)?)
            }
            None => None,
        };
        if algorithm == Some(Algorithm::UnsignedToken) {
            return self.unsigned_token();
        }
        let mut builder = Scheme::builder(self.name.clone());
        if let Some(name) = &self.signature_header {
            builder = builder.signature_header(name.clone());
        }
        if let Some(prefix) = &self.prefix {
            builder = builder.prefix(prefix.clone());
        }
        if let Some(list) = &self.list {
            builder = builder.list(list.list()?);
        }
        if let Some(word) = &self.encoding {
            builder = builder.encoding(one_of("encoding", word, ENCODINGS)?);
        }
        if let Some(algorithm) = algorithm {
            builder = builder.algorithm(algorithm);
        }
        if let Some(form) = self.secret_form()? {
            builder = builder.secret_form(form);
        }
        if let Some(bits) = self.legacy_least_modulus_bits {
            builder = builder.legacy_least_modulus_bits(bits);
        }
        if let Some(timestamp) = &self.timestamp {
            builder = builder.timestamp(timestamp.timestamp().map_err(|error| error.within("timestamp"))?);
        }
        if let Some(parts) = &self.content {
            builder = builder.content(parts.iter().map(|PartConfig(part)| part.clone()));
        }
        if let Some(parameter) = &self.body_digest_in_query {
            builder = builder.body_digest_in_query(parameter.clone());
        }
        if let Some(word) = &self.content_encoding {
            let words = [("wire", ContentEncoding::Wire), ("refused", ContentEncoding::Refused)];
            builder = builder.content_encoding(one_of("content_encoding", word, &words)?);
        }
        if let Some(IdentityConfig(source)) = &self.identity {
            builder = builder.identity(source.clone());
        }
        if let Some(scope) = &self.identity_scope {
            builder = builder.identity_scope(scope.clone());
        }
        if let Some(horizon) = self.retry_horizon {
            builder = builder.retry_horizon(horizon.duration());
        }
        builder.build().map_err(|error| match error {
            BuildError::Scheme { field, mistake, .. } => ConfigError::new(field, mistake),
            error @ BuildError::HeaderName { .. } => ConfigError::build("signature_header", error),
            other => ConfigError::build("", other),
        })
    }

    fn unsigned_token(&self) -> Result<Scheme, ConfigError> {
        match self {
            Self {
                name,
                signature_header: Some(header),
                prefix: None,
                list: None,
                encoding: None,
                algorithm: _,
                secret_form: None,
                secret_prefix: None,
                legacy_least_modulus_bits: None,
                timestamp: None,
                content: None,
                body_digest_in_query: None,
                content_encoding: None,
                identity: None,
                identity_scope,
                retry_horizon,
            } => {
                let mut scheme = Scheme::unsigned_token(name.clone(), header.clone());
                if let Some(scope) = identity_scope {
                    scheme = scheme.identity_scope(scope.clone());
                }
                if let Some(horizon) = retry_horizon {
                    scheme = scheme.with_retry_horizon(horizon.duration());
                }
                Ok(scheme)
            }
            _ => Err(ConfigError::new(
                "algorithm",
                "a static token allows only `name`, `signature_header`, `identity_scope` and `retry_horizon`",
            )),
        }
    }

    fn secret_form(&self) -> Result<Option<SecretForm>, ConfigError> {
        let prefix = self.secret_prefix.clone();
        let base64 = SecretForm::Base64 { prefix: prefix.clone().unwrap_or_default().into() };
        let words = [("text", SecretForm::Text), ("base64", base64), ("hex", SecretForm::Hex)];
        let form = self.secret_form.as_deref().map(|word| one_of("secret_form", word, &words)).transpose()?;
        match (&form, prefix) {
            (Some(SecretForm::Base64 { .. }), _) | (_, None) => Ok(form),
            (_, Some(_)) => Err(ConfigError::new("secret_prefix", "it requires secret_form = \"base64\"")),
        }
    }
}

const ENCODINGS: &[(&str, Encoding)] = &[
    ("hex", Encoding::Hex),
    ("hex-upper", Encoding::HexUpper),
    ("base64", Encoding::Base64(Padding::Required)),
    ("base64-unpadded", Encoding::Base64(Padding::Absent)),
    ("base64-padding-optional", Encoding::Base64(Padding::Optional)),
    ("base64url", Encoding::Base64Url(Padding::Required)),
    ("base64url-unpadded", Encoding::Base64Url(Padding::Absent)),
    ("base64url-padding-optional", Encoding::Base64Url(Padding::Optional)),
];

impl ListConfig {
    fn list(&self) -> Result<SignatureList, ConfigError> {
        let list = SignatureList::separated_by(self.separator);
        match (&self.label, self.assignment) {
            (Some(label), Some(assignment)) => Ok(list.labelled(label.clone(), assignment)),
            (None, None) => Ok(list),
            (Some(_), None) | (None, Some(_)) => {
                Err(ConfigError::new("list", "give both label and assignment, or neither"))
            }
        }
    }
}

impl TimestampConfig {
    fn timestamp(&self) -> Result<Timestamp, ConfigError> {
        let words = [
            ("seconds", TimestampFormat::Seconds),
            ("milliseconds", TimestampFormat::Milliseconds),
            ("rfc3339", TimestampFormat::Rfc3339),
            ("any", TimestampFormat::Any),
        ];
        let format = one_of("format", &self.format, &words)?;
        let tolerance = self.tolerance.tolerance().map_err(|error| error.within("tolerance"))?;
        match (&self.header, &self.item) {
            (Some(name), None) => Ok(Timestamp::in_header(name.clone(), format, tolerance)),
            (None, Some(label)) => Ok(Timestamp::in_list(label.clone(), format, tolerance)),
            (Some(_), Some(_)) => {
                Err(ConfigError::new("item", "a timestamp has a header or an item: remove one of them"))
            }
            (None, None) => {
                Err(ConfigError::new("header", "it is missing: give the timestamp a header or an item"))
            }
        }
    }
}

impl ToleranceConfig {
    pub(super) fn tolerance(&self) -> Result<Tolerance, ConfigError> {
        let seconds = Duration::from_secs;
        match *self {
            Self {
                seconds: Some(both),
                past_seconds: None,
                future_seconds: None,
                dangerously_unlimited: None,
            } => Ok(Tolerance::within(seconds(both))),
            Self {
                seconds: None,
                past_seconds: Some(past),
                future_seconds: Some(future),
                dangerously_unlimited: None,
            } => Ok(Tolerance::new(seconds(past), seconds(future))),
            Self {
                seconds: None,
                past_seconds: None,
                future_seconds: None,
                dangerously_unlimited: Some(true),
            } => Ok(Tolerance::dangerously_unlimited()),
            Self { .. } => Err(ConfigError::new(
                "",
                "give either seconds, or past_seconds and future_seconds, or dangerously_unlimited = true",
            )),
        }
    }
}
