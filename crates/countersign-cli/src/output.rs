use std::{
    fmt::Arguments,
    io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write},
};

use anstream::AutoStream;
use serde_json::Value;

use crate::{
    escaped::{Escaped, is_shown},
    failure::Failure,
};

/// The standard output: coloured on a terminal only, and quiet once nobody reads it.
///
/// If the reader goes away, as `head` does, what follows is dropped, and the exit status stays that of the work.
pub(crate) struct Output {
    stream: BufWriter<AutoStream<Stdout>>,
    is_closed: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self { stream: BufWriter::new(AutoStream::auto(io::stdout())), is_closed: false }
    }

    /// Writes text, so that `write!` and `writeln!` work. Pass everything that came from outside through
    /// [`Escaped`](crate::escaped::Escaped).
    pub(crate) fn write_fmt(&mut self, text: Arguments<'_>) -> Result<(), Failure> {
        self.attempt(|stream| stream.write_fmt(text))
    }

    /// Writes a value as JSON, on several lines. What acts on a terminal is escaped.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Failure> {
        let mut text = String::new();
        for char in format!("{value:#}").chars() {
            if char == '\n' || is_shown(char) {
                text.push(char);
            } else {
                // Outside of its strings, JSON has no such character.
                let mut units = [0; 2];
                char.encode_utf16(&mut units)
                    .iter()
                    .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
        }
        writeln!(self, "{text}")
    }

    /// Writes bytes for another program. A terminal shows them escaped.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if io::stdout().is_terminal() {
            return writeln!(self, "{}", Escaped::lines(bytes));
        }
        // The coloured stream would drop escape sequences.
        self.attempt(|stream| stream.flush().and_then(|()| io::stdout().write_all(bytes)))
    }

    /// Writes what is still buffered.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.attempt(|stream| stream.flush().and_then(|()| io::stdout().flush()))
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut BufWriter<AutoStream<Stdout>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        match write(&mut self.stream) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            result => result.map_err(|error| Failure::new(format_args!("cannot write the output: {error}"))),
        }
    }
}
