use std::{iter::Peekable, str::Chars};

/// Splits a command line into words, as bash does.
///
/// Browsers write words in `$'…'`, which are not in POSIX, so these are rewritten for `shlex`, which does the rest.
pub(super) fn words(command: &str) -> Result<Vec<String>, String> {
    let mut posix = String::with_capacity(command.len());
    let mut chars = command.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('$', Some('\'')) => {
                chars.next();
                let text = unescaped(&mut chars)?;
                posix.push_str(&shlex::try_quote(&text).map_err(|error| error.to_string())?);
            }
            // A line that is continued, of which `shlex` would make an empty word.
            ('\\', Some('\n' | '\r')) => {
                chars.next_if_eq(&'\r');
                chars.next_if_eq(&'\n');
            }
            ('\\', _) => posix.extend([char].into_iter().chain(chars.next())),
            ('\'' | '"', _) => copy_quoted(char, &mut chars, &mut posix),
            _ => posix.push(char),
        }
    }
    shlex::split(&posix).ok_or_else(|| "the command has a quotation mark that nothing closes".to_owned())
}

/// Copies the rest of a text in quotation marks. If nothing closes it, `shlex` says so.
fn copy_quoted(mark: char, chars: &mut Peekable<Chars<'_>>, copy: &mut String) {
    copy.push(mark);
    while let Some(char) = chars.next() {
        copy.push(char);
        if char == mark {
            return;
        }
        if char == '\\' && mark == '"' {
            copy.extend(chars.next());
        }
    }
}

/// The rest of a text in `$'…'`, with the escapes that browsers write.
fn unescaped(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        let char = match chars.next() {
            None => return Err("the command has a $' that nothing closes".to_owned()),
            Some('\'') => return Ok(text),
            Some('\\') => chars.next().unwrap_or_default(),
            Some(char) => {
                text.push(char);
                continue;
            }
        };
        text.push(match char {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\'' | '"' | '\\' | '?' => char,
            'x' => hex(chars, 2).filter(char::is_ascii).ok_or_else(|| unknown(char))?,
            'u' => hex(chars, 4).ok_or_else(|| unknown(char))?,
            'U' => hex(chars, 8).ok_or_else(|| unknown(char))?,
            _ => return Err(unknown(char)),
        });
    }
}

/// A character by its number, of at most so many digits.
fn hex(chars: &mut Peekable<Chars<'_>>, most: usize) -> Option<char> {
    let mut digits = String::new();
    while digits.len() < most
        && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
    {
        digits.push(digit);
    }
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).filter(|char| *char != '\0')
}

fn unknown(escape: char) -> String {
    format!(
        "the command has \\{escape} in $'…', which is not read: write the body to a file, and give it with --body"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_those_of_bash() {
        for command in [
            "curl  'a b' \"c $HOME\\\"\" d\\ e ''",
            "curl $'it\\'s\\n\\r\\t\\u0021\\x41\\\\' \\\n  -H 'costs 5$' -d '{\"a\":\"\\\n\"}'",
            "curl -d $'{\"note\":\"caf\\u00e9\\U0001F600\"}' \"$'x'\" a$'b'c",
            "cu\\\nrl '\\' \"\\\\\" $'\\\\' '$' '\n\r\n'",
        ] {
            let script = format!("HOME=home; printf '%s\\0' {}", command.replace("$HOME", "\\$HOME"));
            let shown = Command::new("bash")
                .args(["--norc", "-c", &script])
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            let shown = String::from_utf8(shown.stdout).unwrap();
            let expected: Vec<&str> = shown.split_terminator('\0').collect();
            assert_eq!(words(command).unwrap(), expected, "{command}");
        }
    }

    #[test]
    fn what_is_not_read_is_an_error() {
        for (command, part) in [
            ("curl 'a", "nothing closes"),
            ("curl \"a\\\"", "nothing closes"),
            ("curl $'a", "nothing closes"),
            ("curl $'a\\", "is not read"),
            ("curl $'\\c'", "\\c in $'…'"),
            ("curl $'\\xff'", "\\x in $'…'"),
            ("curl $'\\ud800'", "\\u in $'…'"),
            ("curl $'\\u'", "\\u in $'…'"),
        ] {
            let error = words(command).unwrap_err();
            assert!(error.contains(part), "{command}: {error}");
        }
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(given in prop::collection::vec("[^\0]{0,12}", 1..6)) {
            let command = shlex::try_join(given.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(words(&command).unwrap(), given);
        }

        #[test]
        fn no_command_panics(command in "([$'\"\\\\ux0-9a-f \n\r]|.){0,40}") {
            let _ = words(&command);
        }
    }
}
