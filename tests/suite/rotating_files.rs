//! Keys that rotate by file and by configuration under load, in both frameworks, through the example `rotating-receiver`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, dev::Service};
use axum::body::Body;
use countersign::{Rotating, senders};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::harness::{Delivery, actix_request, block_on, hmac_delivery, now, request};

/// `examples/rotating-receiver/rotate.sh` does it a hundred times, with a real load generator.
const ROTATIONS: usize = 12;
const CLIENTS: usize = 2;

/// Delivers to an app on the thread that made it, and returns the status.
type Client = Box<dyn Fn(&Delivery) -> u16>;

fn in_axum(verifier: Rotating) -> Client {
    let app = rotating_receiver::router(verifier);
    Box::new(move |delivery| {
        block_on(app.clone().oneshot(request(delivery).map(Body::new))).unwrap().status().as_u16()
    })
}

fn in_actix(verifier: Rotating) -> Client {
    let app = App::new().configure(|app| rotating_receiver::routes(app, verifier));
    let app = block_on(actix_web::test::init_service(app));
    Box::new(move |delivery| block_on(app.call(actix_request(delivery))).unwrap().status().as_u16())
}

/// Puts the secret of a rotation in place of that of two rotations before.
type Rotate = fn(&Path, usize);

fn secret(rotation: usize) -> String {
    format!("rotation {rotation}: correct horse")
}

/// A delivery that the sender signs after this rotation.
fn signed(rotation: usize) -> Delivery {
    hmac_delivery(senders::extend(), &secret(rotation), "{}").to("POST", "/webhooks")
}

fn replace(path: &Path, text: &str) {
    let next = path.with_extension("new");
    fs::write(&next, text).unwrap();
    fs::rename(next, path).unwrap();
}

fn configure(folder: &Path, files: &BTreeMap<String, String>) {
    let key = |(id, file): (&String, &String)| {
        let file = folder.join(file);
        format!("{{ id = {id:?}, secret = {{ file = \"{}\" }} }}", file.display())
    };
    let keys = files.iter().map(key).collect::<Vec<_>>().join(", ");
    replace(&folder.join("rotating.toml"), &format!("[[senders]]\nsender = \"extend\"\nkeys = [{keys}]"));
}

fn by_file(folder: &Path, rotation: usize) {
    replace(&folder.join(format!("slot-{}", rotation % 2)), &secret(rotation));
    if rotation == 1 {
        configure(folder, &[0, 1].map(|slot| (slot.to_string(), format!("slot-{slot}"))).into());
    }
}

fn by_configuration(folder: &Path, rotation: usize) {
    fs::write(folder.join(format!("secret-{rotation}")), secret(rotation)).unwrap();
    let rotations = [rotation.saturating_sub(1), rotation];
    configure(folder, &rotations.map(|rotation| (rotation.to_string(), format!("secret-{rotation}"))).into());
}

#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so after a minute: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn rotate_under_load(connect: fn(Rotating) -> Client, rotate: Rotate) {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    rotate(folder, 0);
    if !folder.join("rotating.toml").exists() {
        configure(folder, &[("0".to_owned(), "slot-0".to_owned())].into());
    }
    let (verifier, watching) = rotating_receiver::follow(folder.join("rotating.toml")).unwrap();
    let accepts = |rotation| verifier.current().verify(&signed(rotation).headers, b"{}", now()).is_ok();
    let in_use = Arc::new(Mutex::new(signed(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let rounds: [Arc<AtomicU64>; CLIENTS] = Default::default();
    let clients = rounds.clone().map(|rounds| {
        let (verifier, in_use, stop) = (verifier.clone(), Arc::clone(&in_use), Arc::clone(&stop));
        thread::spawn(move || {
            let client = connect(verifier);
            let forged = hmac_delivery(senders::extend(), "nobody's", "{}").to("POST", "/webhooks");
            while !stop.load(Ordering::Acquire) {
                let good = in_use.lock().unwrap().clone();
                assert_eq!((client(&good), client(&forged)), (200, 401));
                rounds.fetch_add(1, Ordering::Release);
            }
        })
    });
    // Two rounds more of each client: none still has the delivery that it took before.
    let all_have_moved_on = || {
        let before = rounds.clone().map(|rounds| rounds.load(Ordering::Acquire));
        eventually("every client has delivered with the key in use", || {
            assert!(clients.iter().all(|client| !client.is_finished()), "a client got a wrong answer");
            rounds.iter().zip(before).all(|(rounds, before)| rounds.load(Ordering::Acquire) >= before + 2)
        });
    };
    all_have_moved_on();
    for rotation in 1..=ROTATIONS {
        rotate(folder, rotation);
        eventually("the new key is in use", || accepts(rotation));
        assert!(accepts(rotation - 1), "the key in use was taken away");
        assert!(rotation < 2 || !accepts(rotation - 2), "the old key is still in use");
        *in_use.lock().unwrap() = signed(rotation);
        all_have_moved_on();
    }
    stop.store(true, Ordering::Release);
    for client in clients {
        client.join().unwrap();
    }
    assert!(watching.status().failure.is_none());
}

#[test]
fn keys_rotated_by_file_under_load_in_axum_cost_no_delivery_and_take_no_forged_one() {
    rotate_under_load(in_axum, by_file);
}

#[test]
fn keys_rotated_by_file_under_load_in_actix_cost_no_delivery_and_take_no_forged_one() {
    rotate_under_load(in_actix, by_file);
}

#[test]
fn keys_rotated_by_configuration_under_load_in_axum_cost_no_delivery_and_take_no_forged_one() {
    rotate_under_load(in_axum, by_configuration);
}

#[test]
fn keys_rotated_by_configuration_under_load_in_actix_cost_no_delivery_and_take_no_forged_one() {
    rotate_under_load(in_actix, by_configuration);
}
