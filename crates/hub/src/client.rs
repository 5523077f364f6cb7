use crate::error::{explain, name_some};
use crate::source::is_plain;
use crate::{Error, HubConfig, HubPath, RepoKind, matches, pieces};
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync, RepoType, RepoTypeDataset, RepoTypeModel};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The branch on which the Hub keeps the Parquet form of a data set that is stored otherwise.
const CONVERTED: &str = "refs/convert/parquet";

/// A connection to the Hub.
pub struct Hub {
    client: HFClientSync,
    endpoint: String,
    config: HubConfig,
    piece: u64,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the configuration: it may hold a token.
        f.debug_struct("Hub").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Runs the same generic call for either kind of repository.
macro_rules! on_repo {
    ($hub:expr, $at:expr, |$repo:ident| $body:expr) => {{
        let (owner, name) = $at.repo.split_once('/').unwrap_or(("", &$at.repo));
        match $at.kind {
            RepoKind::Model => {
                let $repo: HFRepositorySync<RepoTypeModel> = $hub.client.model(owner, name);
                $body
            }
            RepoKind::Dataset => {
                let $repo: HFRepositorySync<RepoTypeDataset> = $hub.client.dataset(owner, name);
                $body
            }
        }
    }};
}

impl Hub {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// The endpoint is not an address.
    pub fn new(config: HubConfig) -> Result<Self, Error> {
        // One or two repeats bridge a hiccup; without a network the answer should come in seconds.
        let mut builder = HFClient::builder().cache_dir(&config.cache_dir).retry_max_attempts(2);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(token) = &config.token {
            builder = builder.token(token);
        }
        let shown = config.endpoint.clone().unwrap_or_else(|| "the Hub".into());
        let fail = |e: HFError| Error::Other { repo: "Hub".into(), endpoint: shown.clone(), message: e.to_string() };
        let client = builder.build().map_err(fail)?;
        let endpoint = client.endpoint().to_owned();
        Ok(Self { client: HFClientSync::from_inner(client).map_err(fail)?, endpoint, config, piece: pieces::PIECE })
    }

    /// Fetches large files in pieces of so many bytes: what an interrupted download loses at most.
    #[must_use]
    pub fn with_pieces_of(self, bytes: u64) -> Self {
        Self { piece: bytes.max(1), ..self }
    }

    fn explain(&self, error: HFError, at: &HubPath) -> Error {
        explain(error, &at.repo, &self.endpoint, at.revision_or_main(), self.config.token.is_some())
    }

    /// The files of a repository, sorted; only those below `at.path` where it is not empty.
    ///
    /// Without a network, the files in the cache.
    pub fn list(&self, at: &HubPath) -> Result<Vec<String>, Error> {
        if self.config.offline {
            return self.list_cache(at).ok_or_else(|| self.not_cached(at));
        }
        let revision = at.revision_or_main();
        let listed: Result<Vec<_>, HFError> = on_repo!(self, at, |repo| list_files(&repo, revision));
        let mut files = match listed {
            Ok(files) => files,
            Err(error) => {
                let error = self.explain(error, at);
                match (&error, self.list_cache(at)) {
                    (Error::Unreachable { .. }, Some(files)) => {
                        tracing::warn!("{error}; using the copy in the cache");
                        files
                    }
                    _ => return Err(error),
                }
            }
        };
        if let Some(path) = files.iter().find(|f| !is_plain(Path::new(f))) {
            return Err(Error::UnsafeName { repo: at.repo.clone(), path: path.clone() });
        }
        if !at.path.is_empty() {
            files.retain(|f| f == &at.path || f.starts_with(&format!("{}/", at.path)));
        }
        files.sort();
        Ok(files)
    }

