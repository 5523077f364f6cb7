//! Large files come in pieces, so that an interrupted download goes on where it was; the client library begins again.

use crate::{HubPath, RepoKind};
use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFError, HFRepositorySync, RepoType};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Endings of files that are worth it.
const LARGE: [&str; 4] = [".bin", ".gguf", ".parquet", ".safetensors"];
/// What an interruption loses at most, in bytes.
pub(crate) const PIECE: u64 = 32 << 20;

/// Brings a large file into the cache's `blobs` folder, where the client library finds it complete and only links it.
/// Where that cannot work (no such file, a server without ranges, someone else at it), nothing is done and the library
/// fetches the file its own way.
///
/// # Errors
/// A piece cannot be fetched or written. The library must not be asked then: it would take the body of a refusal for the
/// file (hf-hub 1.0 does not look at the status of the answer that it stores).
pub(crate) fn fetch<T: RepoType>(
    repo: &HFRepositorySync<T>,
    at: &HubPath,
    cache: &Path,
    piece: u64,
) -> Result<(), HFError> {
    if !LARGE.iter().any(|ending| at.path.ends_with(ending)) {
        return Ok(());
    }
    let Some(content) = Content::of(repo, at).filter(|content| content.size > 0) else { return Ok(()) };
    let blobs = blobs(cache, at);
    std::fs::create_dir_all(&blobs)?;
    if may_be_there(&blobs, &content)? {
        return Ok(());
    }
    let (size, partial) = (content.size, blobs.join(format!("{}.seafin.part", content.oid)));
    let mut file = OpenOptions::new().create(true).append(true).open(&partial)?;
    if file.try_lock().is_err() {
        return Ok(());
    }
    let mut done = whole_pieces(&file, size, piece)?;
    if done > 0 {
        tracing::info!("{}: goes on after {} of {} MiB", at.path, done >> 20, size >> 20);
    }
    while done < size {
        let end = (done + piece).min(size);
        let request = repo.download_file_to_bytes().filename(at.path.as_str()).revision(at.revision_or_main());
        let bytes = request.range(done..end).send()?;
        // A server that knows no ranges sends everything.
        if bytes.len() as u64 != end - done {
            std::fs::remove_file(&partial)?;
            return Ok(());
        }
        file.write_all(&bytes)?;
        done = end;
    }
    file.sync_all()?;
    // A branch may have moved meanwhile: the pieces are of one content only if it is the same at the end.
    let same = Content::of(repo, at).as_ref() == Some(&content);
    let name = if content.large { sha256(&partial)? } else { content.oid.clone() };
    if same && content.blob().is_none_or(|known| known == name) {
        std::fs::rename(&partial, blobs.join(name))?;
    } else {
        std::fs::remove_file(&partial)?;
    }
    Ok(())
}

/// What the Hub says about the content of a file.
#[derive(PartialEq)]
struct Content {
    /// Git's name of the file; of the pointer, where the content is stored as a large file.
    oid: String,
    large: bool,
    /// Of a large file, where the Hub tells.
    sha256: Option<String>,
    size: u64,
}

impl Content {
    fn of<T: RepoType>(repo: &HFRepositorySync<T>, at: &HubPath) -> Option<Self> {
        let request = repo.get_paths_info().paths(vec![at.path.clone()]).revision(at.revision_or_main());
        request.send().ok()?.into_iter().find_map(|entry| match entry {
            RepoTreeEntry::File { oid, size, path, lfs, .. } if path == at.path && is_name(&oid) => {
                let sha256 = lfs.as_ref().and_then(|l| l.sha256.clone());
                Some(Self { oid, large: lfs.is_some(), sha256, size })
            }
            _ => None,
        })
    }

    /// The name under which all clients cache the content, where it is known: a large file's is its SHA-256.
    fn blob(&self) -> Option<&str> {
        if self.large { self.sha256.as_deref() } else { Some(&self.oid) }
    }
}

/// Whether the content is in the cache, or, where its name is not known beforehand, might be: there is one of its size.
fn may_be_there(blobs: &Path, content: &Content) -> std::io::Result<bool> {
    if let Some(name) = content.blob() {
        return Ok(blobs.join(name).exists());
    }
    for entry in std::fs::read_dir(blobs)? {
        let path = entry?.path();
        if path.extension().is_none() && std::fs::metadata(&path)?.len() == content.size {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A hash, and no way out of the folder.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// How much of a partial file is there; what a killed process wrote of the next piece is cut off.
fn whole_pieces(file: &File, size: u64, piece: u64) -> std::io::Result<u64> {
    let length = file.metadata()?.len();
    let done = if length >= size { 0 } else { length - length % piece };
    file.set_len(done)?;
    Ok(done)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where every Hub client keeps the contents of a repository's files.
fn blobs(cache: &Path, at: &HubPath) -> PathBuf {
    let kind = if at.kind == RepoKind::Dataset { "datasets" } else { "models" };
    cache.join(format!("{kind}--{}", at.repo.replace('/', "--"))).join("blobs")
}
