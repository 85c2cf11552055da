use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use countersign::Identity;
use tokio::{
    task::{JoinSet, yield_now},
    time::sleep,
};

use super::{
    attempt::{Attempt, Bench, LONG, SHORT, Verdict},
    rule::Rule,
};
use crate::{ClaimAnswer, Fence, Store};

const MANY: usize = 64;
const ROUNDS: usize = 4;
/// After how many polls the rules drop a call at the latest.
const POLLS: usize = 12;

pub(super) async fn check<S: Store>(rule: Rule, bench: Bench<S>) -> Verdict {
    match rule {
        Rule::Finishes => finishes(&bench).await,
        Rule::HeldIsInProgress => held_is_in_progress(&bench).await,
        Rule::CompletedIsDone => completed_is_done(&bench).await,
        Rule::ReleasedIsClaimable => released_is_claimable(&bench).await,
        Rule::DoneIsNotReleased => done_is_not_released(&bench).await,
        Rule::ExpiredIsClaimable => expired_is_claimable(&bench).await,
        Rule::StaleCannotComplete => stale_cannot_complete(&bench).await,
        Rule::StaleCannotRelease => stale_cannot_release(&bench).await,
        Rule::StaleCannotExtend => stale_cannot_extend(&bench).await,
        Rule::DoneIsFenced => done_is_fenced(&bench).await,
        Rule::StrangerIsFenced => stranger_is_fenced(&bench).await,
        Rule::LateCompletionCounts => late_completion_counts(&bench).await,
        Rule::CompletionRepeats => completion_repeats(&bench).await,
        Rule::ExtendedIsHeld => extended_is_held(&bench).await,
        Rule::KeepTimeEnds => keep_time_ends(&bench).await,
        Rule::OneOfMany => one_of_many(&bench).await,
        Rule::OneTakesOver => one_takes_over(&bench).await,
        Rule::IdentitiesAreApart => identities_are_apart(&bench).await,
        Rule::EveryDurationFits => every_duration_fits(&bench).await,
        Rule::DroppedCallsAreHarmless => dropped_calls_are_harmless(&bench).await,
    }
}

async fn finishes<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    first.extends(LONG, Fence::Passed).await?;
    first.releases(Fence::Passed).await
}

async fn held_is_in_progress<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    bench.second(&first).finds_it_in_progress().await?;
    first.finds_it_in_progress().await
}

async fn completed_is_done<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    first.completes(LONG, Fence::Passed).await?;
    bench.second(&first).is_done().await?;
    // Once more: asking must not change the answer.
    bench.second(&first).is_done().await
}

async fn released_is_claimable<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    first.releases(Fence::Passed).await?;
    bench.second(&first).is_granted(LONG).await
}

async fn done_is_not_released<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    first.completes(LONG, Fence::Passed).await?;
    first.releases(Fence::Lost).await?;
    first.extends(LONG, Fence::Lost).await?;
    first.is_done().await?;
    bench.second(&first).is_done().await
}

async fn expired_is_claimable<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    let began = Instant::now();
    first.is_granted(SHORT).await?;
    bench.second(&first).is_granted_after_short(began, LONG, in_progress).await
}

async fn stale_cannot_complete<S: Store>(bench: &Bench<S>) -> Verdict {
    let (stale, holder) = taken_over(bench).await?;
    stale.completes(LONG, Fence::Lost).await?;
    bench.second(&stale).finds_it_in_progress().await?;
    holder.completes(LONG, Fence::Passed).await
}

async fn stale_cannot_release<S: Store>(bench: &Bench<S>) -> Verdict {
    let (stale, holder) = taken_over(bench).await?;
    stale.releases(Fence::Lost).await?;
    bench.second(&stale).finds_it_in_progress().await?;
    holder.releases(Fence::Passed).await
}

async fn stale_cannot_extend<S: Store>(bench: &Bench<S>) -> Verdict {
    let (stale, holder) = taken_over(bench).await?;
    stale.extends(LONG, Fence::Lost).await?;
    holder.extends(LONG, Fence::Passed).await
}

async fn done_is_fenced<S: Store>(bench: &Bench<S>) -> Verdict {
    let (stale, holder) = taken_over(bench).await?;
    holder.completes(LONG, Fence::Passed).await?;
    stale.completes(SHORT, Fence::Lost).await?;
    stale.extends(SHORT, Fence::Lost).await?;
    stale.releases(Fence::Lost).await?;
    bench.second(&stale).is_done().await?;
    // The stale completion must not have shortened the keep time.
    sleep(SHORT.saturating_add(SHORT)).await;
    bench.second(&stale).is_done().await
}

async fn stranger_is_fenced<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    let stranger = bench.attempt("a stranger", *first.claim.identity());
    first.is_granted(LONG).await?;
    stranger.releases(Fence::Lost).await?;
    stranger.extends(LONG, Fence::Lost).await?;
    stranger.completes(LONG, Fence::Lost).await?;
    bench.second(&first).finds_it_in_progress().await?;
    first.completes(LONG, Fence::Passed).await
}

async fn late_completion_counts<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(SHORT).await?;
    sleep(SHORT.saturating_add(SHORT)).await;
    first.completes(LONG, Fence::Passed).await?;
    bench.second(&first).is_done().await
}

async fn completion_repeats<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    first.completes(LONG, Fence::Passed).await?;
    first.completes(LONG, Fence::Passed).await?;
    bench.second(&first).is_done().await
}

