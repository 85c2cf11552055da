use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::record::Record;
use crate::{failure::Failure, read};

/// The folder in which deliveries are kept: two files for each, `<id>.json` and `<id>.body`.
///
/// One program at a time uses it. On Unix, nobody but its owner reads it.
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked until it is dropped.
    _lock: File,
}

/// What a folder held when it was opened.
pub(crate) struct Found {
    /// In the order in which they arrived.
    pub(crate) records: Vec<Record>,
    /// The ids of those whose body is not there.
    pub(crate) bodiless: BTreeSet<u64>,
    pub(crate) unreadable: usize,
}

/// Limit on a record's file, in bytes.
const RECORD_LIMIT: u64 = 8 << 20;

impl Folder {
    /// Opens the folder, or makes it, and reads the records that are there.
    pub(crate) fn open(path: &Path) -> Result<(Self, Found), Failure> {
        let unusable = |error: io::Error| {
            Failure::new(format_args!("cannot keep deliveries in {}: {error}", path.display()))
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(unusable)?;
        check_privacy(path)?;
        let lock = private().create(true).open(path.join("lock")).map_err(unusable)?;
        lock.try_lock().map_err(|_| {
            Failure::new(format_args!(
                "another `countersign listen` keeps its deliveries in {}: give another --folder",
                path.display()
            ))
        })?;
        // Deliveries do not belong into a repository.
        match private().create_new(true).open(path.join(".gitignore")) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => file.and_then(|mut file| file.write_all(b"*\n")).map_err(unusable)?,
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        let found = folder.found().map_err(unusable)?;
        Ok((folder, found))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a record, and the body if there is one. After an error, an older record with this id is still whole.
    pub(crate) fn keep(&self, record: &Record, body: Option<&[u8]>) -> io::Result<()> {
        if let Some(body) = body {
            write(&self.body_file(record.id), body)?;
        }
        let json = serde_json::to_vec(record)?;
        write(&self.record_file(record.id), &json)
    }

    /// Forgets a delivery.
    pub(crate) fn remove(&self, id: u64) {
        // What cannot be removed now is found by the next start.
        let _ = fs::remove_file(self.record_file(id));
        let _ = fs::remove_file(self.body_file(id));
    }

    /// A part of a body.
    pub(crate) fn body(&self, id: u64, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.body_file(id))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn found(&self) -> io::Result<Found> {
        let mut found = Found { records: Vec::new(), bodiless: BTreeSet::new(), unreadable: 0 };
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some((id, kind)) = name.split_once('.') else { continue };
            let is_ours = id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_digit());
            match kind {
                "json" => match record(&path) {
                    Ok(record) if path == self.record_file(record.id) => {
                        if !self.body_file(record.id).exists() {
                            found.bodiless.insert(record.id);
                        }
                        found.records.push(record);
                    }
                    _ => found.unreadable = found.unreadable.saturating_add(1),
                },
                // Left behind by a program that was killed.
                "json.part" | "body.part" if is_ours => fs::remove_file(&path)?,
                "body" if is_ours && !path.with_extension("json").exists() => fs::remove_file(&path)?,
                _ => {}
            }
        }
        found.records.sort_by_key(|record| record.id);
        Ok(found)
    }

    fn record_file(&self, id: u64) -> PathBuf {
        self.path.join(format!("{id:08}.json"))
    }

    /// The file with a body, for other programs.
    pub(crate) fn absolute_body_file(&self, id: u64) -> io::Result<PathBuf> {
        std::path::absolute(self.body_file(id))
    }

    fn body_file(&self, id: u64) -> PathBuf {
        self.path.join(format!("{id:08}.body"))
    }
}

fn record(path: &Path) -> io::Result<Record> {
    Ok(serde_json::from_slice(&read::at_most(File::open(path)?, RECORD_LIMIT)?)?)
}

/// Refuses a folder that others may use: what it holds is sent to the service by a click.
#[cfg(unix)]
fn check_privacy(path: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(path).map_err(Failure::new)?;
    let others = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077;
    if others == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format_args!(
        "the folder {path} is open to other users: give another --folder, or if it is yours, `chmod 700 {path}`"
    )))
}

#[cfg(not(unix))]
fn check_privacy(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Writes a file so that it is there in whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    // One that is there may be a link to somewhere else.
    let _ = fs::remove_file(&part);
    let written = private().create_new(true).open(&part).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

/// For files that their owner alone may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
