use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::Port;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server's process, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it and waits until it listens. `None`: it ended.
    pub(crate) fn start(command: &mut Command, port: &Port) -> Option<Self> {
        let mut process = Self(command.spawn().expect("the server starts"));
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port.number())).is_err() {
            if process.0.try_wait().expect("the server's state").is_some() {
                return None;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "the server does not listen after {PATIENCE:?}: {command:?}"
            );
            sleep(Duration::from_millis(20));
        }
        Some(process)
    }

    /// Sends it a signal, if it still runs: `STOP` and `CONT` freeze and thaw it.
    pub(crate) fn signal(&mut self, name: &str) {
        if self.0.try_wait().expect("the server's state").is_none() {
            let status = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status();
            assert!(status.expect("`kill` runs").success(), "no signal {name} to the server");
        }
    }

    /// Sends a signal to it and to the processes that it started. Those of PostgreSQL are not in its process group.
    pub(crate) fn signal_with_children(&mut self, name: &str) -> Vec<u32> {
        // One that stands still starts no others meanwhile.
        self.signal("STOP");
        let (own, began) = (self.0.id(), Instant::now());
        while stat(own).is_some_and(|(state, _)| !matches!(&*state, "T" | "Z")) {
            assert!(began.elapsed() < PATIENCE, "the server does not stand still");
            sleep(Duration::from_millis(1));
        }
        let children = children_of(own);
        let ids = children.iter().chain([&own]).map(u32::to_string);
        let status = Command::new("kill").arg(format!("-{name}")).args(ids).status();
        // A child may have ended just now.
        status.expect("`kill` runs");
        children
    }

    /// SIGKILL to it and to the processes that it started.
    pub(crate) fn kill_with_children(&mut self) {
        let children = self.signal_with_children("KILL");
        self.0.wait().expect("the server ends");
        let is_alive = |id: &u32| stat(*id).is_some_and(|(state, _)| state != "Z");
        while children.iter().any(is_alive) {
            sleep(Duration::from_millis(1));
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("the server is ours to kill");
        self.0.wait().expect("the server ends");
    }

    /// Waits until it has ended of itself.
    pub(crate) fn wait(&mut self) {
        self.0.wait().expect("the server ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("a Linux with /proc");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// The state of a process, such as `Z`, and its parent.
fn stat(id: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// A server's log, for the message of a test that fails.
pub(crate) fn log(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|failure| failure.to_string())
}
