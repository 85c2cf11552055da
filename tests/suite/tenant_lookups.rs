//! How tenants are looked up, cached and revoked, in both frameworks.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign::{BodyBudget, Choice, ChooseVerifier, Rejection, RejectionKind};
use countersign_tenants::{ResolveError, Tenants, TenantsBuilder};
use countersign_tower::VerifyWebhookLayer;
use tokio::{sync::Semaphore, task::LocalSet};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    harness::{
        Slow, block_on, kind_unread_of, request,
        tenants::{Receiver, Shops, in_each, signed_by, to},
    },
    log::captured,
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// Waits until it is so, for as long as a loaded machine may need.
async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..6000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to be");
}

/// Shops whose lookups wait for a permit, and the tenants.
fn gated(shops: &Shops) -> (Arc<Semaphore>, TenantsBuilder) {
    let gate = Arc::new(Semaphore::new(0));
    let builder = shops.after({
        let gate = Arc::clone(&gate);
        move || {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await?.forget();
                Ok(())
            }
        }
    });
    (gate, builder.lookup_timeout(LONG).ttl(LONG).unknown_ttl(LONG).failure_ttl(LONG))
}

/// Runs the test in each framework, each with shops of its own whose lookups wait for a permit.
fn gated_in_each<F: Future<Output = ()>>(test: impl Fn(Receiver, Shops, Arc<Semaphore>, Tenants) -> F) {
    let setup = || {
        let shops = Shops::of(&["a", "b"]);
        let (gate, builder) = gated(&shops);
        (shops, gate, builder.build().unwrap())
    };
    block_on(LocalSet::new().run_until(async {
        let (shops, gate, tenants) = setup();
        test(crate::harness::tenants::in_axum(tenants.clone()), shops, gate, tenants).await;
        let (shops, gate, tenants) = setup();
        test(crate::harness::tenants::in_actix(tenants.clone()).await, shops, gate, tenants).await;
    }));
}

#[test]
fn a_thousand_requests_at_once_make_one_lookup() {
    gated_in_each(async |receiver, shops, gate, tenants| {
        let requests: Vec<_> =
            (0..1000).map(|_| tokio::task::spawn_local(receiver.receive(&to("a")))).collect();
        until(async || shops.lookups() == 1).await;
        assert_eq!(tenants.cached().lookups, 1);
        // Every request has had its turn by then.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1000);
        for request in requests {
            assert_eq!(request.await.unwrap().status, 200);
        }
        receiver.assert_runs(&to("a"), "a").await;
        assert_eq!(shops.lookups(), 1);
        assert_eq!((tenants.cached().tenants, tenants.cached().lookups), (1, 0));
    });
}

#[test]
fn a_client_that_goes_away_cancels_no_lookup() {
    gated_in_each(async |receiver, shops, gate, tenants| {
        let first = tokio::task::spawn_local(receiver.receive(&to("a")));
        until(async || shops.lookups() == 1).await;
        let second = tokio::task::spawn_local(receiver.receive(&to("a")));
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        gate.add_permits(1);
        assert_eq!(second.await.unwrap().status, 200);

        let alone = tokio::task::spawn_local(receiver.receive(&to("b")));
        until(async || shops.lookups() == 2).await;
        alone.abort();
        assert!(alone.await.unwrap_err().is_cancelled());
        gate.add_permits(1);
        // Answered after the client left, and kept for the next.
        until(async || tenants.cached().tenants == 2).await;
        receiver.assert_runs(&to("b"), "b").await;
        assert_eq!(shops.lookups(), 2);
    });
}

#[test]
fn a_revoked_tenant_is_refused_at_once_and_an_added_one_is_taken() {
    let shops = Shops::of(&["a"]);
    let tenants = shops.after(async || Ok(())).ttl(LONG).unknown_ttl(LONG).build().unwrap();
    in_each(
        || tenants.clone(),
        async |receiver| {
            receiver.assert_runs(&to("a"), "a").await;
            receiver.assert_rejects(&to("b"), RejectionKind::TenantUnknown).await;
            shops.revoke("a");
            shops.add("b");
            // Still cached.
            receiver.assert_runs(&to("a"), "a").await;
            receiver.assert_rejects(&to("b"), RejectionKind::TenantUnknown).await;
            tenants.invalidate("a");
            tenants.invalidate("b");
            receiver.assert_rejects(&to("a"), RejectionKind::TenantUnknown).await;
            receiver.assert_runs(&to("b"), "b").await;
            shops.revoke("b");
            shops.add("a");
            tenants.invalidate_all();
            receiver.assert_runs(&to("a"), "a").await;
            receiver.assert_rejects(&to("b"), RejectionKind::TenantUnknown).await;
            tenants.invalidate_all();
        },
    );
}

