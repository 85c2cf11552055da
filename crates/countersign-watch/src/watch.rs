use std::{
    any::Any,
    collections::BTreeSet,
    fmt::Display,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign::{Rotating, Verifier};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::{files::Files, fingerprint::Fingerprint, log};

/// How long files must stay the same before they are loaded.
const SETTLED: Duration = Duration::from_millis(100);
/// After how long they are loaded although they keep changing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sets up a watcher.
#[derive(Clone, Debug)]
#[must_use = "nothing is watched until it is started"]
pub struct Watch {
    poll_every: Duration,
}

/// A running watcher. Dropping it ends the watching; the value stays as it is then.
#[derive(Debug)]
#[must_use = "dropping it ends the watching"]
pub struct Watching {
    status: Arc<Mutex<Status>>,
    wake: Sender<Wake>,
}

/// How the last load went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// When the value in use was loaded.
    pub loaded_at: SystemTime,
    /// Why a later load failed, if it did: the files hold something that is not in use.
    pub failure: Option<String>,
}

/// Why the watcher looks at the files.
#[derive(Debug)]
enum Wake {
    Changed,
    /// Somebody asks for a load.
    Asked,
    Stop,
}

impl Watch {
    /// A watcher with the default settings.
    pub fn new() -> Self {
        Self { poll_every: Duration::from_secs(10) }
    }

    /// How often the files are looked at where the operating system does not tell of their changes. 10 seconds unless set; less than
    /// 100 milliseconds count as that.
    pub fn poll_every(mut self, period: Duration) -> Self {
        self.poll_every = period.max(SETTLED);
        self
    }

    /// Loads, and goes on to load whenever a file that the loader read through its [`Files`] has changed. The loader runs on a thread
    /// of its own.
    ///
    /// # Errors
    ///
    /// Those of the first load: a service must not start without keys.
    pub fn start<T, E>(
        self,
        load: impl Fn(&mut Files) -> Result<T, E> + Send + 'static,
    ) -> Result<(Rotating<T>, Watching), E>
    where
        T: Send + Sync + 'static,
        E: Display,
    {
        let mut files = Files::default();
        let rotating = Rotating::new(load(&mut files)?);
        let status = Status { loaded_at: SystemTime::now(), failure: None };
        let status = Arc::new(Mutex::new(status));
        let (wake, woken) = channel();
        let watching = Watching { status: Arc::clone(&status), wake: wake.clone() };
        let follower = Follower {
            load,
            rotating: rotating.clone(),
            status,
            poll_every: self.poll_every,
            // What was read may have changed since: the first look compares with nothing.
            loaded: None,
            files: files.read,
            is_asked: false,
            directories: Directories::new(wake),
        };
        thread::spawn(move || follower.run(&woken));
        Ok((rotating, watching))
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watching {
    /// How the last load went, for a health check.
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads again soon, even if no file has changed: for a signal such as SIGHUP.
    pub fn reload(&self) {
        // A thread that is gone loads nothing any more.
        let _ = self.wake.send(Wake::Asked);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // A thread that is gone needs no word.
        let _ = self.wake.send(Wake::Stop);
    }
}

struct Follower<T, L> {
    load: L,
    rotating: Rotating<T>,
    status: Arc<Mutex<Status>>,
    poll_every: Duration,
    files: BTreeSet<PathBuf>,
    /// Whether to load although nothing has changed.
    is_asked: bool,
    /// What the files held when they were last loaded, or tried to be.
    loaded: Option<Fingerprint>,
    directories: Directories,
}

impl<T: 'static, L> Follower<T, L> {
    fn run<E: Display>(mut self, woken: &Receiver<Wake>)
    where
        L: Fn(&mut Files) -> Result<T, E>,
    {
        loop {
            self.directories.follow(&self.files);
            if !self.load_if_changed(woken) {
                return;
            }
            self.report_keys();
            let wake = match woken.recv_timeout(self.poll_every) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Events may come faster than the files can be read, such as those of a database beside them.
            if !self.heeds(wake.into_iter().chain(woken.try_iter())) {
                return;
            }
        }
    }

    /// `false`: it is time to stop.
    fn heeds(&mut self, mut wakes: impl Iterator<Item = Wake>) -> bool {
        wakes.all(|wake| {
            self.is_asked |= matches!(wake, Wake::Asked);
            !matches!(wake, Wake::Stop)
        })
    }

    /// Warns of keys that expire soon, even if their sender is silent. Each warning comes once a day.
    fn report_keys(&self) {
        let value: &dyn Any = &*self.rotating.current();
        if let Some(verifier) = value.downcast_ref::<Verifier>() {
            verifier.report_keys(SystemTime::now());
        }
    }

    /// `false`: it is time to stop.
    fn load_if_changed<E: Display>(&mut self, woken: &Receiver<Wake>) -> bool
    where
        L: Fn(&mut Files) -> Result<T, E>,
    {
        let Some(held) = self.settled(woken) else { return false };
        if self.loaded.as_ref() == Some(&held) && !self.is_asked {
            return true;
        }
        self.is_asked = false;
        let is_first_look = self.loaded.is_none();
        let mut files = Files::default();
        let result = (self.load)(&mut files);
        self.loaded = Some(held);
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(value) => {
                self.rotating.replace(value);
                *status = Status { loaded_at: SystemTime::now(), failure: None };
                if !is_first_look {
                    log::reloaded(files.read.len());
                }
                if self.files != files.read {
                    // A file that is new here may have changed since it was read.
                    self.files = files.read;
                    self.loaded = None;
                }
            }
            Err(failure) => {
                log::not_reloaded(&failure);
                status.failure = Some(failure.to_string());
                // It may have stopped before it read them all.
                let before = self.files.len();
                self.files.extend(files.read);
                if self.files.len() > before {
                    self.loaded = Some(Fingerprint::of(&self.files));
                }
            }
        }
        true
    }

