use std::{collections::BTreeMap, error::Error, fmt, fs, path::Path};

use countersign::{Config, Verifier};

/// A route and the verifier that guards it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The path of the route, such as `/webhooks/acme`.
    pub path: String,
    /// Verifies the deliveries to this path.
    pub verifier: Verifier,
}

/// Reads [`endpoints`] from a file.
///
/// # Errors
/// If the file cannot be read, or [`endpoints`] fails on its content.
pub fn endpoints_from_file(path: &Path) -> Result<Vec<Endpoint>, SetupError> {
    let at_path = |error: &dyn fmt::Display| SetupError(format!("{}: {error}", path.display()));
    let config = fs::read_to_string(path).map_err(|error| at_path(&error))?;
    endpoints(&config).map_err(|error| at_path(&error))
}

/// Builds the endpoints that a configuration states, and loads the keys it refers to.
///
/// # Errors
/// If the configuration is invalid or a key is missing. The [`SetupError`] names the field.
pub fn endpoints(config: &str) -> Result<Vec<Endpoint>, SetupError> {
    let read = |error| SetupError::toml(config, None, &error);
    let document = toml::Deserializer::parse(config).map_err(read)?;
    let configs: BTreeMap<String, Config> = serde_path_to_error::deserialize(document)
        .map_err(|error| SetupError::toml(config, Some(error.path()), error.inner()))?;
    let endpoint = |(path, config): (String, Config)| {
        // axum panics on some other characters, and both frameworks read some as placeholders.
        let plain = |char: char| char.is_ascii_alphanumeric() || "/-_.".contains(char);
        if !path.starts_with('/') || !path.chars().all(plain) {
            return Err(SetupError(format!("{path:?} is not a path such as \"/webhooks/acme\"")));
        }
        let verifier = config.verifier().map_err(|error| SetupError(format!("{path}.{error}")))?;
        tracing::info!("{path} accepts deliveries: {verifier:?}");
        Ok(Endpoint { path, verifier })
    };
    configs.into_iter().map(endpoint).collect()
}

/// The reason a receiver does not start.
pub struct SetupError(String);

impl SetupError {
    /// Omits the source line that `Display` of toml's error shows, because it may hold a misplaced secret.
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

/// Prints the message: a `main` that returns an error prints its `Debug` form.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
