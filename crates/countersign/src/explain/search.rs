//! The search for the mistakes that, undone together, make the signature right.

use std::{
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

use crate::{
    explain::{
        body,
        cause::Cause,
        head::Head,
        hypothesis::Hypothesis,
        probe::{Budget, Probe},
        secret, signed,
    },
    keys::{
        key::{Key, KeyId},
        secret::SecretForm,
    },
    schemes::scheme::Scheme,
    verdicts::kind::RejectionKind,
    wire::headers::{Headers, Occurrence, occurrence},
};

pub(crate) struct Search<'d> {
    head: &'d dyn Headers,
    body: &'d [u8],
    now: SystemTime,
    bodies: Vec<body::Candidate>,
    budget: Budget,
}

/// The mistakes, and the key that made the signature.
pub(crate) struct Found {
    pub(crate) causes: Vec<Cause>,
    pub(crate) key: KeyId,
}

/// A key to try, and the mistake that made another of it.
struct Trial {
    mistake: Option<Hypothesis>,
    key: Key,
    form: Option<SecretForm>,
}

/// The most of key, scheme and body that are changed together.
const MOST_CHANGED: usize = 2;

/// The offsets of time zones are multiples of this, in seconds.
const OFFSET_STEP: u64 = 15 * 60;

/// How far a time zone puts a clock off, in seconds: half an hour to 14 hours, and what a delivery may be under way.
const OFFSETS: RangeInclusive<u64> = 28 * 60..=14 * 60 * 60 + UNDER_WAY;

/// How long a delivery may be under way, in seconds, without hiding a time zone's offset.
const UNDER_WAY: u64 = 120;

impl<'d> Search<'d> {
    pub(crate) fn new(head: &'d dyn Headers, body: &'d [u8], now: SystemTime) -> Self {
        Self { head, body, now, bodies: body::candidates(body), budget: Budget::new() }
    }

    /// Changes nothing, then one thing, then two.
    pub(crate) fn find(&mut self, scheme: &Scheme, keys: &[Key]) -> Option<Found> {
        let trials: Vec<Trial> = keys.iter().flat_map(trials).collect();
        let unchanged = signed::Candidate { causes: Vec::new(), scheme: scheme.clone(), target: None };
        let schemes: Vec<_> = [unchanged].into_iter().chain(signed::candidates(scheme, self.head)).collect();
        for changed in 0..=MOST_CHANGED {
            for trial in &trials {
                for signed in &schemes {
                    let around = usize::from(trial.mistake.is_some())
                        .saturating_add(usize::from(!signed.causes.is_empty()));
                    let body = match changed.checked_sub(around) {
                        Some(0) => self.as_arrived(trial, signed),
                        Some(1) => self.with_bodies(trial, signed),
                        _ => continue,
                    };
                    let Some(body) = body else { continue };
                    let mistakes = trial.mistake.into_iter().chain(body);
                    let causes = signed.causes.iter().cloned().chain(mistakes.map(Cause::from)).collect();
                    return Some(Found { causes, key: trial.key.id.clone() });
                }
            }
        }
        None
    }

    /// Whether the timestamp alone explains the rejection, and how.
    pub(crate) fn timing(&self, scheme: &Scheme, keys: &[Key], kind: RejectionKind) -> Option<Hypothesis> {
        let is_old = match kind {
            RejectionKind::TimestampTooOld => true,
            RejectionKind::TimestampInFuture => false,
            _ => return None,
        };
        let instant = |scheme: &Scheme| {
            let mut probes = keys.iter().filter_map(|key| Probe::new(scheme.clone(), key, None));
            probes.find_map(|probe| probe.timestamp(self.head, self.now))
        };
        let apart = |instant: SystemTime| match self.now.duration_since(instant) {
            Ok(apart) => apart,
            Err(error) => error.duration(),
        };
        let is_near = |instant: SystemTime| apart(instant) < Duration::from_secs(OFFSET_STEP);
        for (mistake, other) in signed::formats(scheme) {
            if instant(&other).is_some_and(is_near) {
                return Some(mistake);
            }
        }
        let seconds = apart(instant(scheme)?).as_secs();
        let beside = seconds.checked_rem(OFFSET_STEP)?;
        let is_offset = beside <= UNDER_WAY || beside.saturating_add(UNDER_WAY) >= OFFSET_STEP;
        Some(match is_offset && OFFSETS.contains(&seconds) {
            true => Hypothesis::ClockOffByZone,
            false if is_old => Hypothesis::DeliveryLate,
            false => Hypothesis::ClockWrong,
        })
    }

    pub(crate) fn is_complete(&self) -> bool {
        !self.budget.is_spent()
    }

    fn as_arrived(&mut self, trial: &Trial, signed: &signed::Candidate) -> Option<Vec<Hypothesis>> {
        if !self.budget.take(self.body) {
            return None;
        }
        let probe = Probe::new(signed.scheme.clone(), &trial.key, trial.form.as_ref())?;
        let head = Head { headers: self.head, target: signed.target.clone() };
        probe.matches(&head, self.body, self.now).then(Vec::new)
    }

    fn with_bodies(&mut self, trial: &Trial, signed: &signed::Candidate) -> Option<Vec<Hypothesis>> {
        if self.budget.is_spent() {
            return None;
        }
        let probe = Probe::new(signed.scheme.clone(), &trial.key, trial.form.as_ref())?;
        let head = Head { headers: self.head, target: signed.target.clone() };
        let budget = &mut self.budget;
        let mut bodies = self.bodies.iter();
        let found =
            bodies.find(|body| budget.take(&body.body) && probe.matches(&head, &body.body, self.now))?;
        Some(found.mistakes.clone())
    }
}

/// What the head and the body show where no signature proves it.
pub(crate) fn suspicions(
    scheme: &Scheme,
    head: &dyn Headers,
    body: &[u8],
    kind: RejectionKind,
) -> Vec<Cause> {
    let mut found = Vec::new();
    if kind == RejectionKind::SignatureMissing {
        found.extend(
            signed::others(scheme, None, head)
                .map(|other| Cause::new(Hypothesis::AnotherSender, other.name())),
        );
    }
    if kind < RejectionKind::FormMalformed {
        return found;
    }
    let value = |name| match occurrence(head, name) {
        Occurrence::Once(value) => str::from_utf8(value.trim_ascii()).ok(),
        Occurrence::Never | Occurrence::Repeated => None,
    };
    let is_gzip = |value: &str| value.eq_ignore_ascii_case("gzip");
    if value("content-encoding").is_some_and(is_gzip) && !body.starts_with(b"\x1f\x8b") {
        found.push(Hypothesis::BodyDecompressed.into());
    } else if value("content-length")
        .and_then(|value| value.parse().ok())
        .is_some_and(|length: usize| length != body.len())
    {
        found.push(Hypothesis::BodyLengthChanged.into());
    }
    if body.windows(3).any(|window| window == "\u{fffd}".as_bytes()) {
        found.push(Hypothesis::BodyLossy.into());
    }
    found
}

fn trials(key: &Key) -> Vec<Trial> {
    let as_given = Trial { mistake: None, key: key.clone(), form: None };
    let changed = key.material.secret().map(secret::candidates).unwrap_or_default();
    let changed = changed.into_iter().map(|secret::Candidate { mistake, secret, form }| Trial {
        mistake: Some(mistake),
        key: Key::secret(key.id.clone(), secret),
        form,
    });
    [as_given].into_iter().chain(changed).collect()
}
