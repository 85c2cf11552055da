//! Who may use the page.

use serde_json::json;

use super::{
    http::{Answer, request},
    listening::Listening,
    service::Service,
};

fn get(listening: &Listening, path: &str, headers: &[(&str, &str)]) -> Answer {
    let token = ("X-Countersign-Token", &*listening.token);
    let headers: Vec<(&str, &str)> = [token].into_iter().chain(headers.iter().copied()).collect();
    request(listening.page, &format!("GET {path}"), &headers, b"")
}

#[test]
fn a_request_for_another_host_is_refused() {
    let listening = Listening::start([""; 0]);
    let port = listening.page.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
        for path in ["/", "/main.js", "/api/deliveries"] {
            assert_eq!(get(&listening, path, &[("Host", &host)]).status, 200, "{host} {path}");
        }
    }
    let others = ["", "127.0.0.1", "localhost", "localhost:1", "evil.example"].map(str::to_owned);
    let rebound = [format!("evil.example:{port}"), format!("localhost.evil.example:{port}")];
    for host in others.into_iter().chain(rebound) {
        for path in ["/", "/main.js", "/api/deliveries", "/api/changes"] {
            assert_eq!(get(&listening, path, &[("Host", &host)]).status, 421, "{host} {path}");
        }
    }
    let twice = format!("127.0.0.1:{port}");
    let answer = get(&listening, "/", &[("Host", &twice), ("Host", "evil.example")]);
    assert!(matches!(answer.status, 400 | 421), "{answer:?}");
}

#[test]
fn everything_but_the_files_needs_the_token() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    listening.deliver("/", b"{}");
    let requests = [
        "GET /api/settings",
        "GET /api/deliveries",
        "GET /api/deliveries/1",
        "GET /api/deliveries/1/body",
        "GET /api/deliveries/1/curl",
        "GET /api/search?words=a",
        "POST /api/replay",
        "POST /api/resign",
    ];
    let almost = listening.token.replace(|char: char| char.is_ascii_digit(), "f");
    let body = json!({ "ids": [1], "after": 1, "sender": "github" }).to_string();
    for line in requests {
        let ask = |tokens: &[&str]| {
            let mut headers: Vec<(&str, &str)> = vec![("Content-Type", "application/json")];
            headers.extend(tokens.iter().map(|token| ("X-Countersign-Token", *token)));
            request(listening.page, line, &headers, body.as_bytes()).status
        };
        let token = &*listening.token;
        for wrong in [&[][..], &[""], &[&almost], &[&token[1..]], &[token, token]] {
            assert_eq!(ask(wrong), 401, "{line} {wrong:?}");
        }
        assert_eq!(service.got().len(), 1, "nothing is sent by {line}");
    }
    for line in requests {
        let headers = [("Content-Type", "application/json"), ("X-Countersign-Token", &*listening.token)];
        assert_eq!(request(listening.page, line, &headers, body.as_bytes()).status, 200, "{line}");
    }
    assert_eq!(service.got().len(), 3, "it is sent by replay and resign");
}

#[test]
fn another_sites_page_gets_nothing_even_with_the_token() {
    let listening = Listening::start([""; 0]);
    listening.deliver("/", b"{}");
    let own = format!("http://{}", listening.page);
    for path in ["/api/deliveries", "/api/deliveries/1/body"] {
        for allowed in [("Sec-Fetch-Site", "same-origin"), ("Origin", &*own)] {
            let answer = get(&listening, path, &[allowed]);
            assert_eq!(answer.status, 200, "{path} {allowed:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    for path in ["/api/deliveries", "/api/deliveries/1/body", "/api/changes"] {
        for foreign in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Sec-Fetch-Site", "none"),
            ("Origin", "http://evil.example"),
            ("Origin", "http://localhost"),
            ("Origin", "null"),
        ] {
            assert_eq!(get(&listening, path, &[foreign]).status, 403, "{path} {foreign:?}");
        }
    }
}

#[test]
fn the_browser_may_run_and_load_nothing_but_the_pages_own_files() {
    let listening = Listening::start([""; 0]);
    listening.deliver("/", b"<script>");
    for path in ["/", "/main.js", "/style.css", "/nothing", "/api/deliveries", "/api/deliveries/1/body"] {
        let answer = get(&listening, path, &[]);
        assert_eq!(
            answer.header("content-security-policy"),
            Some(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; \
                 base-uri 'none'; form-action 'none'"
            ),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let body = get(&listening, "/api/deliveries/1/body", &[]);
    assert_eq!(body.header("content-type"), Some("application/octet-stream"));
    assert_eq!(body.header("content-disposition"), Some("attachment"));
    // Its own files load nothing from elsewhere, and run nothing inline.
    let page = String::from_utf8(get(&listening, "/", &[]).body).unwrap();
    assert!(!page.contains("//") && !page.contains("style=") && !page.contains(" on"), "{page}");
}

#[test]
fn the_page_is_on_this_machine_alone_and_the_receiver_unless_told() {
    let run = |arguments: &[&str]| {
        let program =
            crate::program::Program::new(["listen", "--sender", "github", "--secret-env", "SECRET"]);
        program.args(arguments.iter().copied()).env("SECRET", crate::named::SECRET).run()
    };
    let page = run(&["--page", "0.0.0.0:0", "--beyond-loopback"]);
    assert_eq!(page.status, 2, "{page:?}");
    assert!(
        page.stderr.starts_with("error: the page shows every delivery, so 0.0.0.0:0 must be"),
        "{page:?}"
    );
    let receiver = run(&["--address", "[::]:0"]);
    assert_eq!(receiver.status, 2, "{receiver:?}");
    assert!(receiver.stderr.ends_with("if that is wanted, give --beyond-loopback\n"), "{receiver:?}");
}
