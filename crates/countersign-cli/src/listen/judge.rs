use std::time::SystemTime;

use countersign::{
    Algorithm, Explainer, Explanation, Key, Rejection, RequestHead, Scheme, Verified, Verifier,
};

use super::record::{Cause, Header, HeaderContent, Verdict};
use crate::key_args::Senders;

/// Gives the verdict on deliveries, and the reasons for rejections.
pub(crate) struct Judge {
    verifier: Verifier,
    explainer: Explainer,
    pub(crate) senders: Senders,
    /// Headers that hold a secret itself.
    tokens: Vec<String>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) at: SystemTime,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: bytes::Bytes,
}

impl Judge {
    pub(crate) fn new(verifier: Verifier, senders: Senders) -> Self {
        let keys = senders.iter().flat_map(|(_, keys)| keys).cloned();
        let explainer = keys.fold(Explainer::new(&verifier), Explainer::key);
        let is_token = |scheme: &Scheme| scheme.algorithm() == Algorithm::UnsignedToken;
        let tokens = senders
            .iter()
            .filter(|(scheme, _)| is_token(scheme))
            .map(|(scheme, _)| scheme.header_name().to_owned())
            .collect();
        Self { verifier, explainer, senders, tokens }
    }

    pub(crate) fn verify(&self, arrived: &Arrived) -> Result<Verified, Rejection> {
        let head = RequestHead::new(&arrived.method, &arrived.target, &arrived.headers);
        self.verifier.verify(&head, &arrived.body, arrived.at)
    }

    /// Why a delivery is rejected. It may take a while.
    pub(crate) fn explain(&self, arrived: &Arrived) -> Explanation {
        let head = RequestHead::new(&arrived.method, &arrived.target, &arrived.headers);
        self.explainer.explain(&head, &arrived.body, arrived.at)
    }

    /// The headers to keep and show: without secret tokens, and without the signature if it was made here.
    pub(crate) fn shown(&self, headers: &[(String, Vec<u8>)], made_here: Option<&Scheme>) -> Vec<Header> {
        let shown = |(name, value): &(String, Vec<u8>)| {
            let mut secret = self.tokens.iter().map(String::as_str).chain(made_here.map(Scheme::header_name));
            let is_secret = secret.any(|secret| secret.eq_ignore_ascii_case(name));
            let value = if is_secret { HeaderContent::Withheld(()) } else { HeaderContent::new(value) };
            Header { name: name.clone(), value }
        };
        headers.iter().map(shown).collect()
    }

    /// The sender with this name.
    pub(crate) fn sender(&self, name: &str) -> Option<&(Scheme, Vec<Key>)> {
        self.senders.iter().find(|(scheme, _)| scheme.name() == name)
    }
}

impl Verdict {
    pub(crate) fn new(verdict: Result<&Verified, &Rejection>) -> Self {
        match verdict {
            Ok(verified) => Self {
                is_verified: true,
                sender: Some(verified.scheme().name().to_owned()),
                key: Some(verified.key().as_str().to_owned()),
                ..Self::default()
            },
            Err(rejection) => Self {
                sender: Some(rejection.sender().to_owned()),
                key: rejection.key().map(|key| key.as_str().to_owned()),
                reason: Some(rejection.kind().as_str().to_owned()),
                message: Some(rejection.to_string()),
                ..Self::default()
            },
        }
    }

    pub(crate) fn explain(&mut self, explanation: &Explanation) {
        let cause = |cause: &countersign::Cause| Cause {
            hypothesis: cause.hypothesis().as_str().to_owned(),
            message: cause.to_string(),
        };
        self.causes = explanation.causes().iter().map(cause).collect();
        self.is_proven = explanation.is_proven();
        self.advice = explanation.advice().map(str::to_owned);
    }
}
