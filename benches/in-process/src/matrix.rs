//! The cases of `service` and `allocations`.

use std::{error::Error, fmt};

use serde::Serialize;

use crate::{
    actix,
    contest::{self, Contest, Contestant, Handler, Setting},
    delivery::{Delivery, SIZES},
    measure::Figures,
    tower,
};

const CHUNKS: [usize; 4] = [1, 4, 16, 128];

pub const NOTES: [&str; 9] = [
    "added: relative to the plain service of the same case; requests are built before the timing starts",
    "the hash alone: HMAC-SHA256 over the body's chunks, without a request; its median is part of what each guard adds",
    "no-op layer: tower's Identity, actix-web's wrap_fn",
    "hand-written from_fn: collects the body, computes the HMAC with a prepared key, decodes the hex on the stack, rebuilds the request",
    "standardwebhooks and svix have no layer: in axum, from_fn calls their Webhook::verify; in actix-web they are not measured",
    "standardwebhooks, svix: Standard Webhooks only, and UTF-8 bodies only",
    "webhook-verify in axum: through a shim, as its layer does not compile in Router::layer (over axum's Body the layer is not Clone and its service not Sync; its error is boxed)",
    "countersign, Verified: the handler takes the extractor Verified and reads its body, as in the README, instead of Bytes",
    "webhook-verify in actix-web: an extractor of the whole body instead of web::Bytes, so it is not measured with the handler that drops frames",
];

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framework {
    Axum,
    Actix,
}

#[derive(Clone, Copy, Serialize)]
pub struct Case {
    pub framework: Framework,
    pub contest: Contest,
    pub handler: Handler,
    pub size: usize,
    pub chunks: usize,
}

/// The time of one contestant in one case.
#[derive(Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub case: Case,
    pub name: &'static str,
    #[serde(flatten)]
    pub figures: Figures,
}

impl Framework {
    pub fn contestants(self, setting: Setting) -> Result<Vec<Contestant>, Box<dyn Error>> {
        match self {
            Self::Axum => tower::contestants(setting),
            Self::Actix => actix::contestants(setting),
        }
    }
}

/// Returns the contestants of every case, after checking that each does its work.
pub fn each(mut measure: impl FnMut(Case, &mut Vec<Contestant>, &Delivery)) -> Result<(), Box<dyn Error>> {
    for framework in [Framework::Axum, Framework::Actix] {
        for contest in [Contest::GitHub, Contest::StandardWebhooks] {
            let signer = contest.signer()?;
            for handler in [Handler::TakesBytes, Handler::DropsFrames] {
                let setting = Setting { contest, handler, body_limit: 1 << 20 };
                let mut contestants = framework.contestants(setting)?;
                for size in SIZES {
                    for chunks in CHUNKS.into_iter().filter(|&chunks| chunks <= size.max(1)) {
                        // Signed again for each case, to keep the timestamp within the tolerance.
                        let delivery = Delivery::new(&signer, size, chunks)?;
                        contest::check(&mut contestants, &delivery)?;
                        let chunks = delivery.chunks().len();
                        measure(
                            Case { framework, contest, handler, size, chunks },
                            &mut contestants,
                            &delivery,
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framework = match self.framework {
            Framework::Axum => "axum",
            Framework::Actix => "actix",
        };
        let contest = match self.contest {
            Contest::GitHub => "GitHub",
            Contest::StandardWebhooks => "StdWebhooks",
        };
        let handler = match self.handler {
            Handler::TakesBytes => "bytes",
            Handler::DropsFrames => "frames",
        };
        write!(f, "{framework:5} {contest:11} {handler:6} {:>8} B in {:>3}", self.size, self.chunks)
    }
}
