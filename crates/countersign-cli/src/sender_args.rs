use std::{env, path::PathBuf};

use clap::Args;
use countersign::{Config, Key, Scheme, Secret, senders};

use crate::{failure::Failure, toml_file::TomlFile};

/// Whose deliveries, and the secrets: a named sender and where its secrets are, or a configuration file.
#[derive(Args)]
pub(crate) struct SenderArgs {
    /// The sender, as `countersign senders` lists it; with --config, one of its senders
    #[arg(long, value_name = "NAME", required_unless_present = "config")]
    pub(crate) sender: Option<String>,
    /// A configuration file in TOML with senders and where their keys are
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The environment variable with the secret. May be given more than once
    #[arg(long, value_name = "VARIABLE", conflicts_with = "config")]
    secret_env: Vec<String>,
    /// The file with the secret; one line end at its end does not count. May be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    secret_file: Vec<PathBuf>,
    /// Your address as the sender has it on file, for a sender that signs it
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub(crate) signed_url: Option<String>,
}

impl SenderArgs {
    /// The named sender's scheme and its secrets. `address` is its address on file if no other is given.
    pub(crate) fn named(&self, address: Option<&str>) -> Result<(Scheme, Vec<Key>), Failure> {
        let Some(name) = &self.sender else { return Err(Failure::new("name the sender with --sender")) };
        let scheme = match &self.signed_url {
            Some(url) => senders::named(name, Some(url)),
            // Without the address, `named` reports that it is missing.
            None => senders::named(name, None).or_else(|error| match address {
                Some(address) => senders::named(name, Some(address)).map_err(|_| error),
                None => Err(error),
            }),
        };
        let from_env = self.secret_env.iter().map(|variable| from_env(variable));
        let from_files = self.secret_file.iter().map(|path| {
            Ok(Key::secret(path.to_string_lossy(), Secret::from_file(path).map_err(Failure::new)?))
        });
        Ok((scheme.map_err(Failure::new)?, from_env.chain(from_files).collect::<Result<_, Failure>>()?))
    }

    /// The configuration file, if one is given.
    pub(crate) fn config(&self) -> Result<Option<TomlFile<Config>>, Failure> {
        self.config.as_deref().map(TomlFile::read).transpose()
    }

    /// The scheme and keys of the sender that signs: the only one, or the one with the name.
    pub(crate) fn one(&self, address: &str) -> Result<(Scheme, Vec<Key>), Failure> {
        let Some(file) = self.config()? else { return self.named(Some(address)) };
        let senders = file.checked(file.value.senders())?;
        let names: Vec<String> = senders.iter().map(|(scheme, _)| scheme.name().to_owned()).collect();
        let mut chosen = senders
            .into_iter()
            .filter(|(scheme, _)| self.sender.as_ref().is_none_or(|name| scheme.name() == name));
        match (chosen.next(), chosen.next()) {
            (Some(sender), None) => Ok(sender),
            _ => Err(Failure::new(format_args!(
                "choose one of the configuration's senders with --sender: {}",
                names.join(", ")
            ))),
        }
    }
}

/// The secret in a variable. One that was given instead of its variable's name must not be shown.
fn from_env(variable: &str) -> Result<Key, Failure> {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !variable.bytes().all(is_name) && env::var_os(variable).is_none() {
        return Err(Failure::new(
            "--secret-env names a variable that is not set and whose name is not in upper case; the name is not shown because \
             it may be a secret",
        ));
    }
    Ok(Key::secret(variable, Secret::from_env(variable).map_err(Failure::new)?))
}