    /// The local copy of one file, fetched where the cache has none or an older one. The download of a large file goes on
    /// where an earlier one was interrupted.
    pub fn fetch_file(&self, at: &HubPath) -> Result<PathBuf, Error> {
        if !self.config.offline {
            let fetched = on_repo!(self, at, |repo| pieces::fetch(&repo, at, &self.config.cache_dir, self.piece));
            fetched.map_err(|error| self.explain(error, at))?;
        }
        let fetched = on_repo!(self, at, |repo| repo
            .download_file()
            .filename(at.path.as_str())
            .revision(at.revision_or_main())
            .local_files_only(self.config.offline)
            .send());
        fetched.map_err(|error| match error {
            HFError::LocalEntryNotFound { .. } if self.config.offline => self.not_cached(at),
            // The answer for a missing file and a missing repository is the same; the listing tells them apart.
            HFError::EntryNotFound { .. } => match self.list(&at.at("")) {
                Ok(files) => {
                    Error::NoSuchFile { repo: at.repo.clone(), path: at.path.clone(), present: name_some(&files) }
                }
                Err(error) => error,
            },
            error => self.explain(error, at),
        })
    }

    /// Local copies of all files below `at.path` whose repository path matches `pattern` (see [`matches()`]), in order of
    /// name, each with its path in the repository. If a data set has none with the ending `.parquet`, the Parquet form that the
    /// Hub keeps on its own branch is taken.
    pub fn fetch_matching(&self, at: &HubPath, pattern: &str) -> Result<Vec<(String, PathBuf)>, Error> {
        let present = self.list(at)?;
        let wanted: Vec<_> = present.iter().filter(|f| matches(pattern, f)).cloned().collect();
        if wanted.is_empty() {
            let may_be_converted =
                at.kind == RepoKind::Dataset && at.revision.is_none() && pattern.ends_with(".parquet");
            if may_be_converted {
                let converted = HubPath { revision: Some(CONVERTED.into()), ..at.clone() };
                if let Ok(files) = self.fetch_matching(&converted, pattern) {
                    return Ok(files);
                }
            }
            let present = name_some(&present);
            return Err(Error::NoMatch { repo: at.repo.clone(), pattern: pattern.to_owned(), present });
        }
        wanted.into_iter().map(|file| Ok((file.clone(), self.fetch_file(&at.at(&file))?))).collect()
    }

    /// The local folder of a model: `config.json`, tokenizer files, and all shards of its safetensors weights, all of
    /// one commit. `id` is `ORG/NAME` or `hf://ORG/NAME[@REVISION]`.
    pub fn fetch_model(&self, id: &str) -> Result<PathBuf, Error> {
        let text = if id.starts_with("hf://") { id.to_owned() } else { format!("hf://{id}") };
        let crate::Source::Hub(at) = crate::Source::parse(&text)? else {
            return Err(Error::BadSource { text: id.to_owned(), message: "it names no model".into() });
        };
        let not_a_model = |missing| Error::NotAModel { repo: at.repo.clone(), missing };
        let present: BTreeSet<String> = self.list(&at.at(""))?.into_iter().collect();
        if !present.contains("config.json") {
            return Err(not_a_model("config.json"));
        }
        let config = self.fetch_file(&at.at("config.json"))?;
        let folder = config.parent().map(Path::to_owned).unwrap_or_default();
        // The folder of the cache bears the commit's name: the rest must not come from a later one.
        let commit = folder.file_name().map(|n| n.to_string_lossy().into_owned());
        let pinned =
            HubPath { revision: commit.filter(|_| !self.config.offline).or(at.revision.clone()), ..at.clone() };
        for name in [
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
        ] {
            if present.contains(name) {
                self.fetch_file(&pinned.at(name))?;
            }
        }
        let index = "model.safetensors.index.json";
        let weights: Vec<String> = if present.contains(index) {
            let path = self.fetch_file(&pinned.at(index))?;
            shards(&path).ok_or_else(|| not_a_model("a readable model.safetensors.index.json"))?
        } else if present.contains("model.safetensors") {
            vec!["model.safetensors".into()]
        } else {
            present.iter().filter(|f| f.ends_with(".safetensors") && !f.contains('/')).cloned().collect()
        };
        if weights.is_empty() {
            return Err(not_a_model(".safetensors"));
        }
        for file in weights {
            self.fetch_file(&pinned.at(&file))?;
        }
        Ok(folder)
    }

