use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The shape of a Llama, as Hugging Face's `config.json` describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key/value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Longest row, in tokens.
    pub max_position_embeddings: usize,
    /// Added to the mean square in norms.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Llama 3's stretched frequencies, if any.
    pub rope_scaling: Option<RopeScaling>,
    /// Whether the head is the embedding.
    pub tie_word_embeddings: bool,
    /// First token of a text.
    pub bos_token_id: Option<u32>,
    /// Tokens that end a text; those of `generation_config.json` where it has some.
    pub eos_token_ids: Vec<u32>,
}

/// The `llama3` rule: long wavelengths are divided by `factor`, short ones kept, those between blended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RopeScaling {
    /// Divisor of low frequencies.
    pub factor: f64,
    /// Wavelengths above `original / low_freq_factor` are divided.
    pub low_freq_factor: f64,
    /// Wavelengths below `original / high_freq_factor` are kept.
    pub high_freq_factor: f64,
    /// Context length before stretching.
    pub original_max_position_embeddings: usize,
}

impl Config {
    /// A small model to pretrain: heads of width 8 to 64, two query heads a key/value head where that divides, an MLP of
    /// 8/3 the width, tied head, 512 positions.
    pub fn small(vocab_size: usize, hidden_size: usize, num_hidden_layers: usize) -> Self {
        let head_dim = (hidden_size / 8).next_multiple_of(2).clamp(8, 64);
        let heads = (hidden_size / head_dim).max(1);
        Self {
            vocab_size,
            hidden_size,
            intermediate_size: (hidden_size * 8 / 3).next_multiple_of(8),
            num_hidden_layers,
            num_attention_heads: heads,
            num_key_value_heads: if heads.is_multiple_of(2) { heads / 2 } else { heads },
            head_dim,
            max_position_embeddings: 512,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            rope_scaling: None,
            tie_word_embeddings: true,
            bos_token_id: None,
            eos_token_ids: Vec::new(),
        }
    }

    /// Reads `config.json` (and the end tokens of `generation_config.json`) in `dir`. Whatever this crate does not
    /// compute is an error that names the field.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join("config.json");
        let fields = read_object(&path)?;
        let mut config = Fields { path: &path, fields: &fields }.config()?;
        let generation = dir.join("generation_config.json");
        if generation.exists() {
            let ids = token_ids(read_object(&generation)?.get("eos_token_id"));
            if !ids.is_empty() {
                config.eos_token_ids = ids;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Refuses shapes that do not fit together.
    pub fn check(&self) -> Result<()> {
        let bad = |field, found: String, expected: String| Err(Error::BadSetting { field, found, expected });
        for (field, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ] {
            if value == 0 {
                return bad(field, "0".into(), "at least 1".into());
            }
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            let expected = format!("a divisor of num_attention_heads, {}", self.num_attention_heads);
            return bad("num_key_value_heads", self.num_key_value_heads.to_string(), expected);
        }
        if !self.head_dim.is_multiple_of(2) {
            return bad("head_dim", self.head_dim.to_string(), "even".into());
        }
        if !(self.rms_norm_eps > 0.0 && self.rope_theta > 1.0) {
            let found = format!("{} with rope_theta {}", self.rms_norm_eps, self.rope_theta);
            return bad("rms_norm_eps", found, "above 0, with rope_theta above 1".into());
        }
        Ok(())
    }

    /// The text of a `config.json` that transformers reads.
    pub fn to_json(&self) -> String {
        let scaling = self.rope_scaling.map(|s| {
            json!({
                "factor": s.factor,
                "high_freq_factor": s.high_freq_factor,
                "low_freq_factor": s.low_freq_factor,
                "original_max_position_embeddings": s.original_max_position_embeddings,
                "rope_type": "llama3",
            })
        });
        let eos = match self.eos_token_ids.as_slice() {
            [] => Value::Null,
            [one] => json!(one),
            many => json!(many),
        };
        let value = json!({
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": false,
            "attention_dropout": 0.0,
            "bos_token_id": self.bos_token_id,
            "eos_token_id": eos,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "hidden_size": self.hidden_size,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.max_position_embeddings,
            "mlp_bias": false,
            "model_type": "llama",
            "num_attention_heads": self.num_attention_heads,
            "num_hidden_layers": self.num_hidden_layers,
            "num_key_value_heads": self.num_key_value_heads,
            "rms_norm_eps": self.rms_norm_eps,
            "rope_scaling": scaling,
            "rope_theta": self.rope_theta,
            "tie_word_embeddings": self.tie_word_embeddings,
            "torch_dtype": "float32",
            "use_cache": true,
            "vocab_size": self.vocab_size,
        });
        format!("{value:#}\n")
    }
}

fn read_object(path: &Path) -> Result<Map<String, Value>> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.into(), action: "read", source })?;
    serde_json::from_str(&text)
        .map_err(|e| Error::BadConfig { path: path.into(), message: format!("not a JSON object ({e})") })
}