#[test]
fn without_invalidation_a_change_takes_the_time_to_live() {
    let shops = Shops::of(&["a"]);
    let short = Duration::from_millis(20);
    in_each(
        || shops.after(async || Ok(())).ttl(short).unknown_ttl(short).build().unwrap(),
        async |receiver| {
            receiver.assert_runs(&to("a"), "a").await;
            receiver.assert_rejects(&to("b"), RejectionKind::TenantUnknown).await;
            shops.revoke("a");
            shops.add("b");
            until(async || receiver.receive(&to("a")).await.status == 401).await;
            until(async || receiver.receive(&to("b")).await.status == 200).await;
            shops.revoke("b");
            shops.add("a");
        },
    );
}

#[test]
fn a_refusal_expires_however_often_it_was_renewed() {
    let shops = Shops::of(&[]);
    in_each(
        || shops.after(async || Ok(())).unknown_ttl(Duration::from_millis(20)).build().unwrap(),
        async |receiver| {
            let enough = shops.lookups() + 5;
            until(async || {
                receiver.assert_rejects(&to("a"), RejectionKind::TenantUnknown).await;
                shops.lookups() >= enough
            })
            .await;
        },
    );
}

#[test]
fn a_lookup_that_began_before_the_invalidation_does_not_bring_the_tenant_back() {
    gated_in_each(async |receiver, shops, gate, tenants| {
        let before = tokio::task::spawn_local(receiver.receive(&to("a")));
        until(async || shops.lookups() == 1).await;
        tenants.invalidate("a");
        let after = tokio::task::spawn_local(receiver.receive(&to("a")));
        until(async || shops.lookups() == 2).await;
        // Both lookups find the tenant, but only the second counts.
        gate.add_permits(1);
        assert_eq!(before.await.unwrap().status, 200);
        assert_eq!((tenants.cached().tenants, tenants.cached().lookups), (0, 1));
        gate.add_permits(1);
        assert_eq!(after.await.unwrap().status, 200);
        assert_eq!((tenants.cached().tenants, tenants.cached().lookups), (1, 0));
    });
}

#[test]
fn a_resolver_that_fails_panics_or_hangs_is_503_and_an_error_with_the_cause() {
    type Failing = fn(&Shops) -> TenantsBuilder;
    let fails: Failing = |shops| shops.after(async || Err("the database is away".into()));
    let panics: Failing = |shops| shops.after(async || panic!("a mistake"));
    let panics_at_once: Failing =
        |shops| shops.after(|| -> std::future::Ready<Result<(), ResolveError>> { panic!("a mistake") });
    let hangs: Failing = |shops| shops.after(pending).lookup_timeout(Duration::from_millis(20));
    let cases = [
        (fails, "the database is away"),
        (panics, "the resolver panicked"),
        (panics_at_once, "the resolver panicked"),
        (hangs, "the resolver did not answer within 20ms"),
    ];
    for (builder, cause) in cases {
        let shops = Shops::of(&["a"]);
        let log = captured(|| {
            in_each(
                || builder(&shops).failure_ttl(LONG).build().unwrap(),
                async |receiver| {
                    let seen = receiver.receive(&to("a")).await;
                    assert_eq!((seen.status, seen.kind), (503, Some(RejectionKind::TenantUnresolved)));
                    assert_eq!((seen.header("retry-after"), &*seen.body), (Some("5"), ""));
                    // Known by now, so not asked again.
                    for _ in 0..100 {
                        receiver.assert_rejects(&to("a"), RejectionKind::TenantUnresolved).await;
                    }
                },
            );
        });
        assert_eq!(shops.lookups(), 2, "one in each framework: {cause}");
        let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
        let error = format!("webhook tenant not looked up tenant=\"a\" failure={cause}");
        assert!(errors.len() == 2 && errors.iter().all(|line| line.contains(&error)), "{errors:#?}");
    }
}

