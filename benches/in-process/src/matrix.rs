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
    "added: over the plain service of the same case; requests are made before they are timed",
    "the hash alone: HMAC-SHA256 of the body's chunks, no request: its median is a part of what the guards add",
    "no-op layer: tower's Identity, actix-web's wrap_fn",
    "hand-written from_fn: collects, HMAC with the key schedule kept, hex decoded on the stack, rebuilds the request",
    "standardwebhooks and svix are no layers: in axum's from_fn, around Webhook::verify; there is nothing of them for actix-web",
    "standardwebhooks, svix: Standard Webhooks only, and bodies of UTF-8 only",
    "webhook-verify in axum: through a shim, as its layer does not compile in Router::layer (over axum's Body the layer is not Clone and its service not Sync; its error is boxed)",
    "countersign, Verified: the handler takes the extractor Verified and has the body of it, as the README does, in place of Bytes",
    "webhook-verify in actix-web: an extractor of the whole body in place of web::Bytes, so there is nothing of it for the handler that drops frames",
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

/// The time of one contestant of a case.
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

/// Gives the contestants of every case, once they were seen to do their work.
pub fn each(mut measure: impl FnMut(Case, &mut Vec<Contestant>, &Delivery)) -> Result<(), Box<dyn Error>> {
    for framework in [Framework::Axum, Framework::Actix] {
        for contest in [Contest::GitHub, Contest::StandardWebhooks] {
            let signer = contest.signer()?;
            for handler in [Handler::TakesBytes, Handler::DropsFrames] {
                let setting = Setting { contest, handler, body_limit: 1 << 20 };
                let mut contestants = framework.contestants(setting)?;
                for size in SIZES {
                    for chunks in CHUNKS.into_iter().filter(|&chunks| chunks <= size.max(1)) {
                        // Signed anew for each case: the timestamp has to be within the tolerance.
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
