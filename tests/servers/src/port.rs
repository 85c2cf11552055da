use std::{
    env,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    net::TcpListener,
};

/// Below those that the operating system gives to clients, and so that those 10,000 higher, which the nodes of a Redis Cluster
/// listen on as well, are too.
const FIRST: u64 = 10_000;
const COUNT: u64 = 10_000;

/// A port of 127.0.0.1 that nobody listens on, and that no other test takes for as long as the value lives: a server can be away
/// from it for a while.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Takes a port. Every process has the same folder of locks, and a lock ends with its process.
    pub fn take() -> Self {
        let folder = env::temp_dir().join("countersign-test-ports");
        fs::create_dir_all(&folder).expect("a folder of locks");
        let random = RandomState::new();
        for attempt in 0..COUNT {
            let number =
                FIRST.saturating_add(random.hash_one(attempt).checked_rem(COUNT).unwrap_or_default());
            let number = u16::try_from(number).expect("a port's number");
            // Another user's file cannot be opened, and somebody who is no test may listen.
            let Ok(lock) = File::create(folder.join(number.to_string())) else { continue };
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no port of 127.0.0.1 is free");
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
