use std::{
    fmt::Arguments,
    io::{self, BufWriter, ErrorKind, Stdout, Write},
};

use anstream::AutoStream;

use crate::failure::Failure;

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

    /// Writes a value as JSON, on several lines.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        writeln!(self, "{value:#}")
    }

    /// Writes what is still buffered.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.attempt(Write::flush)
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
