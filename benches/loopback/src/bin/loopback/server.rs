//! A server in a separate process, and the kernel's figures about it.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use loopback::{Counts, Framework, Variant};

use crate::{
    Cpus,
    delivery::{Delivery, Signature},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Killed on drop. It also exits when its stdin ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(framework: Framework, variant: Variant, cpus: Cpus) -> Result<Self, Box<dyn Error>> {
        Self::spawn(framework, variant, cpus, &[])
    }

    /// Starts a server that counts the bytes it reads.
    pub(crate) fn start_counting(
        framework: Framework,
        variant: Variant,
        cpus: Cpus,
    ) -> Result<Self, Box<dyn Error>> {
        Self::spawn(framework, variant, cpus, &["--count"])
    }

    fn spawn(
        framework: Framework,
        variant: Variant,
        cpus: Cpus,
        flags: &[&str],
    ) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new("taskset")
            .args(["--cpu-list", &cpus.server.to_string()])
            .arg(env::current_exe()?.with_file_name("loopback-server"))
            .args([framework.to_string(), variant.to_string()])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.trim_end().parse().map_err(|error| format!("loopback-server: {error}: {line:?}"));
        if address.is_err() {
            child.kill()?;
            child.wait()?;
        }
        Ok(Self { address: address?, child, stdin, stdout })
    }

    /// Sends some valid deliveries, which must get a 200, to warm up the allocator and the caches.
    pub(crate) fn warm_up(&self, body: usize) -> Result<(), Box<dyn Error>> {
        let delivery = Delivery::new(Signature::Valid, body, None);
        let mut connection = self.connect()?;
        let rounds = (8 << 20) / (body + (8 << 10));
        for _ in 0..rounds {
            connection.write_all(&delivery.bytes)?;
            let mut answer = [0; 1024];
            let read = connection.read(&mut answer)?;
            if !answer[..read].starts_with(b"HTTP/1.1 200") {
                return Err(format!("not accepted: {}", String::from_utf8_lossy(&answer[..read])).into());
            }
        }
        Ok(())
    }

    pub(crate) fn connect(&self) -> Result<TcpStream, Box<dyn Error>> {
        let connection = TcpStream::connect(self.address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }

    pub(crate) fn counts(&mut self) -> Result<Counts, Box<dyn Error>> {
        self.stdin.write_all(b"\n")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// The nanoseconds that its threads spent on a CPU.
    pub(crate) fn cpu_ns(&self) -> Result<u64, Box<dyn Error>> {
        let mut sum = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let times = fs::read_to_string(task?.path().join("schedstat"))?;
            sum += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(sum)
    }

    /// A figure from `/proc/<pid>/status` in KiB, such as `VmHWM`.
    pub(crate) fn memory_kib(&self, field: &str) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(line.ok_or("no such field")?.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if the process has already exited.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
