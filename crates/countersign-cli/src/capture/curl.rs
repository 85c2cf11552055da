use clap::Parser;

use super::{Captured, shell, target};

/// The options of curl that matter to a delivery, and those that can be ignored. Any other is an error.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
struct Curl {
    #[arg(short = 'X', long, overrides_with = "request")]
    request: Option<String>,
    #[arg(short = 'H', long, allow_hyphen_values = true)]
    header: Vec<String>,
    #[arg(short, long, alias = "data-ascii", allow_hyphen_values = true, group = "body")]
    data: Vec<String>,
    #[arg(long, allow_hyphen_values = true, group = "body")]
    data_raw: Vec<String>,
    #[arg(long, allow_hyphen_values = true, group = "body")]
    data_binary: Vec<String>,
    #[arg(long, allow_hyphen_values = true, group = "body")]
    json: Vec<String>,
    #[arg(long)]
    url: Option<String>,
    address: Option<String>,
    #[command(flatten)]
    ignored: Ignored,
}

/// They change nothing of what is signed.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are read to be ignored")]
struct Ignored {
    #[arg(short, long)]
    silent: bool,
    #[arg(short = 'S', long)]
    show_error: bool,
    #[arg(short, long)]
    include: bool,
    #[arg(short, long)]
    verbose: bool,
    #[arg(short = 'k', long)]
    insecure: bool,
    #[arg(short = 'L', long)]
    location: bool,
    #[arg(short, long)]
    fail: bool,
    #[arg(long)]
    compressed: bool,
    #[arg(long = "http1.1")]
    http1: bool,
    #[arg(long)]
    http2: bool,
    #[arg(short = 'A', long)]
    user_agent: Option<String>,
    #[arg(short = 'b', long)]
    cookie: Option<String>,
    #[arg(short = 'e', long)]
    referer: Option<String>,
    #[arg(short, long)]
    output: Option<String>,
    #[arg(short = 'm', long)]
    max_time: Option<String>,
    #[arg(long)]
    connect_timeout: Option<String>,
}

/// Reads a command line of curl, as a POSIX shell would. Nothing is run, and no file that it names is read.
pub(super) fn parse(bytes: &[u8]) -> Result<Captured, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the command is not UTF-8")?;
    let words = shell::words(text)?;
    let words = words.strip_prefix(&["curl".to_owned()]).ok_or("the command does not begin with curl")?;
    let curl = Curl::try_parse_from(words).map_err(|error| {
        // The first line says what is wrong.
        let message = error.to_string();
        message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })?;
    let address = curl.url.as_ref().or(curl.address.as_ref()).ok_or("the command has no address")?;
    let (body, note) = curl.body();
    let method =
        curl.request.clone().unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    Ok(Captured {
        entry: 1,
        method,
        target: target(address)?,
        headers: curl.headers()?,
        body: body.unwrap_or_default().into_bytes(),
        at: None,
        note,
    })
}

impl Curl {
    /// As curl joins it, and what it lacks.
    fn body(&self) -> (Option<String>, Option<&'static str>) {
        let is_file = |values: &Vec<String>| values.iter().any(|value| value.starts_with('@'));
        let note = [&self.data, &self.data_binary, &self.json]
            .into_iter()
            .any(is_file)
            .then_some("the command takes the body from a file, which was not read: give it with --body");
        let join = |values: &[String], joint: &str| (!values.is_empty()).then(|| values.join(joint));
        let body = join(&self.data, "&")
            .or_else(|| join(&self.data_raw, "&"))
            .or_else(|| join(&self.data_binary, "&"))
            .or_else(|| join(&self.json, ""));
        (if note.is_some() { Some(String::new()) } else { body }, note)
    }

    fn headers(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut headers = Vec::new();
        for header in &self.header {
            let (name, value) = match (header.split_once(':'), header.strip_suffix(';')) {
                (Some((name, value)), _) => (name.trim(), value.trim()),
                (None, Some(name)) => (name.trim(), ""),
                (None, None) => return Err("the command has a header without a colon".to_owned()),
            };
            // curl leaves out a header that ends with its colon.
            if !(value.is_empty() && header.contains(':')) {
                headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(command: &str) -> Captured {
        parse(command.as_bytes()).unwrap()
    }

    #[test]
    fn method_address_headers_and_body_are_read_in_each_spelling() {
        let plain = parsed("curl -X PUT -H 'A: b' -d '{}' http://localhost/x?y=1\n");
        assert_eq!((&*plain.method, &*plain.target, &*plain.body), ("PUT", "/x?y=1", &b"{}"[..]));
        assert_eq!(plain.headers, [("A".to_owned(), b"b".to_vec())]);
        for command in [
            "curl --request=PUT --header 'A: b' --data-raw '{}' --url 'http://localhost/x?y=1'",
            "curl 'http://localhost/x?y=1' \\\n  -XPUT \\\n  -H 'A:b' \\\n  --data-binary \"{}\" --compressed -sS",
        ] {
            assert_eq!(parsed(command), plain, "{command}");
        }
        let browser = "curl 'http://x/' -H $'a: it\\'s' --data-raw $'{\\r\\n\"a\":\\u0021}'";
        assert_eq!(
            (&*parsed(browser).body, &*parsed(browser).headers[0].1),
            (&b"{\r\n\"a\":!}"[..], &b"it's"[..])
        );
        assert_eq!(parsed("curl -d a=1 -d b=2 http://x").body, b"a=1&b=2");
        assert_eq!(
            (&*parsed("curl -d '' http://x").method, &*parsed("curl http://x").method),
            ("POST", "GET")
        );
    }

    #[test]
    fn an_empty_header_is_written_with_a_semicolon() {
        let headers = parsed("curl -H 'A;' -H 'B:' -H 'A: 1' http://x").headers;
        assert_eq!(headers, [("A".to_owned(), b"".to_vec()), ("A".to_owned(), b"1".to_vec())]);
    }

    #[test]
    fn no_file_is_read_and_nothing_is_run() {
        for command in ["curl -d @/etc/hostname http://x", "curl --data-binary @- http://x"] {
            let captured = parsed(command);
            assert_eq!((&*captured.body, captured.note.is_some()), (&b""[..], true), "{command}");
        }
        assert_eq!(parsed("curl --data-raw '@a' -H 'A: $(id)' http://x").body, b"@a");
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_names_it() {
        for (command, part) in [
            ("curl 'http://x", "nothing closes"),
            ("wget http://x", "does not begin with curl"),
            ("curl -H 'A: b'", "no address"),
            ("curl -H Ab http://x", "without a colon"),
            ("curl --upload-file a http://x", "--upload-file"),
            ("curl -d a --data-raw b http://x", "cannot be used"),
            ("curl --data-raw $'\\cA' http://x", "give it with --body"),
            ("curl 'http://x y'", "not a URL"),
        ] {
            let error = parse(command.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{command}: {error}");
        }
    }
}
