use std::path::{Path, PathBuf};

/// Where the Hub is, where its files are kept, and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Base address of the Hub; the public Hub where there is none.
    pub endpoint: Option<String>,
    /// The cache folder, laid out as all Hub clients lay it out.
    pub cache_dir: PathBuf,
    /// The access token. Without one the underlying client still looks for the token of whoever is logged in.
    pub token: Option<String>,
    /// Use the cache only.
    pub offline: bool,
}

impl HubConfig {
    /// The configuration that the environment asks for, given as a lookup so that only binaries touch the real one:
    /// `HF_ENDPOINT`; `HF_HUB_CACHE`, or `hub` below `HF_HOME` (by default `XDG_CACHE_HOME/huggingface`, or
    /// `.cache/huggingface` below `HOME`); `HF_TOKEN`, the file `HF_TOKEN_PATH`, or the file `token` in `HF_HOME`;
    /// `HF_HUB_OFFLINE`.
    ///
    /// ```
    /// let env = |name: &str| (name == "HF_HOME").then(|| "hf".to_owned());
    /// assert_eq!(hub::HubConfig::from_environment(env).cache_dir, std::path::Path::new("hf/hub"));
    /// ```
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let home = get("HF_HOME")
            .map(PathBuf::from)
            .or_else(|| get("XDG_CACHE_HOME").map(|x| Path::new(&x).join("huggingface")))
            .or_else(|| get("HOME").map(|h| Path::new(&h).join(".cache").join("huggingface")))
            .unwrap_or_else(|| PathBuf::from(".huggingface"));
        let cache_dir = get("HF_HUB_CACHE").map_or_else(|| home.join("hub"), PathBuf::from);
        let token_file = get("HF_TOKEN_PATH").map_or_else(|| home.join("token"), PathBuf::from);
        let read =
            |path: &Path| std::fs::read_to_string(path).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let yes = |v: String| matches!(v.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on");
        Self {
            endpoint: get("HF_ENDPOINT"),
            cache_dir,
            token: get("HF_TOKEN").or_else(|| read(&token_file)),
            offline: get("HF_HUB_OFFLINE").is_some_and(yes),
        }
    }
}