    /// Puts all files of `folder` into the repository `at` in one commit, making the repository (private, if asked) where
    /// it does not exist. Returns the address of the commit, if the Hub tells.
    pub fn push_folder(
        &self,
        at: &HubPath,
        folder: &Path,
        message: &str,
        private: bool,
    ) -> Result<Option<String>, Error> {
        if self.config.token.is_none() {
            return Err(Error::NoToken { repo: at.repo.clone() });
        }
        let bad = |message: String| Error::BadFolder { folder: folder.to_owned(), message };
        let mut entries = std::fs::read_dir(folder).map_err(|e| bad(e.to_string()))?;
        if entries.next().is_none() {
            return Err(bad("it is empty".into()));
        }
        let created = match at.kind {
            RepoKind::Model => self.create(at, RepoTypeModel, private),
            RepoKind::Dataset => self.create(at, RepoTypeDataset, private),
        };
        created.map_err(|e| self.explain(e, at))?;
        let commit = on_repo!(self, at, |repo| repo
            .upload_folder()
            .folder_path(folder)
            .commit_message(message)
            .maybe_path_in_repo(Some(at.path.clone()).filter(|p| !p.is_empty()))
            .maybe_revision(at.revision.clone())
            .send());
        commit.map(|c| c.commit_url).map_err(|e| self.explain(e, at))
    }

    fn create(&self, at: &HubPath, kind: impl RepoType, private: bool) -> Result<(), HFError> {
        let repo = self.client.create_repository().repo_id(&at.repo).repo_type(kind);
        repo.private(private).exist_ok(true).send().map(|_| ())
    }

    fn not_cached(&self, at: &HubPath) -> Error {
        Error::NotCached { repo: at.to_string(), cache: self.config.cache_dir.clone() }
    }

    /// The files of the cached copy of a revision.
    fn list_cache(&self, at: &HubPath) -> Option<Vec<String>> {
        let kind = if at.kind == RepoKind::Dataset { "datasets" } else { "models" };
        let repo = self.config.cache_dir.join(format!("{kind}--{}", at.repo.replace('/', "--")));
        let revision = at.revision_or_main();
        let commit = std::fs::read_to_string(repo.join("refs").join(revision)).unwrap_or_else(|_| revision.to_owned());
        let snapshot = repo.join("snapshots").join(commit.trim());
        let mut files = Vec::new();
        let mut folders = vec![snapshot.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).ok()?.flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(name) = path.strip_prefix(&snapshot) {
                    files.push(name.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        files.retain(|f| at.path.is_empty() || f == &at.path || f.starts_with(&format!("{}/", at.path)));
        files.sort();
        Some(files)
    }
}

fn list_files<T: RepoType>(repo: &HFRepositorySync<T>, revision: &str) -> Result<Vec<String>, HFError> {
    let entries = repo.list_tree().revision(revision).recursive(true).send()?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| match entry {
            hf_hub::repository::RepoTreeEntry::File { path, .. } => Some(path),
            hf_hub::repository::RepoTreeEntry::Directory { .. } => None,
        })
        .collect())
}

/// The files that a sharded model's index names.
fn shards(index: &Path) -> Option<Vec<String>> {
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(index).ok()?).ok()?;
    let names = index.get("weight_map")?.as_object()?.values().map(|v| v.as_str().map(str::to_owned));
    let names = names.collect::<Option<BTreeSet<String>>>()?;
    names.iter().all(|n| is_plain(Path::new(n))).then(|| names.into_iter().collect())
}
