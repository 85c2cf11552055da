use std::{collections::BTreeMap, error::Error, fmt, fs, path::Path};

use countersign::{Config, Verifier};

/// A route and the verifier that guards it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The route's path: `/webhooks/acme`.
    pub path: String,
    /// What a delivery to it must pass.
    pub verifier: Verifier,
}

/// As [`endpoints`], of the file at this path.
///
/// # Errors
/// Those of [`endpoints`], and where the file cannot be read.
pub fn endpoints_from_file(path: &Path) -> Result<Vec<Endpoint>, SetupError> {
    let at_path = |error: &dyn fmt::Display| SetupError(format!("{}: {error}", path.display()));
    let config = fs::read_to_string(path).map_err(|error| at_path(&error))?;
    endpoints(&config).map_err(|error| at_path(&error))
}

/// The endpoints that a config file states, with the keys that it refers to.
///
/// # Errors
/// A [`SetupError`], which names the field, for every mistake in the file and for a key that is not there.
pub fn endpoints(config: &str) -> Result<Vec<Endpoint>, SetupError> {
    let read = |error| SetupError::toml(config, None, &error);
    let document = toml::Deserializer::parse(config).map_err(read)?;
    let configs: BTreeMap<String, Config> = serde_path_to_error::deserialize(document)
        .map_err(|error| SetupError::toml(config, Some(error.path()), error.inner()))?;
    let endpoint = |(path, config): (String, Config)| {
        // axum panics at some of the others, and reads placeholders in some, as actix-web does.
        let plain = |char: char| char.is_ascii_alphanumeric() || "/-_.".contains(char);
        if !path.starts_with('/') || !path.chars().all(plain) {
            return Err(SetupError(format!("{path:?}: it is no path such as \"/webhooks/acme\"")));
        }
        let verifier = config.verifier().map_err(|error| SetupError(format!("{path}.{error}")))?;
        tracing::info!("{path} takes deliveries: {verifier:?}");
        Ok(Endpoint { path, verifier })
    };
    configs.into_iter().map(endpoint).collect()
}

/// Why a receiver does not start.
pub struct SetupError(String);

impl SetupError {
    /// Without the line itself, which `Display` of toml's error has: a secret may stand in it by mistake.
    fn toml(config: &str, path: Option<&serde_path_to_error::Path>, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| config.get(..span.start));
        let line = before.map(|text| format!("line {}: ", text.split('\n').count())).unwrap_or_default();
        let path = path.map(|path| format!("{path}: ")).unwrap_or_default();
        Self(format!("{line}{path}{}", error.message()))
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SetupError {}

/// What a `main` that returns an error prints.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
