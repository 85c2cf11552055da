//! Services in process: the guard alone, and the guard with the memory inside.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_once::{MemoryStore, Once};
use in_process::{contest::Probe, measure::Timed};

use crate::{
    delivery::{Delivery, Sender},
    {actix, axum},
};

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

/// The guard alone comes first, as the baseline of the others.
pub fn services(sender: &Arc<Sender>, framework: Framework) -> Result<Vec<Service>, Box<dyn Error>> {
    let service = |name, once: Option<Once>| -> Result<Service, Box<dyn Error>> {
        let send = match framework {
            Framework::Axum => axum::send(sender.verifier()?, once)?,
            Framework::Actix => actix::send(sender.verifier()?, once)?,
        };
        Ok(Service { name, send, sender: Arc::clone(sender), repeated: None })
    };
    let once = Once::new(MemoryStore::default())?;
    let mut duplicates = service("guard and HandleOnce, a duplicate", Some(once.clone()))?;
    let repeated = sender.delivery()?;
    if !duplicates.sends(std::slice::from_ref(&repeated)) {
        return Err("a new delivery is refused".into());
    }
    duplicates.repeated = Some(repeated);
    let mut services =
        vec![service("guard", None)?, service("guard and HandleOnce, new", Some(once))?, duplicates];
    let forged = Delivery { body: vec![b' '; 1024].into(), ..sender.delivery()? };
    for service in &mut services {
        if service.sends(std::slice::from_ref(&forged)) {
            return Err(format!("{} accepts a forged delivery", service.name).into());
        }
    }
    Ok(services)
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
                let start = Instant::now();
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