#[test]
fn a_resolver_that_recovers_is_asked_again() {
    let is_away = Arc::new(AtomicBool::new(true));
    let shops = Shops::of(&["a"]);
    in_each(
        || {
            let is_away = Arc::clone(&is_away);
            let before = move || {
                let is_away = is_away.load(Ordering::SeqCst);
                async move { if is_away { Err(ResolveError::from("away")) } else { Ok(()) } }
            };
            shops.after(before).failure_ttl(Duration::from_millis(20)).build().unwrap()
        },
        async |receiver| {
            is_away.store(true, Ordering::SeqCst);
            receiver.assert_rejects(&to("a"), RejectionKind::TenantUnresolved).await;
            is_away.store(false, Ordering::SeqCst);
            until(async || receiver.receive(&to("a")).await.status == 200).await;
        },
    );
}

#[test]
fn a_hundred_thousand_unknown_tenants_take_bounded_memory_and_push_no_tenant_out() {
    let shops = Shops::of(&["a"]);
    let tenants =
        shops.after(async || Ok(())).ttl(LONG).unknown_ttl(LONG).most_refused(500).most_tenants(1).build();
    let tenants = tenants.unwrap();
    let delivery = signed_by("a");
    let is_accepted = async |tenant: &str| {
        let target = format!("/webhooks/{tenant}");
        let head = countersign::RequestHead::new("POST", &target, &[] as &[(String, Vec<u8>)]);
        let chosen = match tenants.choose(&&head) {
            Choice::Now(chosen) => chosen,
            Choice::Later(choosing) => choosing.await,
        };
        chosen.unwrap().verify(&delivery.head(), b"an order", std::time::SystemTime::now()).is_ok()
    };
    assert!(block_on(is_accepted("a")));
    // In parts, each of which has the whole time limit.
    for part in 0..100 {
        block_on(async {
            for number in 0..1000 {
                assert!(!is_accepted(&format!("made-up-{part}-{number}")).await);
            }
        });
        let cached = tenants.cached();
        assert!(cached.tenants == 1 && cached.refused <= 500 && cached.lookups == 0, "{cached:?}");
    }
    let lookups = shops.lookups();
    assert!(lookups > 99_000, "{lookups}");
    assert!(block_on(is_accepted("a")));
    assert_eq!(shops.lookups(), lookups);
}

#[test]
fn lookups_run_so_many_at_a_time_and_only_so_many_wait() {
    let shops = Shops::of(&["a"]);
    let (gate, builder) = gated(&shops);
    let tenants = builder.concurrent_lookups(2).build().unwrap();
    block_on(LocalSet::new().run_until(async {
        let receiver = crate::harness::tenants::in_axum(tenants.clone());
        let waiting: Vec<_> = (0..1026)
            .map(|number| tokio::task::spawn_local(receiver.receive(&to(&format!("shop-{number}")))))
            .collect();
        until(async || tenants.cached().lookups == 1026 && shops.lookups() == 2).await;
        receiver.assert_rejects(&to("one-more"), RejectionKind::TenantUnresolved).await;
        assert_eq!(shops.lookups(), 2);
        gate.add_permits(1026);
        for request in waiting {
            assert_eq!(request.await.unwrap().kind, Some(RejectionKind::TenantUnknown));
        }
        assert_eq!(tenants.cached().lookups, 0);
    }));
}

#[test]
fn no_byte_of_the_body_is_read_before_there_is_a_verifier() {
    let shops = Shops::of(&["a"]);
    let (gate, builder) = gated(&shops);
    let tenants = builder.build().unwrap();
    // The bodies panic when they are read.
    block_on(LocalSet::new().run_until(async {
        let pending = tokio::task::spawn_local(kind_unread_of(tenants.clone().into(), to("a")));
        until(async || shops.lookups() == 1).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(!pending.is_finished());
        pending.abort();
        assert!(pending.await.unwrap_err().is_cancelled());
        gate.add_permits(1);
    }));
    let failing = shops.after(async || -> Result<(), ResolveError> { Err("away".into()) }).build().unwrap();
    let kind = block_on(kind_unread_of(failing.into(), to("a")));
    assert_eq!(kind, RejectionKind::TenantUnresolved);
    let unsigned = crate::harness::Delivery::new([], "").to("POST", "/webhooks/z");
    assert_eq!(block_on(kind_unread_of(shops.tenants().into(), unsigned)), RejectionKind::TenantUnknown);
}

