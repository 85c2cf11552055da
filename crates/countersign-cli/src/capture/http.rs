use httparse::{Header, Request, Status, parse_chunk_size};

use super::{Captured, target};

/// Limit on the headers of a request.
const MOST_HEADERS: usize = 256;

/// Reads a raw HTTP/1 request. Its head may also be written as HTTP/2 or HTTP/3, and end its lines with a line feed alone.
///
/// The body ends where `Content-Length` says or the last chunk ends, or else with the input.
pub(super) fn parse(bytes: &[u8]) -> Result<Captured, String> {
    let bytes = as_http_1(bytes);
    let mut headers = vec![httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = Request::new(&mut headers);
    let head = match request.parse(&bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => {
            return Err("the request breaks off before the empty line that ends its head".to_owned());
        }
        Err(error) => return Err(format!("this is not an HTTP request: {error}")),
    };
    let rest = bytes.get(head..).unwrap_or_default();
    let (body, note) = body(rest, request.headers)?;
    Ok(Captured {
        entry: 1,
        method: request.method.unwrap_or_default().to_owned(),
        target: target(request.path.unwrap_or_default())?,
        headers: request
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), header.value.to_vec()))
            .collect(),
        body,
        at: None,
        note,
    })
}

/// Browsers and curl write the version of the connection, which the parser does not know.
fn as_http_1(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.trim_ascii_start();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let line = line.trim_ascii_end();
    let versions: [&[u8]; 4] = [b" HTTP/2", b" HTTP/2.0", b" HTTP/3", b" HTTP/3.0"];
    match versions.iter().find_map(|version| line.strip_suffix(*version)) {
        Some(line) => [line, b" HTTP/1.1\r", rest].concat(),
        None => bytes.to_vec(),
    }
}

/// The body, and what it lacks.
fn body(rest: &[u8], headers: &[Header<'_>]) -> Result<(Vec<u8>, Option<&'static str>), String> {
    let values = |name: &str| {
        let of_name = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        of_name.map(|header| header.value.trim_ascii()).collect::<Vec<_>>()
    };
    if values("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case(b"chunked")) {
        return unchunked(rest).map(|body| (body, None));
    }
    let [length] = *values("content-length") else {
        return match values("content-length").len() {
            0 => Ok((rest.to_vec(), None)),
            _ => Err("the request has several Content-Length headers".to_owned()),
        };
    };
    let length: Option<usize> = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    let length = length.ok_or("the request's Content-Length is not a number")?;
    Ok(match rest.split_at_checked(length) {
        Some((body, [] | b"\n" | b"\r\n")) => (body.to_vec(), None),
        Some((body, _)) => {
            (body.to_vec(), Some("the capture is longer than Content-Length: the rest was left out"))
        }
        None => (rest.to_vec(), Some("the capture has less of the body than Content-Length says")),
    })
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let Ok(Status::Complete((start, size))) = parse_chunk_size(rest) else {
            return Err("the body is announced as chunked and is not: remove Transfer-Encoding if the capture has no chunks"
                .to_owned());
        };
        if size == 0 {
            return Ok(body);
        }
        let chunk = rest.get(start..).and_then(|rest| rest.split_at_checked(usize::try_from(size).ok()?));
        let (chunk, after) = chunk.ok_or("the body breaks off within a chunk")?;
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").ok_or("a chunk of the body does not end with a line end")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_ends_where_the_head_says() {
        for (head, rest, body, is_whole) in [
            ("", "abc\n", "abc\n", true),
            ("Content-Length: 3\r\n", "abc", "abc", true),
            ("Content-Length: 3\r\n", "abc\n", "abc", true),
            ("Content-Length: 3\r\n", "abcd", "abc", false),
            ("Content-Length: 3\r\n", "ab", "ab", false),
            ("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "abc", true),
        ] {
            let captured =
                parse(format!("POST /a?b HTTP/1.1\r\nHost: x\r\n{head}\r\n{rest}").as_bytes()).unwrap();
            assert_eq!(
                (&*captured.body, captured.note.is_none()),
                (body.as_bytes(), is_whole),
                "{head}{rest}"
            );
            assert_eq!((&*captured.method, &*captured.target), ("POST", "/a?b"));
        }
    }

    #[test]
    fn the_head_may_be_written_by_a_browser_or_an_editor() {
        for head in [
            "POST / HTTP/2\n",
            "\n\nPOST / HTTP/1.1\r\n",
            "POST https://x.example/ HTTP/3\r\n",
            "POST / HTTP/2.0\r\n",
        ] {
            let captured = parse(format!("{head}A: b\n\nbody").as_bytes()).unwrap();
            assert_eq!((&*captured.target, &*captured.body), ("/", &b"body"[..]), "{head:?}");
            assert_eq!(captured.headers, [("A".to_owned(), b"b".to_vec())], "{head:?}");
        }
    }

    #[test]
    fn headers_that_were_sent_twice_stay_twice_and_bytes_stay_bytes() {
        let captured = parse(b"POST / HTTP/1.1\r\nA: \xff\r\na: 2\r\n\r\n").unwrap();
        assert_eq!(captured.headers, [("A".to_owned(), b"\xff".to_vec()), ("a".to_owned(), b"2".to_vec())]);
    }

    #[test]
    fn what_is_not_a_request_is_an_error() {
        for (text, part) in [
            ("", "breaks off before the empty line"),
            ("POST / HTTP/1.1\r\nA: b\r\n", "breaks off before the empty line"),
            ("hello\n\n", "not an HTTP request"),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "several Content-Length"),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nab", "not a number"),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}", "announced as chunked and is not"),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "within a chunk"),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                "does not end with a line end",
            ),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
