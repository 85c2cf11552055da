//! Runs the program `countersign` as a user would.

use std::{
    ffi::OsString,
    io::Write,
    process::{Command, Output, Stdio},
    thread,
};

/// A call of the program.
pub(crate) struct Program {
    command: Command,
    stdin: Vec<u8>,
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// With these arguments, an empty standard input and no variables but those of the tests.
    pub(crate) fn new<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(arguments.into_iter().map(Into::into)).env_clear();
        Self { command, stdin: Vec::new() }
    }

    /// As [`new`](Self::new), with at most this many bytes of data in memory.
    #[cfg(target_os = "linux")]
    pub(crate) fn within_memory<A: Into<OsString>>(
        bytes: usize,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new("/bin/sh");
        let kib = bytes >> 10;
        command.args([
            "-c",
            &format!("ulimit -d {kib} && exec \"$0\" \"$@\""),
            env!("CARGO_BIN_EXE_countersign"),
        ]);
        command.args(arguments.into_iter().map(Into::into)).env_clear();
        Self { command, stdin: Vec::new() }
    }

    /// With this variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With these arguments as well.
    pub(crate) fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments.into_iter().map(Into::into));
        self
    }

    /// With this standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub(crate) fn run(self) -> Run {
        self.run_while(|_| {})
    }

    /// As [`run`](Self::run), and does something to the process, whose id it gets. What that returns is kept to its end.
    pub(crate) fn run_while<T>(mut self, act: impl FnOnce(u32) -> T) -> Run {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = self.stdin;
        let writer = thread::spawn(move || {
            // The program need not read it all.
            let _ = stdin.write_all(&bytes);
        });
        let kept = act(child.id());
        let output = child.wait_with_output().unwrap();
        drop(kept);
        writer.join().unwrap();
        Run::new(output)
    }

    /// As [`run`](Self::run), with a standard output whose reader is gone.
    pub(crate) fn run_without_reader(mut self) -> Run {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Run::new(self.command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap())
    }
}

impl Run {
    fn new(Output { status, stdout, stderr }: Output) -> Self {
        Self {
            status: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}
