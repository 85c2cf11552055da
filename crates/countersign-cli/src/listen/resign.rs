use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use countersign::{Part, Scheme};
use http::Uri;
use tokio::task::spawn_blocking;

use super::{
    intake::Intake,
    judge::{Arrived, Judge},
    record::{Attempt, Origin, Record, Verdict},
};
use crate::{failure::Failure, signing::Signing};

/// What to sign for a test.
pub(crate) struct Edited {
    /// The delivery that was edited.
    pub(crate) after: u64,
    pub(crate) sender: String,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Bytes,
}

impl Intake {
    /// Signs a delivery now, as its sender would, and takes it as if it had arrived. Returns the status of the answer.
    pub(crate) async fn resign(self: &Arc<Self>, edited: Edited) -> Result<u16, Failure> {
        let after = edited.after;
        let (scheme, arrived) = sign(&self.judge, edited)?;
        Ok(self.take(arrived, Origin::Resigned(after), Some(scheme), None).await.status().as_u16())
    }

    /// Sends a kept delivery to the service once more.
    ///
    /// It is verified first, as at its arrival but with today's keys. So a delivery that was rejected for a wrong key can be sent
    /// once the key is right, and one that is still rejected never is.
    pub(crate) async fn send_again(self: &Arc<Self>, id: u64) -> Result<Attempt, Failure> {
        let Some(forward) = &self.forward else {
            return Err(Failure::new("there is no service to send it to: give --forward"));
        };
        let (record, body) = self.whole(id).await?;
        let arrived = self.as_sent(&record, body)?;
        let arrived = self.verified(id, &record, arrived).await?;
        Ok(self.replay(id, arrived, forward).await)
    }

    /// A kept delivery with its body.
    pub(crate) async fn whole(self: &Arc<Self>, id: u64) -> Result<(Arc<Record>, Bytes), Failure> {
        let gone = || Failure::new(format_args!("delivery {id} is not kept any more"));
        let entry = self.deliveries.get(id).ok_or_else(gone)?;
        let intake = Arc::clone(self);
        let body = spawn_blocking(move || intake.deliveries.body(id, 0, usize::MAX)).await;
        let body = body.map_err(Failure::new)?;
        let lost = |reason: &str| Failure::new(format_args!("the body of delivery {id} {reason}"));
        match body.map_err(|error| lost(&format!("cannot be read: {error}")))? {
            Some(body) if body.len() == entry.record.body_length => Ok((entry.record, body)),
            _ => Err(lost("is not kept")),
        }
    }

    /// A delivery as it was sent. What is withheld of it is made anew, if it was right.
    fn as_sent(&self, record: &Record, body: Bytes) -> Result<Arrived, Failure> {
        let headers = record.sent_headers();
        if !record.withholds() {
            return Ok(Arrived {
                at: record.instant(),
                method: record.method.clone(),
                target: record.target.clone(),
                headers,
                body,
            });
        }
        let Some(sender) = record.verdict.sender.clone().filter(|_| record.verdict.is_verified) else {
            return Err(Failure::new(
                "its token is not kept, because it may be somebody's secret: edit and re-sign it instead",
            ));
        };
        let (method, target) = (record.method.clone(), record.target.clone());
        let edited = Edited { after: record.id, sender, method, target, headers, body };
        sign(&self.judge, edited).map(|(_, arrived)| arrived)
    }

    async fn verified(
        self: &Arc<Self>,
        id: u64,
        record: &Record,
        arrived: Arrived,
    ) -> Result<Arrived, Failure> {
        let intake = Arc::clone(self);
        let verify = move || (intake.judge.verify(&arrived), arrived);
        let (verdict, arrived) = spawn_blocking(verify).await.map_err(Failure::new)?;
        match verdict {
            Ok(verified) => {
                if !record.verdict.is_verified {
                    let verdict = Verdict::new(Ok(&verified));
                    self.deliveries.update(id, |record| record.verdict = verdict);
                }
                Ok(arrived)
            }
            Err(rejection) => Err(Failure::new(format_args!(
                "it is rejected as {}, so it is not sent: edit and re-sign it instead",
                rejection.kind().as_str()
            ))),
        }
    }
}

/// Signs as `countersign send` does. Headers of the delivery stay but those that the signer makes, and signatures of others.
fn sign(judge: &Judge, edited: Edited) -> Result<(Scheme, Arrived), Failure> {
    let Edited { after: _, sender, method, target, headers, body } = edited;
    let Some((scheme, keys)) = judge.sender(&sender) else {
        return Err(Failure::new(format_args!("no sender here is named {sender}")));
    };
    let url: Uri = format!("http://localhost{target}").parse().map_err(Failure::new)?;
    let is_signed = |name: &str| {
        let is_it = |part: &Part| matches!(part, Part::Header(signed) if signed.eq_ignore_ascii_case(name));
        scheme.signed_parts().iter().any(is_it)
    };
    let (signed, others): (Vec<_>, Vec<_>) = headers.into_iter().partition(|(name, _)| is_signed(name));
    let text = |(name, value)| {
        let value = String::from_utf8(value);
        value.map(|value| (name, value)).map_err(|_| Failure::new("a signed header is not text"))
    };
    let signed = signed.into_iter().map(text).collect::<Result<_, _>>()?;
    let signing = Signing::new(scheme.clone(), keys.clone(), &url, signed, body.to_vec())?;
    let delivery = signing.delivery()?;
    let own_type = others.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let made: Vec<(String, Vec<u8>)> = delivery
        .headers
        .iter()
        .filter(|(name, _)| !(own_type && name.eq_ignore_ascii_case("content-type")))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes()))
        .collect();
    let signatures = judge.senders.iter().map(|(scheme, _)| scheme.header_name());
    let dropped: Vec<&str> = made.iter().map(|(name, _)| &**name).chain(signatures).collect();
    let is_kept = |name: &str| !dropped.iter().any(|dropped| dropped.eq_ignore_ascii_case(name));
    let others: Vec<_> = others.into_iter().filter(|(name, _)| is_kept(name)).collect();
    let arrived = Arrived {
        at: SystemTime::now(),
        method,
        target: delivery.target().to_owned(),
        headers: made.iter().cloned().chain(others).collect(),
        body,
    };
    Ok((scheme.clone(), arrived))
}
