use countersign_inbox::{Entry, State, Stats, Stored};
use maud::{DOCTYPE, Markup, html};

use crate::{Instant, Report, server::Chosen};

/// The most bytes of a body on a page; the whole of it can be downloaded.
const SHOWN: usize = 100_000;

pub(crate) const STYLE: &str = "
:root { color-scheme: light dark; font-family: system-ui, sans-serif }
body { margin: 1em auto; max-width: 75em; padding: 0 1em }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { padding: .3em 1em .3em 0; text-align: left; vertical-align: top }
pre { border: 1px solid gray; max-height: 60vh; overflow: auto; padding: 1em; white-space: pre-wrap; word-break: break-all }
form { display: inline-block; margin-right: 1em }
.dead { color: crimson; font-weight: bold }
";

/// `html!` escapes all that a sender wrote.
fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                link rel="stylesheet" href="/style.css";
            }
            body { h1 { (title) } (content) }
        }
    }
}

pub(crate) fn list(
    stats: &Stats,
    entries: &[Entry],
    chosen: &Chosen,
    next: Option<i64>,
    token: &str,
) -> Markup {
    page(
        "Inbox",
        &html! {
            p { (Report(stats)) }
            form {
                label { "State " select name="state" {
                    option value="" { "all" }
                    @for state in State::ALL {
                        option value=(state.as_str()) selected[state.as_str() == chosen.state] { (state.as_str()) }
                    }
                } }
                " " label { "Sender " input name="sender" value=(chosen.sender); }
                " " button { "Show" }
            }
            @if stats.dead > 0 { (button(token, None, "retry", "Retry all dead letters")) }
            table {
                thead { tr { th { "Number" } th { "Received (UTC)" } th { "State" } th { "Sender" } th { "Attempts" } th { "Failure" } } }
                tbody {
                    @for entry in entries {
                        tr {
                            td { a href={ "/deliveries/" (entry.id) } { (entry.id) } }
                            td { (Instant(entry.received_at)) }
                            td class=(entry.state.as_str()) { (entry.state.as_str()) }
                            td { (entry.sender) }
                            td { (entry.attempts) }
                            td { (entry.failure.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
            @if entries.is_empty() { p { "No deliveries." } }
            @if let Some(next) = next {
                form {
                    input type="hidden" name="state" value=(chosen.state);
                    input type="hidden" name="sender" value=(chosen.sender);
                    button name="after" value=(next) { "Later ones" }
                }
            }
        },
    )
}

pub(crate) fn show(stored: &Stored, token: &str) -> Markup {
    let Stored { entry, unsigned_headers, body, .. } = stored;
    let shown = body.get(..SHOWN).unwrap_or(body);
    page(
        &format!("Delivery {}", entry.id),
        &html! {
            p { a href="/" { "Inbox" } }
            @match entry.state {
                State::Dead => { (button(token, Some(entry.id), "retry", "Retry")) (button(token, Some(entry.id), "discard", "Discard")) }
                State::Pending => { (button(token, Some(entry.id), "retry", "Retry now")) (button(token, Some(entry.id), "discard", "Discard")) }
                State::Waiting => { (button(token, Some(entry.id), "discard", "Discard")) }
                State::Done | State::Discarded => { (button(token, Some(entry.id), "replay", "Replay")) }
                _ => {}
            }
            pre { (format!("{:#}", Report(entry).json())) }
            @if unsigned_headers.iter().next().is_some() {
                h2 { "Headers, which no signature covers" }
                table { @for (name, value) in unsigned_headers.iter() { tr { td { (name) } td { (value.escape_ascii()) } } } }
            }
            h2 { "Body" }
            p {
                (body.len()) " bytes, as signed with key " (entry.key_id) ". "
                a href={ "/deliveries/" (entry.id) "/body" } { "Download" }
                @if shown.len() < body.len() { ". The first " (shown.len()) ":" }
            }
            pre { (String::from_utf8_lossy(shown)) }
        },
    )
}

fn button(token: &str, id: Option<i64>, action: &str, label: &str) -> Markup {
    html! {
        form method="post" action="/mend" {
            input type="hidden" name="token" value=(token);
            input type="hidden" name="action" value=(action);
            @if let Some(id) = id { input type="hidden" name="id" value=(id); }
            button { (label) }
        }
    }
}
