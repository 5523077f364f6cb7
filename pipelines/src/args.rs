use std::path::PathBuf;

/// From raw news and prices to a tuned sentiment model and a back-tested strategy, in one run folder
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct Args {
    /// The flags of every binary.
    #[command(flatten)]
    pub common: cli::Common,
    /// Settings that fit a data set or a model: embedded, assessment, djia, llama-3.2-1b, llama-3.2-1b-instruct
    #[arg(long, default_value = "embedded")]
    pub preset: String,
    /// Folder that the preset's data paths are relative to [default: the embedded data]
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Where everything is written; call again with the same folder to resume [default: runs/PRESET]
    #[arg(long)]
    pub run_dir: Option<PathBuf>,
    /// Base model: a folder in Hugging Face form or a Hub id [default: the embedded tiny model]
    #[arg(long)]
    pub model: Option<String>,
    /// A PEFT adapter of that model: it reads the news, and nothing is trained for that
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// A sentence-transformers model folder for similar past cases [default: hashed n-grams, no model]
    #[arg(long, value_name = "DIR")]
    pub embedder: Option<PathBuf>,
    /// Where the agents' calls to models are kept and looked up [default: RUN_DIR/cassettes]
    #[arg(long, value_name = "DIR")]
    pub cassettes: Option<PathBuf>,
    /// Ask no model: every call of the agents must be on a cassette
    #[arg(long)]
    pub strict: bool,
}
