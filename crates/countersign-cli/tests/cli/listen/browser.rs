//! The page in a real browser.

use axum::response::Response;
use test_servers::{Chromium, Tab};

use super::{
    hostile::{HOSTILE, json, large_json},
    listening::Listening,
    service::Service,
};

/// The page, on which the newest of `count` deliveries is listed.
fn open(browser: &Chromium, listening: &Listening, count: usize) -> Tab {
    let mut tab = browser.open(&listening.url());
    tab.wait_until(&rows(count));
    tab
}

fn rows(count: usize) -> String {
    format!("document.querySelectorAll('#list .row').length === {count}")
}

fn heading(target: &str) -> String {
    format!("document.querySelector('#detail h2')?.textContent === 'POST {target}'")
}

fn shows(text: &str) -> String {
    format!("!!document.body?.innerText.includes({})", serde_json::json!(text))
}

#[test]
fn a_hostile_delivery_is_shown_in_every_view_and_nothing_of_it_runs() {
    let Some(browser) = Chromium::find() else { return };
    // The same bytes as a page do run, so this test can fail.
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, format!("<!DOCTYPE html><title>page</title><pre>{HOSTILE}")).unwrap();
    browser.open(&format!("file://{}", page.display())).wait_until("document.title === 'EXECUTED'");

    let service = Service::answering(|_| {
        Response::builder().status(500).header("x-html", "<script>1</script>").body(HOSTILE.into()).unwrap()
    });
    let listening = Listening::forwarding(&service.url(""));
    let header = "<img src=x onerror=document.title='EXECUTED'>";
    for body in [json().as_bytes(), HOSTILE.as_bytes(), &[b"\xff\xfe<script>", HOSTILE.as_bytes()].concat()] {
        listening.deliver_with("/?<script>document.title='EXECUTED'</script>", &[("X-Html", header)], body);
        listening.deliver_with("/?q=javascript:1", &[("X-Html", header), ("X-Bytes", "\u{e9}")], body);
        listening.forge("/", &[("X-Html", header)], body);
    }
    let count = listening.list().len();
    assert!(count >= 6, "{count}");
    let mut tab = open(&browser, &listening, count);
    for id in (1..=count).rev() {
        tab.press("j");
        tab.wait_until(&format!(
            "!!document.querySelector('#detail .facts')?.textContent.startsWith('#{id},')"
        ));
        for (kind, part) in [("1", ".tree, .text pre"), ("2", ".text:not(.hex) pre"), ("3", ".hex pre")] {
            tab.press(kind);
            tab.wait_until(&format!("!!document.querySelector('#detail .body :is({part})')"));
            tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true");
            let body = tab.evaluate("document.querySelector('#detail .body').textContent");
            assert!(kind == "3" || body.as_str().unwrap().contains("document.title="), "{kind}: {body}");
            let text = tab.evaluate("document.body.textContent");
            assert!(!text.as_str().unwrap().contains(['\u{1b}', '\u{202e}']), "{text}");
        }
        tab.press("e");
        tab.wait_until("document.getElementById('edit').open");
        tab.evaluate("document.getElementById('edit').close()");
        // The browser takes a moment to give the focus back.
        tab.wait_until("document.activeElement === document.body");
    }
    tab.evaluate("document.getElementById('search').value = \"<script>document.title='EXECUTED'</script>\"");
    tab.evaluate("document.getElementById('search').dispatchEvent(new Event('input'))");
    assert_eq!(tab.evaluate("document.title"), "countersign listen");
    assert_eq!(tab.evaluate("document.querySelectorAll('#list script, #list img, #detail script, #detail img, #detail svg, #detail a').length"), 0);
    assert_eq!(tab.evaluate("({}).polluted"), serde_json::Value::Null);
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn a_body_of_10_mb_does_not_freeze_the_page() {
    let Some(browser) = Chromium::find() else { return };
    let listening = Listening::start([""; 0]);
    let json = large_json();
    assert!(json.len() > 9_900_000, "{}", json.len());
    listening.deliver("/json", json.as_bytes());
    listening.deliver("/text", &vec![b'x'; 10_000_000]);
    listening.deliver("/bytes", &vec![0xff; 10_000_000]);
    let deep = [vec![b'['; 5_000_000], vec![b']'; 5_000_000]].concat();
    listening.deliver("/deep", &deep);
    let mut tab = open(&browser, &listening, 4);
    // How long the page did not answer, at most.
    tab.evaluate(
        "window.longest = 0; let last = performance.now(); \
         setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 20)",
    );
    for target in ["/deep", "/bytes", "/text", "/json"] {
        tab.press("j");
        tab.wait_until(&heading(target));
        for kind in ["1", "2", "3"] {
            tab.press(kind);
            tab.wait_until("!!document.querySelector('#detail .body .content')?.firstChild");
            let more =
                "[...document.querySelectorAll('#detail .content button')].find((button) => !button.hidden)";
            tab.wait_until(&format!("!({more})?.disabled"));
            tab.evaluate(&format!("({more})?.click()"));
            tab.wait_until(&format!("!({more})?.disabled"));
        }
        if target == "/deep" {
            tab.press("1");
            tab.wait_until(&shows("No JSON that can be shown as a tree."));
        }
        // What is in the page is a small part of the body.
        let length = tab.evaluate("document.body.textContent.length").as_f64().unwrap();
        assert!(length < 1_000_000.0, "{length}");
    }
    tab.press("1");
    tab.wait_until("document.querySelectorAll('.tree details').length >= 100");
    let longest = tab.evaluate("longest").as_f64().unwrap();
    assert!(longest < 10_000.0, "it did not answer for {longest} ms");
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn the_list_is_live_and_filtered_and_searched() {
    let Some(browser) = Chromium::find() else { return };
    let service = Service::answering(|got| {
        Response::builder().status(if got.body == "fail" { 503 } else { 200 }).body("".into()).unwrap()
    });
    let listening = Listening::forwarding(&service.url(""));
    let mut tab = open(&browser, &listening, 0);
    tab.wait_until(&shows("Waiting for a delivery"));
    listening.deliver("/orders", b"{}");
    tab.wait_until(&rows(1));
    tab.wait_until(&shows("200 in "));
    listening.deliver("/refunds", b"fail");
    listening.forge("/orders", &[], b"{}");
    tab.wait_until(&rows(3));
    tab.wait_until(&shows("signature_mismatch"));
    for (filter, count) in [("verified", 2), ("rejected", 1), ("failed", 1), ("all", 3)] {
        tab.evaluate(&format!("document.querySelector('[data-filter={filter}]').click()"));
        tab.wait_until(&rows(count));
    }
    tab.press("/");
    for key in ["o", "r", "d", "e", "r", "s", " ", "v", "e", "r"] {
        tab.press(key);
    }
    tab.wait_until(&rows(1));
    tab.wait_until(&shows("1 of 3"));
    // Headers and bodies as well.
    for (words, target) in [("fail refund", "/refunds"), ("SHA256=0000000000", "/orders")] {
        tab.evaluate(&format!("document.getElementById('search').value = '{words}'"));
        tab.evaluate("document.getElementById('search').dispatchEvent(new Event('input'))");
        let only = "document.querySelectorAll('#list .row').length === 1 && document.querySelector('#list .target').textContent";
        tab.wait_until(&format!("{only} === 'POST {target}'"));
    }
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn keys_open_replay_and_copy_a_delivery() {
    let Some(browser) = Chromium::find() else { return };
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url(""));
    listening.deliver("/first", b"{\"a\":1}");
    listening.deliver("/second", b"{\"a\":2}");
    let mut tab = open(&browser, &listening, 2);
    tab.press("j");
    tab.wait_until(&heading("/second"));
    tab.press("j");
    tab.wait_until(&heading("/first"));
    tab.press("r");
    tab.wait_until(&shows("The service answered 200"));
    tab.wait_until(&shows("Replayed: 200 in "));
    assert_eq!(
        service.got().iter().map(|got| &*got.target).collect::<Vec<_>>(),
        ["/first", "/second", "/first"]
    );
    tab.press("c");
    tab.wait_until(&shows("Copied as curl"));
    let copied = tab.evaluate("navigator.clipboard.readText()");
    assert!(copied.as_str().unwrap().starts_with("curl --request POST --header "), "{copied}");
    // All that are shown, once that is confirmed.
    tab.press("R");
    tab.wait_until(&shows("Replay 2 deliveries?"));
    assert_eq!(service.got().len(), 3);
    tab.evaluate("document.querySelector('#confirm .primary').click()");
    tab.wait_until(&shows("2 of 2 were answered with a 2xx"));
    assert_eq!(service.got().len(), 5);
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn a_delivery_is_edited_and_re_signed_on_the_page() {
    let Some(browser) = Chromium::find() else { return };
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url(""));
    listening.forge("/hook", &[("X-Github-Event", "push")], b"{\"a\":1}");
    let mut tab = open(&browser, &listening, 1);
    tab.press("j");
    tab.wait_until(&shows("Rejected: signature_mismatch"));
    tab.press("e");
    tab.wait_until("document.getElementById('edit-body').value === '{\"a\":1}'");
    tab.evaluate("document.getElementById('edit-body').value = '{\"a\":2}'");
    tab.evaluate("document.querySelector('#edit .primary').click()");
    tab.wait_until(&shows("Signed and sent: the answer is 200"));
    tab.wait_until(&rows(2));
    assert_eq!(service.got()[0].body, "{\"a\":2}");
    assert_eq!(service.got()[0].headers["x-github-event"], "push");
    tab.wait_until(&shows("re-signed from #1"));
    tab.press("k");
    tab.wait_until(&shows("not kept and not shown, because it is a secret or was made here"));
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn the_page_follows_the_users_colours_and_fits_on_a_phone() {
    let Some(browser) = Chromium::find() else { return };
    let listening = Listening::start([""; 0]);
    let wide = format!("/{}", "wide".repeat(200));
    listening.forge(&wide, &[("X-Wide", &"w".repeat(3000))], "{\"a\": \"wide\"}".as_bytes());
    listening.line_with("#1 ");
    let mut tab = open(&browser, &listening, 1);
    let brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)";
    for (is_dark, range) in [(false, 600..766), (true, 0..150)] {
        tab.look(390, 844, is_dark);
        let found = tab.evaluate(brightness).as_i64().unwrap();
        assert!(range.contains(&found), "{found}");
        let is_seen = |id: &str| format!("document.getElementById('{id}').getClientRects().length > 0");
        // The list or the delivery, and neither is wider than the window.
        assert_eq!(tab.evaluate(&format!("{} && !({})", is_seen("list"), is_seen("detail"))), true);
        tab.press("j");
        tab.wait_until(&shows("Rejected: signature_mismatch"));
        assert_eq!(tab.evaluate(&format!("!({}) && {}", is_seen("list"), is_seen("detail"))), true);
        assert_eq!(tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
        assert_eq!(tab.evaluate("document.getElementById('detail').scrollWidth <= innerWidth"), true);
        tab.press("Escape");
        assert_eq!(tab.evaluate("document.getElementById('overview').scrollWidth <= innerWidth"), true);
    }
}

#[test]
fn without_the_token_the_page_says_where_it_is() {
    let Some(browser) = Chromium::find() else { return };
    let listening = Listening::start([""; 0]);
    listening.deliver("/", b"{}");
    let mut tab = browser.open(&format!("http://{}/", listening.page));
    tab.wait_until(&shows("Open the address that the terminal shows"));
    assert_eq!(tab.evaluate("document.querySelectorAll('.row').length"), 0);
}
