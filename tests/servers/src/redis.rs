use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    Port, find,
    process::{Process, log},
    tls,
};

/// A `redis-server` that writes every command to its append-only file before it answers: what it acknowledged is there after
/// [`kill`](Self::kill) and [`restart`](Self::restart).
#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: PathBuf,
    folder: TempDir,
    port: Port,
    mode: Mode,
}

/// How a server is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Plain,
    Tls,
    ClusterNode,
}

impl Redis {
    /// `None` where it is not installed: see the crate.
    pub fn start() -> Option<Self> {
        Self::start_as(Mode::Plain)
    }

    /// A server that speaks TLS only, with a certificate for 127.0.0.1 of the authority in [`ca`](Self::ca). `None` where it is
    /// not installed.
    pub fn start_with_tls() -> Option<Self> {
        Self::start_as(Mode::Tls)
    }

    pub(crate) fn start_as(mode: Mode) -> Option<Self> {
        let program = find("redis-server", &["/usr/local/bin".into(), "/usr/bin".into()], "redis-server")?;
        let folder = TempDir::new().expect("a temporary folder");
        if let Mode::Tls = mode {
            tls::write_certificates(folder.path());
        }
        let port = Port::take();
        let Some(process) = Process::start(&mut command(&program, &folder, &port, mode), &port) else {
            panic!("redis-server ended at once: {}", log(&folder.path().join("log")));
        };
        Some(Self { process, program, folder, port, mode })
    }

    /// `redis://127.0.0.1:PORT/`, or `rediss://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if let Mode::Tls = self.mode { "rediss" } else { "redis" };
        format!("{scheme}://{}/", self.address())
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.number())
    }

    /// The file with the certificate of the authority, in PEM.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`kill`](Self::kill), with the same port and data.
    pub fn restart(&mut self) {
        let started =
            Process::start(&mut command(&self.program, &self.folder, &self.port, self.mode), &self.port);
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

fn command(program: &Path, folder: &TempDir, port: &Port, mode: Mode) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .args(["--maxmemory-policy", "noeviction", "--logfile", "log"])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let port = port.number().to_string();
    match mode {
        Mode::Plain => command.args(["--port", &port]),
        Mode::Tls => command
            .args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"])
            .args(["--tls-cert-file", "server.pem", "--tls-key-file", "server.key"])
            .args(["--tls-ca-cert-file", "ca.pem"]),
        Mode::ClusterNode => command
            .args(["--port", &port, "--cluster-enabled", "yes"])
            // The others go on without a node, for however long it is away.
            .args(["--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"]),
    };
    command
}
