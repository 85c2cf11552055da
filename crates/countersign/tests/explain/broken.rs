//! A delivery that was signed right and then broken.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use countersign::{
    Cause, Explainer, Explanation, Hypothesis, RequestHead, Scheme, Secret, Signer, Verifier, senders,
};

pub(crate) const SECRET: &str = "c2VjcmV0IG9mIGEgc2VuZGVy";

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

/// What happened, the delivery, and the diagnosis that must come first.
pub(crate) type Rows = Vec<(&'static str, Broken, Hypothesis)>;

/// What the sender did, what arrived, and how the receiver is set up. It begins as a good delivery to Shopify's scheme.
#[derive(Clone)]
pub(crate) struct Broken {
    pub(crate) sender: Scheme,
    pub(crate) receiver: Scheme,
    pub(crate) sender_secret: Vec<u8>,
    pub(crate) held_secret: Vec<u8>,
    pub(crate) other_secrets: Vec<(&'static str, &'static str)>,
    pub(crate) signed: Vec<u8>,
    pub(crate) arrived: Vec<u8>,
    pub(crate) signed_headers: Vec<(&'static str, &'static str)>,
    pub(crate) added_headers: Vec<(&'static str, &'static str)>,
    pub(crate) signed_target: &'static str,
    pub(crate) target: &'static str,
    pub(crate) signed_at: SystemTime,
    pub(crate) rewrite: fn(String) -> String,
}

impl Default for Broken {
    fn default() -> Self {
        Self::of(senders::shopify(), br#"{"id":1,"note":"paid"}"#)
    }
}

impl Broken {
    pub(crate) fn of(scheme: Scheme, body: &[u8]) -> Self {
        Self {
            sender: scheme.clone(),
            receiver: scheme,
            sender_secret: SECRET.into(),
            held_secret: SECRET.into(),
            other_secrets: Vec::new(),
            signed: body.to_vec(),
            arrived: body.to_vec(),
            signed_headers: Vec::new(),
            added_headers: Vec::new(),
            signed_target: "/hooks?id=1",
            target: "/hooks?id=1",
            signed_at: now(),
            rewrite: |value| value,
        }
    }

    pub(crate) fn body(signed: impl Into<Vec<u8>>, arrived: impl Into<Vec<u8>>) -> Self {
        Self { signed: signed.into(), arrived: arrived.into(), ..Self::default() }
    }

    pub(crate) fn secret(sender: impl Into<Vec<u8>>, held: impl Into<Vec<u8>>) -> Self {
        Self { sender_secret: sender.into(), held_secret: held.into(), ..Self::default() }
    }

    pub(crate) fn scheme(sender: Scheme, receiver: Scheme) -> Self {
        Self { receiver, ..Self::of(sender, br#"{"id":1,"note":"paid"}"#) }
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let signer = Signer::new(self.sender.clone(), [Secret::new(self.sender_secret.clone())]).unwrap();
        let signer = signer.request("POST", self.signed_target);
        let signer =
            self.signed_headers.iter().fold(signer, |signer, (name, value)| signer.header(*name, *value));
        let mut headers = signer.headers(&self.signed, self.signed_at).unwrap();
        let (_, signature) = headers.first_mut().unwrap();
        *signature = (self.rewrite)(signature.clone());
        headers
            .extend(self.added_headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers
    }

    pub(crate) fn explain(&self) -> Explanation {
        let held = || Secret::new(self.held_secret.clone()).dangerously_accept_placeholder();
        let verifier = Verifier::builder(self.receiver.clone()).secret("ours", held()).build().unwrap();
        let explainer = Explainer::new(&verifier).secret("ours", held());
        let others = self.other_secrets.iter();
        let explainer =
            others.fold(explainer, |explainer, (id, secret)| explainer.secret(*id, Secret::new(*secret)));
        let headers = self.headers();
        explainer.explain(&RequestHead::new("POST", self.target, &headers), &self.arrived, now())
    }

    #[track_caller]
    pub(crate) fn is_explained_by(&self, name: &str, expected: Hypothesis) {
        let explanation = self.explain();
        let first = explanation.causes().first().map(Cause::hypothesis);
        assert_eq!(first, Some(expected), "{name}: {explanation}");
    }
}

/// What a program prints when given this input; `None`, said aloud, if it is not installed.
pub(crate) fn output(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let spawned = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        eprintln!("SKIPPED: {program} is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    Some(output.stdout)
}
