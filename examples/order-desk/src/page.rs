use axum::extract::State;
use maud::{DOCTYPE, Markup, html};

use crate::{Failure, Orders};

/// The most orders on the page; `order-desk list` prints all.
const SHOWN: u32 = 500;

/// The page of the latest orders. `html!` escapes all that a sender wrote.
pub(crate) async fn page(State(orders): State<Orders>) -> Result<Markup, Failure> {
    let orders = orders.latest(SHOWN).await?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Order desk" }
                style { "body { font-family: sans-serif } th, td { padding: .2em 1em; text-align: left }" }
            }
            body {
                h1 { "Order desk" }
                table {
                    thead {
                        tr { th { "Sender" } th { "Order" } th { "Last event" } th { "Changes" } th { "Updated (UTC)" } }
                    }
                    tbody {
                        @for order in &orders {
                            tr {
                                td { (order.sender) }
                                td { (order.id) }
                                td { (order.last_event) }
                                td { (order.changes) }
                                td { (order.updated_at) }
                            }
                        }
                    }
                }
                @if orders.is_empty() { p { "No orders yet." } }
            }
        }
    })
}
