use std::{
    ffi::OsString,
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Port, find,
    process::{PATIENCE, Process, log},
};

/// A PostgreSQL server of its own, with one superuser `postgres` who needs no password.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    programs: PathBuf,
    folder: TempDir,
    port: Port,
    user: Option<User>,
    environment: Vec<(&'static str, OsString)>,
}

/// PostgreSQL refuses to run as root: this is whom it runs as then.
#[derive(Clone, Copy, Debug)]
struct User {
    id: u32,
    group: u32,
}

impl Postgres {
    /// `None` where it is not installed: see the crate.
    pub fn start() -> Option<Self> {
        Self::start_in(Vec::new())
    }

    /// Starts it with these environment variables, such as those of a [`Clock`](crate::Clock). `None` where it is not installed.
    pub fn start_in(environment: Vec<(&'static str, OsString)>) -> Option<Self> {
        let initdb = find("initdb", &versions(), "postgresql")?;
        let programs = initdb.parent().expect("a program is in a folder").to_owned();
        let folder = TempDir::new().expect("a temporary folder");
        let user = (fs::metadata(folder.path()).expect("the folder's owner").uid() == 0).then(User::postgres);
        if let Some(User { id, group }) = user {
            std::os::unix::fs::chown(folder.path(), Some(id), Some(group)).expect("a folder of its own");
        }
        let output = as_user(&mut Command::new(initdb), user)
            .args(["--username", "postgres", "--auth", "trust", "--no-sync", "--no-instructions", "--pgdata"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .output()
            .expect("initdb runs");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let port = Port::take();
        let mut command = command(&programs, folder.path(), &port, user);
        let Some(process) = Process::start(command.envs(environment.clone()), &port) else {
            panic!("postgres ended at once: {}", log(&folder.path().join("log")));
        };
        Some(Self { process, programs, folder, port, user, environment })
    }

    /// `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port.number())
    }

    /// Stops it as an operator would in a hurry: connections break, what was committed stays.
    pub fn stop(&mut self) {
        // "Immediate shutdown". A SIGKILL would leave its children running with the data.
        self.process.signal("QUIT");
        self.process.wait();
    }

    /// SIGKILL to all of its processes at once, as when the machine loses its power but not its disk.
    pub fn kill(&mut self) {
        self.process.kill_with_children();
    }

    /// Stops all of its processes from answering (SIGSTOP), while its connections stay open.
    pub fn freeze(&mut self) {
        self.process.signal_with_children("STOP");
    }

    /// Lets it answer again (SIGCONT).
    pub fn thaw(&mut self) {
        self.process.signal_with_children("CONT");
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill), with the same port and data. It tries until that succeeds, as
    /// an init system does: PostgreSQL refuses while another process has the number that it had.
    pub fn restart(&mut self) {
        let began = Instant::now();
        loop {
            let mut command = command(&self.programs, self.folder.path(), &self.port, self.user);
            if let Some(process) = Process::start(command.envs(self.environment.clone()), &self.port) {
                self.process = process;
                return;
            }
            let log = log(&self.folder.path().join("log"));
            assert!(began.elapsed() < PATIENCE, "postgres does not start again: {log}");
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

impl User {
    fn postgres() -> Self {
        let id = |flag| {
            let output = Command::new("id").args([flag, "postgres"]).output().expect("`id` runs");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().expect("a user `postgres` to run the server as")
        };
        Self { id: id("-u"), group: id("-g") }
    }
}

/// The folders in which Debian keeps the programs of each version, the latest first.
fn versions() -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    folders
}

fn command(programs: &Path, folder: &Path, port: &Port, user: Option<User>) -> Command {
    let mut command = Command::new(programs.join("postgres"));
    let log = fs::File::create(folder.join("log")).expect("a file for the log");
    as_user(&mut command, user)
        .args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=200",
            "-p",
            &port.number().to_string(),
            "-k",
        ])
        .arg(folder)
        .arg("-D")
        .arg(folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
}

fn as_user(command: &mut Command, user: Option<User>) -> &mut Command {
    match user {
        Some(User { id, group }) => command.uid(id).gid(group),
        None => command,
    }
}
