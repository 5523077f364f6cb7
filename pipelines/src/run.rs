use crate::config::preset;
use crate::{Args, RunConfig, ablation, deliverables, official_test, reasoning, trading};
use anyhow::Context;
use artifacts::rows::Language;
use artifacts::{Progress, RunOptions, Seed};
use providers::{CassetteMode, LocalModel, Provider};
use std::path::{Path, PathBuf};

/// One deliverable, and what has to be there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the binaries in src/bin say it")]
pub enum Step {
    Market,
    Features,
    PrepareData,
    Eda,
    Synthetic,
    Format,
    Train,
    Evaluate,
    OfficialTest,
    Decide,
    Backtest,
    Experiments,
    Ablation,
    All,
}

impl Step {
    /// What this step reads directly. With an adapter at hand, `trained`, nothing has to be trained for a decision.
    fn needs(self, trained: bool) -> &'static [Self] {
        match self {
            Self::Market => &[],
            Self::PrepareData | Self::Features => &[Self::Market],
            Self::Decide if trained => &[Self::Features],
            Self::Decide => &[Self::Train, Self::Features],
            Self::Eda | Self::Synthetic => &[Self::PrepareData],
            Self::Format => &[Self::Synthetic],
            Self::Train => &[Self::Format],
            Self::OfficialTest if trained => &[Self::PrepareData],
            Self::Evaluate | Self::OfficialTest => &[Self::Train],
            Self::Backtest => &[Self::Decide],
            Self::Experiments => &[Self::Backtest],
            Self::Ablation => ablation::NEEDS,
            Self::All => &[Self::Synthetic, Self::Eda, Self::Evaluate, Self::Experiments],
        }
    }
}

/// A run: its settings and its folder.
pub struct Run {
    /// All settings, resolved.
    pub config: RunConfig,
    /// The run's folder, one folder per stage in it.
    pub dir: PathBuf,
    data: PathBuf,
    model: PathBuf,
    trained: Option<PathBuf>,
    embedder: Option<PathBuf>,
    cassettes: PathBuf,
    strict: bool,
    hub: hub::HubConfig,
    seed: Seed,
    force: bool,
    progress: Box<dyn Progress>,
}

impl Run {
    /// Resolves preset, file and flags. Nothing if only the settings were asked for (they are printed).
    ///
    /// # Errors
    /// An unknown preset or setting, or a model that cannot be found.
    pub fn new(args: &Args) -> anyhow::Result<Option<Self>> {
        let mut layers = preset(&args.preset)?;
        if let Some(file) = &args.common.config {
            let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot read", file.display()))?;
            layers.push(toml::from_str(&text).with_context(|| format!("{}: not TOML", file.display()))?);
        }
        let mut config: RunConfig = cli::resolve(&RunConfig::default(), &layers, &args.common.set)?;
        if let Some(model) = &args.model {
            config.model.clone_from(model);
        }
        config.name_base_model();
        if args.common.print_config {
            cli::say(toml::to_string(&config)?.trim_end());
            return Ok(None);
        }
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let embedded = fixtures::root();
        let model =
            if config.model.is_empty() { embedded.join("model") } else { providers::find_model(&config.model, &hub)? };
        let dir = args.run_dir.clone().unwrap_or_else(|| Path::new("runs").join(&args.preset));
        Ok(Some(Self {
            cassettes: args.cassettes.clone().unwrap_or_else(|| dir.join("cassettes")),
            config,
            dir,
            data: args.data.clone().unwrap_or_else(fixtures::data),
            model,
            trained: args.adapter.clone(),
            embedder: args.embedder.clone(),
            strict: args.strict,
            hub,
            seed: args.common.seed(),
            force: args.common.force,
            progress: cli::progress(),
        }))
    }

    /// Brings `step` up to date, after everything it needs. What did not change is skipped.
    ///
    /// # Errors
    /// Whatever stops a stage, with the stage's name.
    pub fn bring_up_to_date(&self, step: Step) -> anyhow::Result<()> {
        let mut done = Vec::new();
        self.visit(step, &mut done)
    }

