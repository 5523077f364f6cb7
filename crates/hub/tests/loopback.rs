//! The client against a Hub on loopback.
#![allow(clippy::unwrap_used, reason = "tests")]

use hub::testing::TestHub;
use hub::{Error, Hub, HubConfig, HubPath, RepoKind, Source};
use std::path::Path;

const TOKEN: &str = "hf_test";

fn connect(endpoint: &str, cache: &Path, token: &str) -> Hub {
    Hub::new(HubConfig {
        endpoint: Some(endpoint.to_owned()),
        cache_dir: cache.to_owned(),
        token: Some(token.to_owned()),
        offline: false,
    })
    .unwrap()
}

fn place(text: &str) -> HubPath {
    match Source::parse(text).unwrap() {
        Source::Hub(at) => at,
        Source::Local(path) => panic!("{} is local", path.display()),
    }
}

#[test]
fn a_data_set_is_fetched_with_a_token_and_read_from_the_cache_afterwards() {
    let server = TestHub::start(Some(TOKEN)).unwrap();
    server.add_file(RepoKind::Dataset, "org/news", "main", "README.md", b"# news");
    server.add_file(RepoKind::Dataset, "org/news", "main", "data/test-00000.parquet", b"PAR1test");
    server.add_file(RepoKind::Dataset, "org/news", "main", "data/train-00000.parquet", b"PAR1train");
    let cache = tempfile::tempdir().unwrap();
    let client = connect(server.endpoint(), cache.path(), TOKEN);
    let files = client.fetch_matching(&place("hf://datasets/org/news"), ".parquet").unwrap();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["data/test-00000.parquet", "data/train-00000.parquet"]);
    assert_eq!(std::fs::read(&files[1].1).unwrap(), b"PAR1train");

    let gets = |s: &TestHub| s.requests().iter().filter(|r| r.starts_with("GET /datasets")).count();
    let before = gets(&server);
    client.fetch_matching(&place("hf://datasets/org/news"), ".parquet").unwrap();
    assert_eq!(gets(&server), before, "nothing is downloaded twice");

    drop(server);
    let offline =
        Hub::new(HubConfig { endpoint: None, cache_dir: cache.path().to_owned(), token: None, offline: true }).unwrap();
    assert_eq!(offline.fetch_matching(&place("hf://datasets/org/news"), ".parquet").unwrap(), files);
    let missing = offline.fetch_file(&place("hf://datasets/org/other/x.csv")).unwrap_err();
    assert!(matches!(missing, Error::NotCached { .. }), "{missing}");
}

#[test]
fn a_data_set_without_parquet_is_taken_from_the_converted_branch() {
    let server = TestHub::start(None).unwrap();
    server.add_file(RepoKind::Dataset, "uit/vsfc", "main", "vsfc.py", b"loader");
    server.add_file(RepoKind::Dataset, "uit/vsfc", "refs/convert/parquet", "default/train/0000.parquet", b"PAR1");
    let cache = tempfile::tempdir().unwrap();
    let client = connect(server.endpoint(), cache.path(), TOKEN);
    let files = client.fetch_matching(&place("hf://datasets/uit/vsfc"), "**/*.parquet").unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].0, "default/train/0000.parquet");
}

#[test]
fn a_model_comes_as_one_folder_with_all_its_shards() {
    let server = TestHub::start(Some(TOKEN)).unwrap();
    let add = |path: &str, bytes: &[u8]| server.add_file(RepoKind::Model, "org/llama", "main", path, bytes);
    add("config.json", b"{}");
    add("tokenizer.json", b"{}");
    add("onnx/model.onnx", b"large and not wanted");
    add("model-00001-of-00002.safetensors", b"one");
    add("model-00002-of-00002.safetensors", b"two");
    let index = r#"{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#;
    add("model.safetensors.index.json", index.as_bytes());
    let cache = tempfile::tempdir().unwrap();
    let folder = connect(server.endpoint(), cache.path(), TOKEN).fetch_model("org/llama").unwrap();
    for (file, bytes) in [("model-00001-of-00002.safetensors", b"one"), ("model-00002-of-00002.safetensors", b"two")] {
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), bytes);
    }
    assert!(folder.join("tokenizer.json").exists() && !folder.join("onnx").exists());
}

#[test]
fn an_interrupted_download_goes_on_where_it_was() {
    let server = TestHub::start(Some(TOKEN)).unwrap();
    let weights: Vec<u8> = (0..=250).cycle().take(100_500).collect();
    server.add_file(RepoKind::Model, "org/llama", "main", "model.safetensors", &weights);
    let cache = tempfile::tempdir().unwrap();
    let at = place("hf://org/llama/model.safetensors");
    let client = || connect(server.endpoint(), cache.path(), TOKEN).with_pieces_of(10_000);
    server.answer_only(Some(4));
    assert!(client().fetch_file(&at).is_err());
    assert_eq!(server.ranges(), ["bytes=0-9999", "bytes=10000-19999", "bytes=20000-29999", "bytes=30000-39999"]);

    // What a kill in the middle of a piece leaves behind is not trusted.
    let blobs = cache.path().join("models--org--llama/blobs");
    let partial = std::fs::read_dir(&blobs).unwrap().flatten().find(|e| e.path().extension().is_some()).unwrap().path();
    assert_eq!(std::fs::metadata(&partial).unwrap().len(), 40_000);
    std::fs::write(&partial, [&weights[..40_000], &[9; 77]].concat()).unwrap();
    server.answer_only(None);
    let fetched = client().fetch_file(&at).unwrap();
    assert_eq!(std::fs::read(&fetched).unwrap(), weights);
    assert_eq!(
        server.ranges()[4..],
        [
            "bytes=40000-49999",
            "bytes=50000-59999",
            "bytes=60000-69999",
            "bytes=70000-79999",
            "bytes=80000-89999",
            "bytes=90000-99999",
            "bytes=100000-100499",
        ]
    );
    assert!(!partial.exists());
    client().fetch_file(&at).unwrap();
    assert_eq!(server.ranges().len(), 11, "nothing is downloaded twice");
}

