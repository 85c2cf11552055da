use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    find, free_port,
    process::{Process, log},
};

/// A `redis-server` that writes every command to its append-only file before it answers: what it acknowledged is there after
/// [`kill`](Self::kill) and [`restart`](Self::restart).
#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Redis {
    /// `None` where it is not installed: see the crate.
    pub fn start() -> Option<Self> {
        let program = find("redis-server", &["/usr/local/bin".into(), "/usr/bin".into()], "redis-server")?;
        let folder = TempDir::new().expect("a temporary folder");
        for _ in 0..5 {
            let port = free_port();
            if let Some(process) = Process::start(&mut command(&program, &folder, port), port) {
                return Some(Self { process, program, folder, port });
            }
        }
        panic!("redis-server ended at once: {}", log(&folder.path().join("log")));
    }

    /// `redis://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`kill`](Self::kill), with the same port and data.
    pub fn restart(&mut self) {
        let started = Process::start(&mut command(&self.program, &self.folder, self.port), self.port);
        self.process = started.expect("redis-server starts again");
    }

    /// Stops it from answering (SIGSTOP), while its connections stay open.
    pub fn freeze(&mut self) {
        self.process.signal("STOP");
    }

    /// Lets it answer again (SIGCONT).
    pub fn thaw(&mut self) {
        self.process.signal("CONT");
    }
}

fn command(program: &PathBuf, folder: &TempDir, port: u16) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .args(["--maxmemory-policy", "noeviction", "--logfile", "log"])
        .args(["--port", &port.to_string(), "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}