async fn extended_is_held<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(SHORT).await?;
    first.extends(LONG, Fence::Passed).await?;
    sleep(SHORT.saturating_add(SHORT)).await;
    bench.second(&first).finds_it_in_progress().await
}

async fn keep_time_ends<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    let began = Instant::now();
    first.completes(SHORT, Fence::Passed).await?;
    let done = |answer: &ClaimAnswer| *answer == ClaimAnswer::Done;
    bench.second(&first).is_granted_after_short(began, LONG, done).await
}

async fn one_of_many<S: Store>(bench: &Bench<S>) -> Verdict {
    for _ in 0..ROUNDS {
        exactly_one_is_granted(bench, bench.identity()).await?;
    }
    Ok(())
}

async fn one_takes_over<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(SHORT).await?;
    sleep(SHORT.saturating_add(SHORT)).await;
    exactly_one_is_granted(bench, *first.claim.identity()).await
}

async fn exactly_one_is_granted<S: Store>(bench: &Bench<S>, identity: Identity) -> Verdict {
    let mut claims = JoinSet::new();
    for _ in 0..MANY {
        let attempt = bench.attempt("one of many", identity);
        claims.spawn(async move { attempt.claim(LONG).await });
    }
    let mut granted: usize = 0;
    while let Some(answer) = claims.join_next().await {
        match answer.map_err(|panic| panic.to_string())?? {
            ClaimAnswer::Granted => granted = granted.saturating_add(1),
            ClaimAnswer::InProgress { .. } => {}
            ClaimAnswer::Done => return Err("one of many claims finds the identity done".to_owned()),
        }
    }
    if granted == 1 { Ok(()) } else { Err(format!("of {MANY} claims {granted} are granted")) }
}

async fn identities_are_apart<S: Store>(bench: &Bench<S>) -> Verdict {
    let first = bench.first();
    first.is_granted(LONG).await?;
    // The first bit, the last, and one that is high in a byte: text, signed bytes and cut keys each lose one.
    for (byte, bit) in [(0, 0x80), (15, 0x01), (31, 0x01), (31, 0x80)] {
        let mut bytes = *first.claim.identity().as_bytes();
        if let Some(byte) = bytes.get_mut(byte) {
            *byte ^= bit;
        }
        let other = bench.attempt("an attempt at another identity", Identity::from_bytes(bytes));
        other.is_granted(LONG).await?;
        other.completes(LONG, Fence::Passed).await?;
    }
    bench.second(&first).finds_it_in_progress().await?;
    first.releases(Fence::Passed).await
}

async fn every_duration_fits<S: Store>(bench: &Bench<S>) -> Verdict {
    // The first that does not fit 31 and 32 bits of milliseconds, and 63 bits of nanoseconds.
    let long = [Duration::from_millis(1 << 31), Duration::from_millis(1 << 32), Duration::from_secs(1 << 34)];
    for time in long.into_iter().chain([Duration::MAX]) {
        let first = bench.first();
        first.is_granted(time).await?;
        first.extends(time, Fence::Passed).await?;
        match bench.second(&first).claim(LONG).await? {
            ClaimAnswer::InProgress { .. } => {}
            answer => return Err(format!("a lease of {time:?} is over at once: {answer:?}")),
        }
        first.completes(time, Fence::Passed).await?;
        bench.second(&first).is_done().await?;
    }
    let brief = bench.first();
    brief.is_granted(Duration::ZERO).await?;
    brief.completes(Duration::ZERO, Fence::Passed).await
}

async fn dropped_calls_are_harmless<S: Store>(bench: &Bench<S>) -> Verdict {
    let mut left_behind = Vec::new();
    for polls in 0..POLLS {
        let first = bench.first();
        poll_then_drop(polls, bench.store().claim(first.claim, SHORT)).await;
        poll_then_drop(polls, bench.store().extend(first.claim, SHORT)).await;
        poll_then_drop(polls, bench.store().release(first.claim)).await;
        left_behind.push((polls, first));
    }
    for (polls, first) in left_behind {
        let second = bench.second(&first);
        // Whatever took effect, it ends when the lease does. It may also not have begun, so no grant is too early.
        let any_time = Instant::now().checked_sub(SHORT).unwrap_or_else(Instant::now);
        second.is_granted_after_short(any_time, LONG, in_progress).await?;
        poll_then_drop(polls, bench.store().complete(second.claim, LONG)).await;
        second.completes(LONG, Fence::Passed).await?;
        bench.second(&first).is_done().await?;
    }
    Ok(())
}

/// Polls a call this many times, lets everything else run in between, and drops it.
async fn poll_then_drop(polls: usize, call: impl Future) {
    let mut call = pin!(call);
    for _ in 0..polls {
        let poll = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
        if poll {
            return;
        }
        yield_now().await;
    }
}

/// An attempt whose lease ran out, and the one that took over.
async fn taken_over<S: Store>(bench: &Bench<S>) -> Result<(Attempt<S>, Attempt<S>), String> {
    let stale = bench.first();
    let began = Instant::now();
    stale.is_granted(SHORT).await?;
    let holder = bench.second(&stale);
    holder.is_granted_after_short(began, LONG, in_progress).await?;
    Ok((stale, holder))
}

fn in_progress(answer: &ClaimAnswer) -> bool {
    matches!(answer, ClaimAnswer::InProgress { .. })
}