fn token_ids(value: Option<&Value>) -> Vec<u32> {
    let id = |v: &Value| v.as_u64().and_then(|id| u32::try_from(id).ok());
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        Some(one) => id(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A JSON object with the file it came from, for messages.
struct Fields<'a> {
    path: &'a Path,
    fields: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn config(&self) -> Result<Config> {
        self.only("model_type", &json!("llama"), "only llama models can be read")?;
        self.only("hidden_act", &json!("silu"), "only silu is supported")?;
        for field in ["attention_bias", "mlp_bias"] {
            self.only(field, &json!(false), "layers with biases are not supported")?;
        }
        if let Some(found) = self.get("quantization_config") {
            return Err(self.unsupported("quantization_config", found, "give the model in bf16, f16 or f32"));
        }
        let hidden_size = self.count("hidden_size")?;
        let num_attention_heads = self.count("num_attention_heads")?;
        let or = |field, value: usize| if self.get(field).is_some() { self.count(field) } else { Ok(value) };
        let (rope_theta, rope_scaling) = self.rope()?;
        Ok(Config {
            vocab_size: self.count("vocab_size")?,
            hidden_size,
            intermediate_size: self.count("intermediate_size")?,
            num_hidden_layers: self.count("num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads: or("num_key_value_heads", num_attention_heads)?,
            head_dim: or("head_dim", hidden_size / num_attention_heads.max(1))?,
            max_position_embeddings: or("max_position_embeddings", 2048)?,
            rms_norm_eps: self.number_or("rms_norm_eps", 1e-6)?,
            rope_theta,
            rope_scaling,
            tie_word_embeddings: self.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
            bos_token_id: token_ids(self.get("bos_token_id")).first().copied(),
            eos_token_ids: token_ids(self.get("eos_token_id")),
        })
    }

    /// transformers 5 keeps everything in `rope_parameters`; before, theta stood alone beside `rope_scaling`.
    fn rope(&self) -> Result<(f64, Option<RopeScaling>)> {
        let (name, table) = match (self.get("rope_parameters"), self.get("rope_scaling")) {
            (Some(table), _) => ("rope_parameters", table),
            (None, Some(table)) => ("rope_scaling", table),
            (None, None) => return Ok((self.number_or("rope_theta", 10_000.0)?, None)),
        };
        let Value::Object(table) = table else {
            return Err(self.unsupported(name, table, "expected an object"));
        };
        let inner = Fields { path: self.path, fields: table };
        let theta = match inner.get("rope_theta") {
            Some(_) => inner.number_or("rope_theta", 0.0)?,
            None => self.number_or("rope_theta", 10_000.0)?,
        };
        let kind = inner.get("rope_type").or_else(|| inner.get("type")).and_then(Value::as_str).unwrap_or("default");
        match kind {
            "default" => Ok((theta, None)),
            "llama3" => {
                let scaling = RopeScaling {
                    factor: inner.number("factor")?,
                    low_freq_factor: inner.number("low_freq_factor")?,
                    high_freq_factor: inner.number("high_freq_factor")?,
                    original_max_position_embeddings: inner.count("original_max_position_embeddings")?,
                };
                Ok((theta, Some(scaling)))
            }
            other => Err(self.unsupported(name, &json!(other), "only `llama3` and `default` are supported")),
        }
    }

    /// The field's value; null counts as absent.
    fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|v| !v.is_null())
    }

    fn only(&self, field: &str, value: &Value, supported: &'static str) -> Result<()> {
        match self.get(field) {
            Some(found) if found != value => Err(self.unsupported(field, found, supported)),
            _ => Ok(()),
        }
    }

    fn unsupported(&self, field: &str, found: &Value, supported: &'static str) -> Error {
        Error::Unsupported { path: self.path.into(), field: field.into(), found: found.to_string(), supported }
    }

    fn count(&self, field: &str) -> Result<usize> {
        let value = self.get(field).and_then(Value::as_u64);
        value.map(|v| v as usize).ok_or_else(|| self.wrong(field, "a whole number"))
    }

    fn number(&self, field: &str) -> Result<f64> {
        self.get(field).and_then(Value::as_f64).ok_or_else(|| self.wrong(field, "a number"))
    }

    fn number_or(&self, field: &str, default: f64) -> Result<f64> {
        if self.get(field).is_some() { self.number(field) } else { Ok(default) }
    }

    fn wrong(&self, field: &str, expected: &str) -> Error {
        let found = self.fields.get(field).map_or_else(|| "missing".to_owned(), ToString::to_string);
        Error::BadConfig { path: self.path.into(), message: format!("`{field}` is {found}; it must be {expected}") }
    }
}