#[test]
fn each_refusal_says_what_to_do() {
    let server = TestHub::start(Some(TOKEN)).unwrap();
    server.add_file(RepoKind::Model, "org/bert", "main", "pytorch_model.bin", b"x");
    server.add_file(RepoKind::Model, "org/bert", "main", "config.json", b"{}");
    server.add_file(RepoKind::Dataset, "org/gated", "main", "a.csv", b"x");
    server.gate(RepoKind::Dataset, "org/gated");
    let cache = tempfile::tempdir().unwrap();
    let client = connect(server.endpoint(), cache.path(), TOKEN);
    let wrong = connect(server.endpoint(), cache.path(), "hf_wrong");

    let cases: [(Error, &str); 8] = [
        (wrong.fetch_file(&place("hf://org/bert/config.json")).unwrap_err(), "set HF_TOKEN to a valid one"),
        (wrong.list(&place("hf://org/bert")).unwrap_err(), "401"),
        (client.fetch_file(&place("hf://datasets/org/gated/a.csv")).unwrap_err(), "accept the repository's terms"),
        (client.fetch_file(&place("hf://org/bert/nope.json")).unwrap_err(), "it has config.json, pytorch_model.bin"),
        (client.fetch_file(&place("hf://org/nobody/config.json")).unwrap_err(), "no such repository"),
        (client.list(&place("hf://org/bert@v9")).unwrap_err(), "no revision `v9`"),
        (client.fetch_model("org/bert").unwrap_err(), ".safetensors is missing"),
        (client.fetch_matching(&place("hf://org/bert"), "*.csv").unwrap_err(), "no file matches `*.csv`"),
    ];
    for (error, expected) in cases {
        let message = error.to_string();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn an_unreachable_hub_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{free}");
    let cache = tempfile::tempdir().unwrap();
    let error = connect(&endpoint, cache.path(), TOKEN).fetch_model("org/llama").unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.to_string().contains(&endpoint), "{error}");
}

#[test]
fn a_pushed_folder_comes_back_byte_for_byte() {
    let server = TestHub::start(Some(TOKEN)).unwrap();
    let (cache, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let weights: Vec<u8> = (0..=255).cycle().take(5000).collect();
    std::fs::write(folder.path().join("adapter_config.json"), r#"{"r": 8}"#).unwrap();
    std::fs::write(folder.path().join("adapter_model.safetensors"), &weights).unwrap();
    let client = connect(server.endpoint(), cache.path(), TOKEN);
    let at = HubPath::model("org/adapter");
    let url = client.push_folder(&at, folder.path(), "first", true).unwrap().unwrap();
    assert!(url.contains("/commit/"), "{url}");
    assert_eq!(server.file(RepoKind::Model, "org/adapter", "adapter_model.safetensors").unwrap(), weights);

    std::fs::write(folder.path().join("README.md"), "# adapter").unwrap();
    client.push_folder(&at, folder.path(), "second", true).unwrap();
    let fetched = client.fetch_file(&at.at("adapter_model.safetensors")).unwrap();
    assert_eq!(std::fs::read(fetched).unwrap(), weights);

    let wrong = connect(server.endpoint(), cache.path(), "hf_wrong").push_folder(&at, folder.path(), "no", true);
    assert!(matches!(wrong, Err(Error::Unauthorised { .. })), "{wrong:?}");
    let empty = tempfile::tempdir().unwrap();
    let error = client.push_folder(&at, empty.path(), "empty", true).unwrap_err();
    assert!(error.to_string().contains("at least one file"), "{error}");
}

#[test]
fn the_environment_is_honoured_through_a_lookup() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("token"), "hf_from_file\n").unwrap();
    let path = home.path().to_string_lossy().into_owned();
    let get = |name: &str| match name {
        "HF_HOME" => Some(path.clone()),
        "HF_ENDPOINT" => Some("http://mirror".to_owned()),
        "HF_TOKEN" => Some(String::new()),
        _ => None,
    };
    let config = HubConfig::from_environment(get);
    assert_eq!(config.endpoint.as_deref(), Some("http://mirror"));
    assert_eq!(config.token.as_deref(), Some("hf_from_file"), "an empty variable is no token");
    assert_eq!(config.cache_dir, home.path().join("hub"));
    let cache = HubConfig::from_environment(|n| (n == "HF_HUB_CACHE").then(|| "here".to_owned())).cache_dir;
    assert_eq!(cache, Path::new("here"));
}
