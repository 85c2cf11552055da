//! The named senders, each with keys.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use countersign::{Algorithm, Key, Part, PublicKey, Scheme, Secret, Tolerance, senders};

use crate::program::Program;

/// Valid as text and as base64, and no placeholder in either form.
pub(crate) const SECRET: &str = "8jRw2GfTq1XnB5vKzL0cYdHs";

/// A sender, its scheme for an address, and the names of its key files.
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) scheme: Scheme,
    keys: Option<&'static str>,
}

/// Every named sender, with this address on file if it signs one.
pub(crate) fn all(url: &str) -> Vec<Named> {
    let named = |name| {
        let mut scheme = senders::named(name, None).or_else(|_| senders::named(name, Some(url))).unwrap();
        if name == "modern-dropship" {
            // It comes without limits.
            scheme = scheme.tolerance(Tolerance::within(Duration::from_secs(300)));
        }
        let keys = match scheme.algorithm() {
            Algorithm::RsaPkcs1Sha512 | Algorithm::LegacyRsaPkcs1Md5 => Some("rsa-2048"),
            Algorithm::EcdsaP256Sha256 => Some("p256"),
            Algorithm::Ed25519 => Some("ed25519"),
            _ => None,
        };
        Named { name, scheme, keys }
    };
    let all: Vec<Named> = senders::names().map(named).collect();
    assert_eq!(all.len(), 30);
    all
}

impl Named {
    /// The receiver's key.
    pub(crate) fn key(&self) -> Key {
        match self.key_file("public") {
            Some(file) => Key::public("k", PublicKey::from_file(file).unwrap()),
            None => Key::secret("k", Secret::new(SECRET)),
        }
    }

    pub(crate) fn has_timestamp(&self) -> bool {
        self.scheme.signed_parts().contains(&Part::Timestamp)
    }

    pub(crate) fn has_secret(&self) -> bool {
        self.keys.is_none()
    }

    pub(crate) fn signs(&self) -> bool {
        !self.scheme.signed_parts().is_empty()
    }

    /// The program with a subcommand that signs as this sender.
    pub(crate) fn signs_with(&self, subcommand: &str) -> Program {
        self.program(subcommand, "private")
    }

    /// The program with a subcommand that verifies this sender's deliveries to `http://localhost/hook`.
    pub(crate) fn verifies_with(&self, subcommand: &str) -> Program {
        let program = self.program(subcommand, "public");
        let signs_url = self.scheme.signed_parts().iter().any(|part| matches!(part, Part::Url(_)));
        if signs_url { program.args(["--signed-url", "http://localhost/hook"]) } else { program }
    }

    fn program(&self, subcommand: &str, kind: &str) -> Program {
        let program = Program::new([subcommand, "--sender", self.name]);
        match self.key_file(kind) {
            Some(file) => program.args([format!("--{kind}-key-file").into(), file.into_os_string()]),
            None => program.args(["--secret-env", "SECRET"]).env("SECRET", SECRET),
        }
    }

    fn key_file(&self, kind: &str) -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/keys");
        self.keys.map(|keys| folder.join(format!("{keys}-{kind}.pem")))
    }
}
