use std::{
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    find,
    redis::{Mode, Redis},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis Cluster of three primaries without replicas.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// `None` where Redis is not installed: see the crate.
    pub fn start() -> Option<Self> {
        let program = find("redis-cli", &["/usr/local/bin".into(), "/usr/bin".into()], "redis-tools")?;
        let nodes = (0..3).map(|_| Redis::start_as(Mode::ClusterNode)).collect::<Option<Vec<_>>>()?;
        let addresses = nodes.iter().map(Redis::address);
        let created =
            output(Command::new(&program).args(["--cluster", "create"]).args(addresses).arg("--cluster-yes"));
        let started = Instant::now();
        while !nodes.iter().all(|node| is_ready(&program, node)) {
            assert!(started.elapsed() < PATIENCE, "no cluster after {PATIENCE:?}: {created}");
            sleep(Duration::from_millis(50));
        }
        Some(Self { nodes })
    }

    /// The nodes, each with a third of the slots.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// One of the nodes, to kill and restart it.
    pub fn node(&mut self, index: usize) -> &mut Redis {
        self.nodes.get_mut(index).expect("there are three nodes")
    }
}

fn is_ready(program: &PathBuf, node: &Redis) -> bool {
    let info = output(Command::new(program).args(["-u", &node.url(), "cluster", "info"]));
    let signs = ["cluster_state:ok", "cluster_known_nodes:3", "cluster_slots_ok:16384"];
    signs.iter().all(|sign| info.contains(sign))
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("redis-cli runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