    /// What the files hold, once that does not change any more. `None`: it is time to stop.
    fn settled(&mut self, woken: &Receiver<Wake>) -> Option<Fingerprint> {
        let began = Instant::now();
        let mut held = Fingerprint::of(&self.files);
        while self.loaded.as_ref() != Some(&held) && began.elapsed() < PATIENCE {
            thread::sleep(SETTLED);
            if !self.heeds(woken.try_iter()) {
                return None;
            }
            let now = Fingerprint::of(&self.files);
            if now == held {
                break;
            }
            held = now;
        }
        Some(held)
    }
}

/// The directories that the operating system watches for us: of a file, and of what it is a link to.
struct Directories {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Directories {
    fn new(wake: Sender<Wake>) -> Self {
        let told = move |event: notify::Result<Event>| {
            // Our own reading is an event, too.
            if event.map_or(true, |event| !event.kind.is_access()) {
                let _ = wake.send(Wake::Changed);
            }
        };
        let watcher = notify::recommended_watcher(told).inspect_err(|failure| log::not_told(failure)).ok();
        Self { watcher, watched: BTreeSet::new() }
    }

    fn follow(&mut self, files: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let links = files.iter().filter_map(|file| file.canonicalize().ok());
        let parents = files.iter().cloned().chain(links).filter_map(|file| file.parent().map(Path::to_owned));
        let wanted: BTreeSet<_> = parents
            .map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent })
            .collect();
        for gone in self.watched.difference(&wanted) {
            // It may be gone from the disk as well.
            let _ = watcher.unwatch(gone);
        }
        let mut watched: BTreeSet<_> = self.watched.intersection(&wanted).cloned().collect();
        for new in wanted.difference(&self.watched) {
            // One that is missing is tried again at the next look.
            if watcher.watch(new, RecursiveMode::NonRecursive).is_ok() {
                watched.insert(new.clone());
            }
        }
        self.watched = watched;
    }
}
