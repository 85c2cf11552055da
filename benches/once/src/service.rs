//! Services in process: the guard alone, and the guard with the memory inside.

use std::{error::Error, sync::Arc, time::Duration};

use countersign_once::{Claim, MemoryStore, Once, Store, Token};
use in_process::{contest::Probe, measure::Timed};
use tokio::runtime::Builder;

use crate::{
    actix, axum,
    cpu::Stopwatch,
    delivery::{Delivery, Sender},
    identity,
};

/// A capacity that no benchmark fills.
pub const ROOMY: u64 = 10_000_000;
/// Samples are this many times longer than usual, so that each has its share of the cache's maintenance, which comes after some
/// hundred deliveries.
pub const LONGER: u32 = 32;

/// Sends the deliveries under the probe, and returns whether every answer was a success.
pub type Send = Box<dyn FnMut(&[Delivery], Probe<'_>) -> bool>;

pub struct Service {
    pub name: &'static str,
    send: Send,
    sender: Arc<Sender>,
    /// What it sends over and over, if it does not send new deliveries.
    repeated: Option<Delivery>,
}

/// What is inside the guard, around the handler.
pub enum Inside {
    Nothing,
    NoOp,
    Once(Once),
}

/// The guard alone comes first, as the baseline of the others.
pub fn services(sender: &Arc<Sender>, framework: Framework) -> Result<Vec<Service>, Box<dyn Error>> {
    let service = |name, inside| -> Result<Service, Box<dyn Error>> {
        let send = match framework {
            Framework::Axum => axum::send(sender.verifier()?, inside)?,
            Framework::Actix => actix::send(sender.verifier()?, inside)?,
        };
        Ok(Service { name, send, sender: Arc::clone(sender), repeated: None })
    };
    let once = Once::new(MemoryStore::new(ROOMY))?;
    let mut duplicates = service("guard and HandleOnce, a duplicate", Inside::Once(once.clone()))?;
    let repeated = sender.delivery()?;
    if !duplicates.sends(std::slice::from_ref(&repeated)) {
        return Err("a new delivery is refused".into());
    }
    duplicates.repeated = Some(repeated);
    let mut services = vec![
        service("guard", Inside::Nothing)?,
        service("floor: guard and a no-op layer", Inside::NoOp)?,
        service("guard and HandleOnce, new", Inside::Once(once))?,
        service("guard and HandleOnce, new, store full", Inside::Once(Once::new(full_store())?))?,
        duplicates,
    ];
    let forged = Delivery { body: vec![b' '; 1024].into(), ..sender.delivery()? };
    for service in &mut services {
        if service.sends(std::slice::from_ref(&forged)) {
            return Err(format!("{} accepts a forged delivery", service.name).into());
        }
    }
    Ok(services)
}

/// Every new identity pushes an old one out.
fn full_store() -> MemoryStore {
    let store = MemoryStore::default();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for number in 0..MemoryStore::DEFAULT_CAPACITY {
            let claim = Claim::new(identity::numbered(number), Token::from_bytes([1; 16]));
            let _ = store.complete(claim, Duration::from_secs(3600)).await.expect("memory does not fail");
        }
    });
    store
}

#[derive(Clone, Copy)]
pub enum Framework {
    Axum,
    Actix,
}

impl Service {
    /// Makes this many deliveries and sends them under the probe.
    pub fn run(&mut self, times: usize, probe: Probe<'_>) {
        let delivery = |_| match &self.repeated {
            Some(delivery) => Ok(delivery.clone()),
            None => self.sender.delivery(),
        };
        let deliveries = (0..times).map(delivery).collect::<Result<Vec<_>, _>>().expect("deliveries to sign");
        assert!((self.send)(&deliveries, probe), "{} refuses a delivery", self.name);
    }

    pub fn timed(&mut self) -> Timed<'_> {
        Box::new(move |times| {
            let mut elapsed = Duration::ZERO;
            self.run(times * LONGER as usize, &mut |work| {
                let start = Stopwatch::start();
                work();
                elapsed = start.elapsed();
            });
            elapsed / LONGER
        })
    }

    fn sends(&mut self, deliveries: &[Delivery]) -> bool {
        (self.send)(deliveries, &mut |work| work())
    }
}
