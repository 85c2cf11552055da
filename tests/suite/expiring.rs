//! Keys that expire soon, and who is warned of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign::{Key, Rotating, Secret, Verifier, VerifierBuilder, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::VerifyWebhookLayer;

use crate::{
    config::read,
    harness::{SURFACES, hmac_delivery, now},
    log::captured,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// 2027-01-15T08:00:00Z.
const EXPIRY: Duration = Duration::from_secs(1_800_000_000);

const ONLY: &str = " WARN countersign: the only active webhook key expires soon: every delivery is rejected from then on \
                    sender=\"moduslink\" key=\"k\" expires_at=\"2027-01-15T08:00:00Z\"";
const ONE: &str = " WARN countersign: a webhook key expires soon sender=\"moduslink\" key=\"k\" expires_at=\"2027-01-15T08:00:00Z\"";

fn expiry() -> SystemTime {
    UNIX_EPOCH + EXPIRY
}

/// So long before the expiry.
fn before(time: Duration) -> SystemTime {
    expiry().checked_sub(time).unwrap()
}

fn key(id: &str) -> Key {
    Key::secret(id, Secret::new(id))
}

fn builder(keys: impl IntoIterator<Item = Key>) -> VerifierBuilder {
    keys.into_iter().fold(Verifier::builder(senders::moduslink()), VerifierBuilder::key)
}

fn with(keys: impl IntoIterator<Item = Key>) -> Verifier {
    builder(keys).build().unwrap()
}

/// The warnings of these reports.
fn warnings(verifier: &Verifier, times: &[SystemTime]) -> Vec<String> {
    let log = captured(|| times.iter().for_each(|now| verifier.report_keys(*now)));
    log.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
}

#[test]
fn a_key_is_expiring_from_the_threshold_until_its_expiry() {
    let verifier = with([key("k").expires_at(expiry()), key("always")]);
    for (left, within, is_expiring) in [
        (2 * DAY, DAY, false),
        (DAY + Duration::from_nanos(1), DAY, false),
        (DAY, DAY, true),
        (Duration::from_nanos(1), DAY, true),
        (Duration::ZERO, DAY, false),
        (DAY, Duration::ZERO, false),
        (DAY, Duration::MAX, true),
    ] {
        let expiring: Vec<_> = verifier.expiring(before(left), within).collect();
        assert_eq!(expiring.len(), usize::from(is_expiring), "{left:?} within {within:?}");
        for key in expiring {
            assert_eq!((key.sender(), key.key().as_str()), ("moduslink", "k"));
            assert_eq!((key.expires_at(), key.leaves_none()), (expiry(), false));
        }
    }
    assert_eq!(verifier.expiring(expiry() + DAY, Duration::MAX).count(), 0);
}

#[test]
fn a_key_leaves_none_if_no_other_is_active_when_it_expires() {
    let other = || key("other");
    for (other, leaves_none) in [
        (other(), false),
        (other().not_before(expiry()), false),
        (other().not_before(expiry() + Duration::from_nanos(1)), true),
        (other().expires_at(expiry()), true),
        (other().expires_at(before(DAY)), true),
        (other().expires_at(expiry() + Duration::from_nanos(1)), false),
    ] {
        let verifier = with([key("k").expires_at(expiry()), other.clone()]);
        let expiring = verifier.expiring(before(2 * DAY), 3 * DAY).find(|key| key.key().as_str() == "k");
        assert_eq!(expiring.unwrap().leaves_none(), leaves_none, "{other:?}");
    }
    // Another sender's key does not help.
    let extend = Verifier::builder(senders::extend()).key(key("e")).build().unwrap();
    let joined = Verifier::any_of([with([key("k").expires_at(expiry())]), extend]).unwrap();
    assert!(joined.expiring(before(DAY), DAY).next().unwrap().leaves_none());
}

#[test]
fn the_only_key_that_expires_soon_is_warned_of_once_a_day() {
    let verifier = with([key("k").expires_at(expiry())]);
    let second = Duration::from_secs(1);
    let almost = |days: Duration| days.checked_sub(second).unwrap();
    for (times, wanted) in [
        (vec![before(7 * DAY + second)], vec![]),
        (vec![before(7 * DAY), before(almost(7 * DAY)), before(6 * DAY + second)], vec![ONLY]),
        (vec![before(6 * DAY), before(6 * DAY)], vec![ONLY]),
        // A clone, as another guard has it.
        (vec![before(5 * DAY), before(4 * DAY), before(DAY)], vec![ONLY; 3]),
        (vec![expiry(), expiry() + DAY], vec![]),
    ] {
        assert_eq!(warnings(&verifier.clone(), &times), wanted, "{times:?}");
    }
}

#[test]
fn a_key_with_a_successor_is_warned_of_in_other_words() {
    let verifier = with([key("k").expires_at(expiry()), key("next")]);
    assert_eq!(warnings(&verifier, &[before(DAY)]), [ONE]);
}

#[test]
fn the_threshold_is_set_in_code_and_in_a_configuration() {
    let never = builder([key("k").expires_at(expiry())]).warn_before_expiry(Duration::ZERO).build().unwrap();
    assert_eq!(warnings(&never, &[before(DAY), before(Duration::from_nanos(1))]), [] as [&str; 0]);
    let month = builder([key("k").expires_at(expiry())]).warn_before_expiry(30 * DAY).build().unwrap();
    assert_eq!(warnings(&month, &[before(31 * DAY), before(30 * DAY)]), [ONLY]);
    let config = |setting: &str| {
        read(&format!(
            "[[senders]]\nsender = \"moduslink\"\n{setting}\nkeys = [{{ id = \"k\", secret = {{ insecure_inline = \
             \"k\" }}, expires_at = 2027-01-15T08:00:00Z }}]"
        ))
        .unwrap()
    };
    assert_eq!(warnings(&config(""), &[before(8 * DAY), before(7 * DAY)]), [ONLY]);
    assert_eq!(warnings(&config("warn_before_expiry = { seconds = 0 }"), &[before(DAY)]), [] as [&str; 0]);
    let day = config("warn_before_expiry = { seconds = 86400 }");
    assert_eq!(warnings(&day, &[before(DAY + Duration::from_secs(1)), before(DAY)]), [ONLY]);
}

#[test]
fn a_rotation_warns_of_a_new_key_at_once_and_of_one_that_stays_no_more() {
    let rotating = Rotating::new(with([key("k").expires_at(expiry())]));
    assert_eq!(warnings(&rotating.current(), &[before(DAY)]), [ONLY]);
    let soon = before(Duration::from_secs(60));
    rotating.replace(with([key("k").expires_at(expiry()), key("next").expires_at(soon)]));
    let next = ONE.replace("\"k\"", "\"next\"").replace("08:00:00", "07:59:00");
    assert_eq!(warnings(&rotating.current(), &[before(DAY)]), [next]);
}

#[test]
fn a_guard_warns_when_it_is_set_up_in_both_frameworks() {
    let tomorrow = now() + DAY;
    let verifier = || with([key("k").expires_at(tomorrow)]);
    let warns =
        |set_up: &dyn Fn()| captured(set_up).matches("the only active webhook key expires soon").count();
    assert_eq!(warns(&|| drop(VerifyWebhookLayer::new(verifier()))), 1);
    assert_eq!(warns(&|| drop(VerifyWebhook::new(verifier()))), 1);
    assert_eq!(warns(&|| drop(VerifyWebhookLayer::new(Rotating::new(verifier())))), 1);
    assert_eq!(warns(&|| drop(VerifyWebhook::new(Rotating::new(verifier())))), 1);
}

#[test]
fn deliveries_warn_of_the_keys_after_a_rotation_on_every_surface() {
    for surface in SURFACES {
        let rotating = Rotating::new(with([key("always")]));
        let deliver = |secret: &str| {
            for _ in 0..3 {
                let delivery = hmac_delivery(senders::moduslink(), secret, "an order");
                assert!((surface.deliver)(&rotating.current(), &delivery).verdict.is_ok());
            }
        };
        let log = captured(|| {
            deliver("always");
            // The next delivery looks at the new keys at once.
            rotating.replace(with([key("k").expires_at(now() + DAY)]));
            deliver("k");
        });
        let warnings = log.matches("the only active webhook key expires soon").count();
        assert_eq!(warnings, 1, "{}: {log}", surface.name);
    }
}
