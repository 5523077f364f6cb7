use serde::{Deserialize, Serialize};
use std::path::Path;

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
    /// What is computed from them.
    pub features: features::FeaturesConfig,
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
    /// Ways to teach the task, compared.
    pub ablation: crate::ablation::AblationConfig,
    /// News and numbers to positions.
    pub agent: trading_agent::AgentConfig,
    /// Positions to an account.
    pub backtest: backtester::Config,
    /// What the account is worth.
    pub significance: backtester::SignificanceConfig,
    /// Whether the decisions' reasons hold.
    pub reasoning: evaluator::reasoning::ReasoningConfig,
    /// What the model may have remembered.
    pub leakage: evaluator::reasoning::leakage::LeakageConfig,
    /// Strategies, compared.
    pub experiments: crate::trading::TradingConfig,
    /// Limits of the service.
    pub service: service::Config,
}

const ASSESSMENT: &str = include_str!("../presets/assessment.toml");
const LLAMA: &str = include_str!("../presets/llama-3.2-1b.toml");

/// The presets that ship with the program: what stands later wins.
const PRESETS: [(&str, &[&str]); 5] = [
    ("embedded", &[include_str!("../presets/embedded.toml")]),
    ("assessment", &[ASSESSMENT]),
    ("djia", &[ASSESSMENT, include_str!("../presets/djia.toml")]),
    ("llama-3.2-1b", &[ASSESSMENT, LLAMA]),
    ("llama-3.2-1b-instruct", &[ASSESSMENT, LLAMA, include_str!("../presets/llama-3.2-1b-instruct.toml")]),
];

/// The settings of a preset, layer by layer.
///
/// # Errors
/// There is no such preset; the error lists them.
pub(crate) fn preset(name: &str) -> anyhow::Result<Vec<toml::Table>> {
    let found = PRESETS.iter().find(|(n, _)| *n == name);
    let Some((_, layers)) = found else {
        let known = PRESETS.map(|(n, _)| n).join(", ");
        anyhow::bail!(
            "--preset {name}: there is no such preset; known presets are {known} (own settings: --config FILE)"
        );
    };
    Ok(layers.iter().map(|text| toml::from_str(text)).collect::<Result<_, _>>()?)
}

impl RunConfig {
    /// Gives the adapter the name of the base model it belongs to, where none was set: the Hub id, or the folder's name.
    pub(crate) fn name_base_model(&mut self) {
        let unset = trainer::TrainConfig::default().base_model_name;
        if self.model.is_empty() || self.train.base_model_name != unset {
            return;
        }
        let path = Path::new(&self.model);
        let folder = path.file_name().filter(|_| path.is_dir()).map(|name| name.to_string_lossy().into_owned());
        self.train.base_model_name = folder.unwrap_or_else(|| self.model.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(name: &str) -> RunConfig {
        cli::resolve(&RunConfig::default(), &preset(name).unwrap(), &[]).unwrap()
    }

    #[test]
    fn every_preset_resolves_and_the_later_layer_wins() {
        for (name, _) in PRESETS {
            resolved(name);
        }
        let instruct = resolved("llama-3.2-1b-instruct");
        assert_eq!(instruct.model, "unsloth/Llama-3.2-1B-Instruct");
        assert_eq!(instruct.train, resolved("llama-3.2-1b").train);
        assert_eq!(instruct.agent, resolved("assessment").agent);
        assert!(preset("llama").unwrap_err().to_string().contains("llama-3.2-1b-instruct"));
    }

    #[test]
    fn an_adapter_is_named_after_its_base_model_and_never_after_a_path() {
        let mut config = resolved("llama-3.2-1b");
        config.name_base_model();
        assert_eq!(config.train.base_model_name, "unsloth/Llama-3.2-1B");
        let folder = tempfile::tempdir().unwrap();
        let mut config = RunConfig { model: folder.path().to_string_lossy().into_owned(), ..RunConfig::default() };
        config.name_base_model();
        assert!(!config.train.base_model_name.contains('/'), "{}", config.train.base_model_name);
    }
}