    fn visit(&self, step: Step, done: &mut Vec<Step>) -> anyhow::Result<()> {
        if done.contains(&step) {
            return Ok(());
        }
        for &needed in step.needs(self.trained.is_some()) {
            self.visit(needed, done)?;
        }
        done.push(step);
        self.execute(step).with_context(|| format!("{step:?}"))
    }

    fn execute(&self, step: Step) -> anyhow::Result<()> {
        let c = &self.config;
        match step {
            Step::Market => {
                ingest::market::run(&c.market, &self.data, &self.folder("ingest-market"), &self.ingest_options())?;
            }
            Step::Features => self.features(&self.folder("ingest-market"), &self.folder("features"))?,
            Step::PrepareData => self.ingest_texts(&c.sentiment, &self.folder("ingest"))?,
            Step::Eda => {
                self.look(&c.eda, "eda")?;
                for language in Language::ALL {
                    let only = eda::Config { only: Some(*language), ..c.eda.clone() };
                    self.look(&only, &format!("eda-{language}"))?;
                }
            }
            Step::Synthetic => {
                let inputs = synth::Inputs {
                    model: self.model.clone(),
                    adapter: None,
                    train: self.file("ingest", "train.parquet"),
                    eval: self.file("ingest", "eval.parquet"),
                };
                synth::run(&c.synth, &inputs, &self.folder("synth"), &self.options())?;
            }
            Step::Format => {
                let inputs = formatter::Inputs {
                    tokenizer: self.model.clone(),
                    train: self.training_files(),
                    eval: vec![self.file("ingest", "eval.parquet")],
                };
                formatter::run(&c.formatter, &inputs, &self.folder("formatter"), &self.options())?;
            }
            Step::Train => {
                let rows = self.file("formatter", "train.parquet");
                let inputs = trainer::Inputs { model: self.model.clone(), rows, dev: None };
                trainer::sft::run(&c.train, &inputs, &self.folder("trainer"), &self.options())?;
            }
            Step::Evaluate => {
                let inputs = evaluator::Inputs {
                    model: self.model.clone(),
                    adapter: Some(self.adapter()),
                    eval: self.file("formatter", "eval.parquet"),
                    dev: None,
                    examples: vec![self.file("ingest", "eval.parquet")],
                    train: self.training_files(),
                };
                evaluator::run(&c.evaluate, &inputs, &self.folder("evaluator"), &self.options())?;
            }
            Step::OfficialTest => official_test::run(self)?,
            Step::Decide => {
                let (market, features) = self.market();
                self.decide(&c.agent, true, (&market, &features), &self.folder("trading-agent"), &self.options())?;
                deliverables::baseline(self)?;
            }
            Step::Backtest => {
                reasoning::decide_on_twins(self)?;
                reasoning::account(self)?;
                reasoning::significance(self)?;
                reasoning::evaluate(self)?;
                deliverables::evaluation(self)?;
                deliverables::dashboard(self)?;
            }
            Step::Experiments => {
                trading::run(self)?;
                // more variants were tried since
                reasoning::significance(self)?;
                deliverables::evaluation(self)?;
                deliverables::experiments(self)?;
            }
            Step::Ablation => ablation::run(self)?,
            Step::All => {}
        }
        Ok(())
    }

    /// What is in the selected rows, and in the synthetic ones where there are any.
    fn look(&self, config: &eda::Config, folder: &str) -> anyhow::Result<()> {
        let mut examples = self.training_files();
        examples.insert(1, self.file("ingest", "eval.parquet"));
        let inputs = eda::Inputs { examples, rejected: vec![self.file("ingest", "rejected.parquet")] };
        eda::run_with_tokenizer(config, &inputs, Some(&self.model), &self.folder(folder), &self.options())?;
        Ok(())
    }

    /// Features of one market folder.
    pub(crate) fn features(&self, market: &Path, out: &Path) -> anyhow::Result<()> {
        features::run(&self.config.features, &features::Inputs::of_folder(market), out, &self.options())?;
        Ok(())
    }

