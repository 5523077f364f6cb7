//! What sentence-transformers writes beside a model.

use super::optional;
use crate::Error;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

const MODULES: &str = "modules.json";
const LENGTHS: &str = "sentence_bert_config.json";
const PROMPTS: &str = "config_sentence_transformers.json";
const POOLING: &str = "1_Pooling/config.json";
/// The files read here; none is required.
pub(super) const FILES: [&str; 4] = [MODULES, LENGTHS, PROMPTS, POOLING];

/// How texts become tokens and hidden states a vector, as far as models differ in it.
pub(super) struct SentenceConfig {
    pub(super) max_tokens: Option<usize>,
    pub(super) lower_case: bool,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize, Default)]
struct Lengths {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize)]
struct Prompts {
    default_prompt_name: Option<String>,
}

impl SentenceConfig {
    /// # Errors
    /// The model needs a step that is not made here: its vectors would be others than those it was trained to give.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let bad = |file: &str, message: String| Err(Error::BadFile { path: folder.join(file), message });
        let steps = ["Transformer", "Pooling", "Normalize"];
        let other = |module: &Module| !steps.contains(&module.kind.rsplit('.').next().unwrap_or_default());
        let modules = optional::<Vec<Module>>(&folder.join(MODULES))?.unwrap_or_default();
        if let Some(module) = modules.into_iter().find(other) {
            let kind = module.kind;
            return bad(MODULES, format!("the model has a step `{kind}`; take one with {} only", steps.join(", ")));
        }
        if let Some(name) = optional::<Prompts>(&folder.join(PROMPTS))?.and_then(|p| p.default_prompt_name) {
            return bad(PROMPTS, format!("the model puts its prompt `{name}` before texts; take one without"));
        }
        if optional::<Map<_, _>>(&folder.join(POOLING))?.is_some_and(|pooling| !pools_by_mean(&pooling)) {
            return bad(POOLING, "the model does not pool by the mean of its tokens; take one that does".into());
        }
        let Lengths { max_seq_length, do_lower_case } = optional(&folder.join(LENGTHS))?.unwrap_or_default();
        if let Some(few) = max_seq_length.filter(|most| *most < 3) {
            return bad(LENGTHS, format!("max_seq_length is {few}; two special tokens leave no room for a text"));
        }
        Ok(Self { max_tokens: max_seq_length, lower_case: do_lower_case })
    }
}

/// The file has one flag for each way of pooling, such as `pooling_mode_mean_tokens`; several may be set.
fn pools_by_mean(pooling: &Map<String, Value>) -> bool {
    let chosen: Vec<&str> = pooling
        .iter()
        .filter(|(_, on)| on.as_bool() == Some(true))
        .filter_map(|(name, _)| name.strip_prefix("pooling_mode_"))
        .collect();
    chosen == ["mean_tokens"]
}
