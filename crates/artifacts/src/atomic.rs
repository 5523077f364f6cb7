use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that appears under its name only when it is complete: written beside it, synced, then renamed.
/// Dropped before [`AtomicFile::commit`], it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
}

const SUFFIX: &str = ".seafin.tmp";

impl AtomicFile {
    /// Opens the temporary file beside `target`, making its folder where needed.
    pub fn create(target: &Path) -> Result<Self> {
        let folder = folder_of(target);
        fs::create_dir_all(folder).map_err(|source| Error::Io {
            path: folder.into(),
            action: "make folder",
            source,
        })?;
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = folder.join(format!(".{name}.{}{SUFFIX}", std::process::id()));
        let file = File::create(&temporary).map_err(|source| Error::Io {
            path: temporary.clone(),
            action: "create",
            source,
        })?;
        Ok(Self { target: target.to_owned(), temporary, file: Some(file) })
    }

    /// Where the file will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Syncs and renames: from now on the file is there, whole.
    pub fn commit(mut self) -> Result<()> {
        let error = |path: &Path, action| {
            let path = path.to_owned();
            move |source| Error::Io { path, action, source }
        };
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(error(&self.temporary, "sync"))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(error(&self.target, "rename into place"))?;
        if let Ok(folder) = File::open(folder_of(&self.target)) {
            // Some file systems refuse to sync a folder; the rename itself has happened.
            folder.sync_all().ok();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), |f| f.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.temporary.exists() {
            fs::remove_file(&self.temporary).ok();
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a whole file atomically.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|source| Error::Io { path: path.into(), action: "write", source })?;
    file.commit()
}

/// Removes what a killed process left half-written in `folder` and below.
pub fn remove_stale_temporaries(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_stale_temporaries(&path)?;
        } else if path.to_string_lossy().ends_with(SUFFIX) {
            fs::remove_file(&path).map_err(|source| Error::Io { path, action: "remove", source })?;
        }
    }
    Ok(())
}
