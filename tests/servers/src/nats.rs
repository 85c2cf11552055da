use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    Port, find,
    process::{Process, log},
};

/// A `nats-server` with `JetStream`, which takes messages of up to 8 MiB.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    program: PathBuf,
    folder: TempDir,
    port: Port,
}

impl Nats {
    /// `None` where it is not installed: see the crate.
    pub fn start() -> Option<Self> {
        let program = find("nats-server", &["/usr/sbin".into(), "/usr/local/bin".into()], "nats-server")?;
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("nats.conf"), "max_payload: 8388608\n").expect("a configuration file");
        let port = Port::take();
        let Some(process) = Process::start(&mut command(&program, folder.path(), &port), &port) else {
            panic!("nats-server ended at once: {}", log(&folder.path().join("log")));
        };
        Some(Self { process, program, folder, port })
    }

    /// `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.number())
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`kill`](Self::kill), with the same port and data.
    pub fn restart(&mut self) {
        let started = Process::start(&mut command(&self.program, self.folder.path(), &self.port), &self.port);
        self.process = started.expect("nats-server starts again");
    }
}

fn command(program: &Path, folder: &Path, port: &Port) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--addr", "127.0.0.1", "--jetstream", "--config", "nats.conf", "--log", "log"])
        .args(["--port", &port.number().to_string(), "--store_dir", "data"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