    /// Decisions of one agent on one market folder with its features, read by the tuned or by the base model. Calls to models are
    /// kept, so that no two arms and no second run ask the same.
    pub(crate) fn decide(
        &self,
        agent: &trading_agent::AgentConfig,
        tuned: bool,
        (market, features): (&Path, &Path),
        out: &Path,
        options: &RunOptions<'_>,
    ) -> anyhow::Result<()> {
        let adapter = tuned.then(|| self.adapter());
        let inputs = trading_agent::Inputs {
            features: Some(features.join(features::FEATURES)),
            model_files: std::iter::once(self.model.clone()).chain(adapter.clone()).collect(),
            embedder: self.embedder.clone(),
            ..trading_agent::Inputs::of(market)
        };
        let open = || {
            LocalModel::open(&self.model, adapter.as_deref(), &self.config.formatter.date)
                .map(|model| Box::new(model) as Box<dyn Provider>)
        };
        let services = trading_agent::Services::new(&inputs.model_files, open).taped(&self.cassettes, self.mode());
        trading_agent::run_with(agent, &inputs, services, out, options)?;
        Ok(())
    }

    /// Whether models may be asked.
    pub(crate) fn mode(&self) -> CassetteMode {
        if self.strict { CassetteMode::Strict } else { CassetteMode::Replay }
    }

    /// Where calls to models are kept.
    pub(crate) fn cassettes(&self) -> &Path {
        &self.cassettes
    }

    /// The files of the model that reads the news: base, then adapter.
    pub(crate) fn reader_files(&self) -> Vec<PathBuf> {
        vec![self.model.clone(), self.adapter()]
    }

    /// The market as it is, with its features.
    pub(crate) fn market(&self) -> (PathBuf, PathBuf) {
        (self.folder("ingest-market"), self.folder("features"))
    }

    /// The account of the decisions in one folder.
    pub(crate) fn backtest(
        &self,
        config: &backtester::Config,
        decisions: &Path,
        placebo: Option<&Path>,
        out: &Path,
    ) -> anyhow::Result<()> {
        let (bars, decisions) = (self.file("ingest-market", "bars.parquet"), decisions.join("decisions.parquet"));
        let observations = self.file("ingest-market", "observations.parquet");
        let sources =
            backtester::Sources { bars: &bars, decisions: &decisions, observations: Some(&observations), placebo };
        backtester::run_among(config, &sources, out, &self.options())?;
        Ok(())
    }

    /// The selected texts under the given settings.
    pub(crate) fn ingest_texts(&self, config: &ingest::SentimentConfig, out: &Path) -> anyhow::Result<()> {
        ingest::sentiment::run(config, &self.data, out, &self.ingest_options())?;
        Ok(())
    }

    fn ingest_options(&self) -> ingest::Options<'_> {
        let hub = self.hub.clone();
        ingest::Options { seed: self.seed, force: self.force, progress: self.progress.as_ref(), hub }
    }

    /// What is trained on: real rows, and synthetic ones where any passed.
    pub(crate) fn training_files(&self) -> Vec<PathBuf> {
        let synthetic = self.file("synth", "synthetic.parquet");
        let real = self.file("ingest", "train.parquet");
        std::iter::once(real).chain(synthetic.exists().then_some(synthetic)).collect()
    }

    /// The base model's folder.
    pub(crate) fn model(&self) -> &Path {
        &self.model
    }

    /// The folder of one stage.
    pub fn folder(&self, stage: &str) -> PathBuf {
        self.dir.join(stage)
    }

    /// A file of one stage.
    pub fn file(&self, stage: &str, name: &str) -> PathBuf {
        self.dir.join(stage).join(name)
    }

    /// What every stage is told beside its settings and inputs.
    pub(crate) fn options(&self) -> RunOptions<'_> {
        RunOptions { seed: self.seed, force: self.force, progress: self.progress.as_ref() }
    }

    /// The adapter that reads news: the given one, or what was trained here.
    pub(crate) fn adapter(&self) -> PathBuf {
        if let Some(given) = &self.trained {
            return given.clone();
        }
        self.file("trainer", trainer::sft::ADAPTER)
    }
}
