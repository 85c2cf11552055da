use std::{error::Error, net::SocketAddr, sync::PoisonError, time::Duration};

use crate::{
    deliveries::{self, Delivery},
    receivers::Reason,
};

/// Sends deliveries and prints the answers.
pub(crate) struct Client {
    http: ureq::Agent,
    reason: Reason,
    wrong: u32,
}

impl Client {
    pub(crate) fn new(reason: Reason) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None) // the receivers are local, so ignore proxies from the environment
            .timeout_global(Some(Duration::from_secs(30)));
        Self { http: config.build().into(), reason, wrong: 0 }
    }

    /// Sends each sender's deliveries to the receiver that handles them before it answers.
    pub(crate) fn send_all(&mut self, address: SocketAddr) -> Result<(), Box<dyn Error>> {
        println!(
            "{:<16} {:<31} {:>6}  {:<7}  reason shown to the operator",
            "sender", "case", "status", "handler"
        );
        deliveries::all()?.iter().try_for_each(|delivery| self.send(address, delivery, || Ok(None)))
    }

    /// Sends a delivery. `handler` tells what handled it, if not the receiver before it answered.
    pub(crate) fn send(
        &mut self,
        address: SocketAddr,
        delivery: &Delivery,
        handler: impl FnOnce() -> Result<Option<&'static str>, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let Delivery { sender, case, headers, body, status, handled_by } = delivery;
        let mut request = self.http.post(format!("http://{address}/webhooks/{sender}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send(body)?;
        // The handler's answer describes the delivery. No other answer to a verified delivery has a body.
        let answered = response.status() == 200 && !response.body_mut().read_to_vec()?.is_empty();
        let ran = if answered { Some("ran") } else { handler()? };
        let told = self.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_right = response.status() == *status && ran == *handled_by;
        let verdict = if is_right { "" } else { "  <-- WRONG" };
        self.wrong = self.wrong.saturating_add(u32::from(!is_right));
        println!(
            "{sender:<16} {case:<31} {:>6}  {:<7}  {}{verdict}",
            response.status().as_u16(),
            ran.unwrap_or("-"),
            told.unwrap_or("-")
        );
        Ok(())
    }

    pub(crate) fn all_right(&self) -> bool {
        self.wrong == 0
    }
}
