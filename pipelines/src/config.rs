use serde::{Deserialize, Serialize};

/// Every setting of a run, stage by stage. `--print-config` shows it resolved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// The base model, for `--model`: a folder or a Hub id; empty: the embedded tiny model.
    pub model: String,
    /// The texts: sources, cleaning, selection.
    pub sentiment: ingest::SentimentConfig,
    /// Prices, news and other numbers.
    pub market: ingest::MarketConfig,
    /// The look at the data.
    pub eda: eda::Config,
    /// Generated rows.
    pub synth: synth::Config,
    /// Rows to tokens.
    pub formatter: formatter::Config,
    /// LoRA fine-tuning.
    pub train: trainer::TrainConfig,
    /// Base against tuned.
    pub evaluate: evaluator::Config,
    /// News and numbers to positions.
    pub agent: trading_agent::AgentConfig,
    /// Positions to an account.
    pub backtest: backtester::Config,
}

/// The presets that ship with the program.
const PRESETS: [(&str, &str); 2] = [
    ("embedded", include_str!("../presets/embedded.toml")),
    ("assessment", include_str!("../presets/assessment.toml")),
];

/// The settings of a preset.
///
/// # Errors
/// There is no such preset; the error lists them.
pub(crate) fn preset(name: &str) -> anyhow::Result<toml::Table> {
    let found = PRESETS.iter().find(|(n, _)| *n == name);
    let Some((_, text)) = found else {
        let known = PRESETS.map(|(n, _)| n).join(", ");
        anyhow::bail!(
            "--preset {name}: there is no such preset; known presets are {known} (own settings: --config FILE)"
        );
    };
    Ok(toml::from_str(text)?)
}
