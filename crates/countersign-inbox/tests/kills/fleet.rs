//! Receivers, workers and the database as processes.

use std::{
    collections::HashSet,
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use tempfile::TempDir;
use test_servers::Postgres;

const RECEIVERS: usize = 2;
const WORKERS: usize = 2;

/// Where the inbox is.
pub(crate) enum Store {
    Sqlite(TempDir),
    Postgres(Postgres),
}

/// What is killed at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Receiver,
    Worker,
    Database,
    All,
}

/// Everything that runs, and what was acknowledged so far.
pub(crate) struct Fleet {
    pub(crate) store: Store,
    receivers: Vec<Receiver>,
    workers: Vec<Worker>,
    acknowledged: HashSet<String>,
    started: usize,
    environment: Environment,
}

/// The variables that processes start with.
pub(crate) type Environment = Vec<(&'static str, OsString)>;

struct Receiver {
    process: Child,
    acknowledged: JoinHandle<HashSet<String>>,
}

/// A worker's process.
pub(crate) struct Worker(Child);

impl Store {
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("inbox.db").to_str().unwrap().to_owned(),
            Self::Postgres(server) => server.url(),
        }
    }

    /// What can be killed. SQLite is a part of the processes that use it.
    pub(crate) fn targets(&self) -> &'static [Target] {
        match self {
            Self::Sqlite(_) => &[Target::Receiver, Target::Worker, Target::All],
            Self::Postgres(_) => &[Target::Receiver, Target::Worker, Target::Database, Target::All],
        }
    }
}

impl Fleet {
    pub(crate) fn start(store: Store, environment: Environment) -> Self {
        let mut fleet = Self {
            store,
            receivers: Vec::new(),
            workers: Vec::new(),
            acknowledged: HashSet::new(),
            started: 0,
            environment,
        };
        fleet.refill();
        fleet
    }

    /// Kills it, leaves it dead for `pause`, and starts it again.
    pub(crate) fn kill(&mut self, target: Target, pause: Duration) {
        if let (Target::Database | Target::All, Store::Postgres(server)) = (target, &mut self.store) {
            server.kill();
        }
        match target {
            Target::Receiver => {
                let receiver = self.receivers.swap_remove(fastrand::usize(..self.receivers.len()));
                self.acknowledged.extend(receiver.kill());
            }
            Target::Worker => {
                let mut worker = self.workers.swap_remove(fastrand::usize(..self.workers.len()));
                assert!(!worker.has_ended(), "a worker ended of itself");
            }
            Target::Database => {}
            Target::All => {
                self.kill_workers();
                self.kill_receivers();
            }
        }
        thread::sleep(pause);
        if let (Target::Database | Target::All, Store::Postgres(server)) = (target, &mut self.store) {
            server.restart();
        }
        self.refill();
    }

    pub(crate) fn kill_workers(&mut self) {
        self.workers.clear();
    }

    pub(crate) fn kill_receivers(&mut self) {
        for receiver in self.receivers.drain(..) {
            self.acknowledged.extend(receiver.kill());
        }
    }

    /// Sender and identity of each delivery that killed receivers had acknowledged.
    pub(crate) fn acknowledged(&self) -> &HashSet<String> {
        &self.acknowledged
    }

    fn refill(&mut self) {
        let address = self.store.address();
        while self.receivers.len() < RECEIVERS {
            self.started += 1;
            let name = format!("r{}", self.started);
            self.receivers.push(Receiver::start(&name, &address, &self.environment));
        }
        while self.workers.len() < WORKERS {
            self.workers.push(Worker::start_in(&self.environment, &address, 1000));
        }
    }
}

impl Receiver {
    fn start(name: &str, address: &str, environment: &Environment) -> Self {
        let mut process = start(&["receive", name, address], Stdio::piped(), environment);
        let output = BufReader::new(process.stdout.take().unwrap());
        // A line that the kill cut short is no acknowledgement.
        let acknowledged = thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_suffix(';').map(str::to_owned)).collect()
        });
        Self { process, acknowledged }
    }

    fn kill(mut self) -> HashSet<String> {
        end(&mut self.process);
        self.acknowledged.join().unwrap()
    }
}

impl Worker {
    pub(crate) fn start(address: &str, max_attempts: u32) -> Self {
        Self::start_in(&Vec::new(), address, max_attempts)
    }

    fn start_in(environment: &Environment, address: &str, max_attempts: u32) -> Self {
        Self(start(&["work", address, &max_attempts.to_string()], Stdio::null(), environment))
    }

    /// Whether it ended of itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn id(&self) -> i64 {
        self.0.id().into()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program again. It ends at the latest with this process, whose pipe it reads.
fn start(arguments: &[&str], output: Stdio, environment: &Environment) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .envs(environment.iter().cloned())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(output)
        .spawn()
        .unwrap()
}

/// SIGKILL, to one that must not have ended of itself.
fn end(process: &mut Child) {
    let ended = process.try_wait().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(ended.is_none(), "a process ended of itself: {ended:?}");
}