#[test]
fn budget_and_body_limit_are_those_of_a_guard_without_tenants() {
    let shops = Shops::of(&["a"]);
    let answer = |tenant: &'static str, budget: &BodyBudget, length: &str| {
        let guard = VerifyWebhookLayer::new(shops.tenants()).body_budget(budget.clone());
        let handler = service_fn(|_: http::Request<countersign_tower::VerifiedBody>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        });
        let delivery = to(tenant).with_header("content-length", length);
        block_on(guard.layer(handler).oneshot(request(&delivery))).unwrap().status().as_u16()
    };
    let budget = BodyBudget::new(100);
    for (length, status) in [("8", 200), ("101", 503), ("2000000", 413)] {
        assert_eq!(answer("a", &budget, length), status, "{length}");
        assert_eq!(budget.left(), 100);
    }
    assert_eq!(answer("z", &budget, "8"), 401);
    assert_eq!(answer("z", &budget, "101"), 503);
    assert_eq!(budget.left(), 100);
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_408_for_every_tenant_and_for_none() {
    let shops = Shops::of(&["a"]);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    for tenant in ["a", "z"] {
        let guard = VerifyWebhookLayer::new(shops.tenants()).body_timeout(Duration::from_secs(10));
        let unreachable = service_fn(|_: http::Request<countersign_tower::VerifiedBody>| {
            pending::<Result<http::Response<String>, std::convert::Infallible>>()
        });
        let (chunks, body) = Slow::new();
        let (seen, waited) = runtime.block_on(async {
            let started = tokio::time::Instant::now();
            let answer = guard.layer(unreachable).oneshot(request(&to(tenant)).map(|_| body));
            let response = tokio::time::timeout(LONG, answer).await.unwrap().unwrap();
            let rejection = response.extensions().get::<Rejection>().map(Rejection::kind);
            ((response.status().as_u16(), rejection), started.elapsed().as_secs())
        });
        assert_eq!(seen, (408, Some(RejectionKind::BodyTimeout)), "{tenant}");
        assert_eq!(waited, 10, "{tenant}");
        drop(chunks);
    }
}

#[test]
fn a_resolver_that_blocks_its_thread_holds_up_no_answer() {
    let blocked = Arc::new(AtomicUsize::new(0));
    let shops = Shops::of(&["a"]);
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(wait));
    let tenants = shops
        .after({
            let blocked = Arc::clone(&blocked);
            move || {
                let (blocked, wait) = (Arc::clone(&blocked), Arc::clone(&wait));
                async move {
                    blocked.fetch_add(1, Ordering::SeqCst);
                    // A mistake of the resolver's author.
                    drop(wait.lock().map(|wait| wait.recv()));
                    Ok(())
                }
            }
        })
        .lookup_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let chosen = runtime.block_on(async {
        let target = "/webhooks/a";
        let head = countersign::RequestHead::new("POST", target, &[] as &[(String, Vec<u8>)]);
        match tenants.choose(&&head) {
            Choice::Now(chosen) => Ok(chosen),
            Choice::Later(choosing) => tokio::time::timeout(Duration::from_secs(60), choosing).await,
        }
    });
    // First of all, or a test that fails never ends.
    drop(release);
    runtime.shutdown_background();
    assert_eq!(chosen.unwrap().unwrap_err().kind(), RejectionKind::TenantUnresolved);
}

#[test]
fn without_a_runtime_a_tenant_that_is_not_cached_is_refused() {
    let tenants = Shops::of(&["a"]).tenants();
    let head = countersign::RequestHead::new("POST", "/webhooks/a", &[] as &[(String, Vec<u8>)]);
    let Choice::Now(Err(rejection)) = tenants.choose(&&head) else { panic!("it was not refused at once") };
    assert_eq!(rejection.kind(), RejectionKind::TenantUnresolved);
}
