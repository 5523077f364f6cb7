use crate::Error;
use kernels::encoder::Activation;
use serde::Deserialize;
use std::path::Path;

/// What config.json says that a vector depends on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BertConfig {
    pub(super) vocab_size: usize,
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    hidden_act: String,
    pub(super) max_position_embeddings: usize,
    pub(super) type_vocab_size: usize,
    #[serde(default = "published_eps")]
    pub(super) layer_norm_eps: f64,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default)]
    add_cross_attention: bool,
}

/// Keys that change nothing about a vector: training, generation, classification heads, bookkeeping.
const WITHOUT_EFFECT: [&str; 32] = [
    "_name_or_path",
    "_num_labels",
    "architectures",
    "attention_probs_dropout_prob",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "directionality",
    "dtype",
    "eos_token_id",
    "finetuning_task",
    "gradient_checkpointing",
    "hidden_dropout_prob",
    "id2label",
    "initializer_range",
    "label2id",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "pad_token_id",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "problem_type",
    "tie_word_embeddings",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "use_cache",
];

fn published_eps() -> f64 {
    1e-12
}

impl BertConfig {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let bad = |message: String| Error::BadFile { path: path.to_owned(), message };
        let mut keys: serde_json::Map<String, serde_json::Value> = super::required(path)?;
        // Said first: the file of another kind of model has other keys, too.
        if let Some(kind) = keys.get("model_type").and_then(|m| m.as_str()).filter(|m| *m != "bert") {
            return Err(bad(format!("model_type is `{kind}`; only `bert` can embed here, such as all-MiniLM-L6-v2")));
        }
        keys.remove("model_type");
        for key in WITHOUT_EFFECT {
            keys.remove(key);
        }
        let config: Self = serde_json::from_value(keys.into()).map_err(|e| {
            bad(format!("{e}; a key that is not known here could change every vector, so none is passed over"))
        })?;
        config.check().map_err(bad)?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
        if hidden == 0 || heads == 0 || !hidden.is_multiple_of(heads) {
            return Err(format!("hidden_size {hidden} is no multiple of num_attention_heads {heads}"));
        }
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{name} is 0; it must be at least 1"));
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return Err(format!("layer_norm_eps is {}; it must be a number of at least 0", self.layer_norm_eps));
        }
        if let Some(kind) = self.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
            return Err(format!("position_embedding_type is `{kind}`; only `absolute` can embed here"));
        }
        if self.is_decoder || self.add_cross_attention {
            return Err("the model is a decoder (is_decoder, add_cross_attention); only encoders can embed here".into());
        }
        self.activation().map(|_| ())
    }

    pub(super) fn activation(&self) -> Result<Activation, String> {
        match self.hidden_act.as_str() {
            "gelu" | "gelu_python" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            other => Err(format!("hidden_act is `{other}`; known are gelu, gelu_new, gelu_pytorch_tanh and relu")),
        }
    }
}
