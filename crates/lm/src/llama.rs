use crate::block::{Block, Stream};
use crate::checkpoint::Checkpoint;
use crate::initialise::fresh;
use crate::parameter::Parameter;
use crate::rotary::Rotary;
use crate::{Config, Error, KvCache, Result};
use candle_core::{DType, Device, Tensor, Var};
use lora::{Adaptable, Linear, LoraConfig, Pass};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows of token ids of any lengths; padding happens inside the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The rows.
    pub ids: Vec<Vec<u32>>,
}

impl Batch {
    /// The rows as [`Llama::hidden`] takes them.
    pub fn rows(&self) -> Vec<&[u32]> {
        self.ids.iter().map(Vec::as_slice).collect()
    }
}

/// A Llama decoder.
#[derive(Debug)]
pub struct Llama {
    config: Config,
    dtype: DType,
    device: Device,
    rotary: Rotary,
    embedding: Parameter,
    blocks: Vec<Block>,
    norm: Parameter,
    /// None: the embedding is the head.
    head: Option<Linear>,
    adapter: Option<LoraConfig>,
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const NORM: &str = "model.norm.weight";
const HEAD: &str = "lm_head";

impl Llama {
    /// Reads a Hugging Face model folder (one safetensors file or shards; f32, f16 or bf16) as a frozen f32 model.
    pub fn load(dir: &Path, device: &Device) -> Result<Self> {
        Self::load_as(dir, DType::F32, device)
    }

    /// As [`Llama::load`], computing in another dtype.
    pub fn load_as(dir: &Path, dtype: DType, device: &Device) -> Result<Self> {
        Self::read(dir, dtype, device, |tensor| Ok(Parameter::Frozen(tensor)))
    }

    /// As [`Llama::load_as`], every parameter trainable: to continue a pretraining.
    pub fn load_trainable(dir: &Path, dtype: DType, device: &Device) -> Result<Self> {
        Self::read(dir, dtype, device, |tensor| Ok(Parameter::Trainable(Var::from_tensor(&tensor)?)))
    }

    fn read(dir: &Path, dtype: DType, device: &Device, make: impl Fn(Tensor) -> Result<Parameter>) -> Result<Self> {
        let config = Config::load(dir)?;
        let tied = config.tie_word_embeddings;
        let mut checkpoint = Checkpoint::open(dir)?;
        let model =
            Self::build(config, dtype, device, |name, shape| make(checkpoint.read(name, shape, dtype, device)?))?;
        checkpoint.finish(tied)?;
        Ok(model)
    }

    /// A fresh f32 model, every parameter trainable: weights from N(0, 0.02), norms 1, as transformers starts.
    pub fn initialise(config: Config, seed: u64, device: &Device) -> Result<Self> {
        config.check()?;
        Self::build(config, DType::F32, device, |name, shape| {
            let tensor = fresh(name, shape, seed, DType::F32, device)?;
            Ok(Parameter::Trainable(Var::from_tensor(&tensor)?))
        })
    }

    fn build(
        config: Config,
        dtype: DType,
        device: &Device,
        mut make: impl FnMut(&str, &[usize]) -> Result<Parameter>,
    ) -> Result<Self> {
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (q, kv) = (config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim);
        let embedding = make(EMBEDDING, &[config.vocab_size, hidden])?;
        let mut blocks = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let mut part = |name: &str, shape: &[usize]| make(&format!("model.layers.{i}.{name}.weight"), shape);
            blocks.push(Block {
                input_norm: part("input_layernorm", &[hidden])?,
                q: part("self_attn.q_proj", &[q, hidden])?.into(),
                k: part("self_attn.k_proj", &[kv, hidden])?.into(),
                v: part("self_attn.v_proj", &[kv, hidden])?.into(),
                o: part("self_attn.o_proj", &[hidden, q])?.into(),
                post_norm: part("post_attention_layernorm", &[hidden])?,
                gate: part("mlp.gate_proj", &[mlp, hidden])?.into(),
                up: part("mlp.up_proj", &[mlp, hidden])?.into(),
                down: part("mlp.down_proj", &[hidden, mlp])?.into(),
            });
        }
        let norm = make(NORM, &[hidden])?;
        let untied = !config.tie_word_embeddings;
        let head = untied
            .then(|| make(&format!("{HEAD}.weight"), &[config.vocab_size, hidden]))
            .transpose()?
            .map(Linear::from);
        let rotary = Rotary::new(&config, dtype, device);
        Ok(Self { config, dtype, device: device.clone(), rotary, embedding, blocks, norm, head, adapter: None })
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where its tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The settings of the adapter it carries.
    pub fn adapter(&self) -> Option<&LoraConfig> {
        self.adapter.as_ref()
    }

    /// Puts a fresh adapter on a frozen model; it changes nothing until trained.
    pub fn attach_lora(&mut self, config: &LoraConfig, seed: u64) -> Result<()> {
        lora::attach(self, config, seed)?;
        self.adapter = Some(config.clone());
        Ok(())
    }

    /// Puts the adapter of a PEFT folder on a frozen model.
    pub fn load_adapter(&mut self, dir: &Path) -> Result<()> {
        self.adapter = Some(lora::load_adapter(self, dir)?);
        Ok(())
    }

    /// Writes the adapter as a PEFT folder. `base_model_name` is a Hub id or a name, never a local path.
    pub fn save_adapter(&self, dir: &Path, base_model_name: &str) -> Result<()> {
        let config = self.adapter.as_ref().ok_or(Error::NoAdapter)?;
        Ok(lora::save_adapter(self, config, dir, base_model_name)?)
    }

    /// Folds the adapter into the weights.
    pub fn merge_adapter(&mut self) -> Result<()> {
        lora::merge(self)?;
        self.adapter = None;
        Ok(())
    }

    /// Writes `model.safetensors` (f32) and `config.json`, which transformers reads. Each file appears whole, the
    /// configuration last. Same weights, same bytes.
    pub fn save(&self, dir: &Path) -> Result<()> {
        if self.adapter.is_some() {
            return Err(Error::Adapted);
        }
        lora::write_tensors(&dir.join("model.safetensors"), &self.weights())?;
        Ok(lora::write_atomically(&dir.join("config.json"), self.config.to_json().as_bytes())?)
    }

    /// Every weight by its name in the file, without adapters; a tied head is the embedding.
    pub fn weights(&self) -> BTreeMap<String, Tensor> {
        self.parameters().into_iter().map(|(name, tensor, _)| (name, tensor.detach())).collect()
    }

    /// What training changes, by its name in the file: adapter tensors, or all parameters of an initialised model.
    /// Sorted by name.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        if self.adapter.is_some() {
            return lora::trainable(self);
        }
        let mut vars: Vec<_> =
            self.parameters().into_iter().filter_map(|(name, _, var)| Some((name, var?.clone()))).collect();
        vars.sort_by(|a, b| a.0.cmp(&b.0));
        vars
    }

    /// Number of parameters, without adapters; a tied head counts once.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, tensor, _)| tensor.elem_count()).sum()
    }

    /// Every parameter with its file name, and its handle if it is trainable itself.
    fn parameters(&self) -> Vec<(String, &Tensor, Option<&Var>)> {
        let single = |name: String, p| (name, Parameter::tensor(p), Parameter::var(p));
        let mut all = vec![single(EMBEDDING.into(), &self.embedding), single(NORM.into(), &self.norm)];
        for (i, block) in self.blocks.iter().enumerate() {
            let name = |part: &str| format!("model.layers.{i}.{part}.weight");
            all.push(single(name("input_layernorm"), &block.input_norm));
            all.push(single(name("post_attention_layernorm"), &block.post_norm));
        }
        for (name, linear) in self.linears() {
            let var = if let Linear::Trainable(var) = linear { Some(var) } else { None };
            all.push((format!("{name}.weight"), linear.weight(), var));
        }
        all
    }

    /// The last hidden states, final norm applied. Rows may differ in length: they are padded on the right, and
    /// padded positions hold no meaning.
    ///
    /// Without a cache, gradients are recorded for trainable parameters. With one, the rows continue what it holds,
    /// nothing is recorded, and the cache grows.
    ///
    /// # Shapes
    /// B rows of at most T ids → `[B, T, hidden]`.
    pub fn hidden(&self, batch: &[&[u32]], cache: Option<&mut KvCache>) -> Result<Tensor> {
        let mut pass = if cache.is_some() { Pass::inference() } else { Pass::gradients() };
        self.forward(batch, cache, &mut pass)
    }

    /// As [`Llama::hidden`], with the pass chosen by the caller.
    pub(crate) fn forward(
        &self,
        batch: &[&[u32]],
        mut cache: Option<&mut KvCache>,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor> {
        let offset = cache.as_ref().map_or(0, |c| c.len());
        if let Some(cache) = &cache {
            cache.accept(batch.len())?;
        }
        self.check(batch, offset)?;
        let lengths: Vec<usize> = batch.iter().map(|row| row.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0);
        let padded: Vec<u32> =
            batch.iter().flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0, time - row.len()))).collect();
        let (cos, sin) = self.rotary.tables(offset + time)?;
        let mut x = kernels::gather_rows(&self.embedding.get(pass), &padded)?.reshape((
            batch.len(),
            time,
            self.config.hidden_size,
        ))?;
        let stream = Stream { config: &self.config, cos, sin, offset, lengths };
        for (number, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, &stream, cache.as_deref_mut().map(|c| (number, c)), pass)?;
        }
        if let Some(cache) = cache {
            cache.advance(&stream.lengths);
        }
        Ok(kernels::rms_norm(&x, &self.norm.get(pass), self.config.rms_norm_eps)?)
    }

    fn check(&self, batch: &[&[u32]], offset: usize) -> Result<()> {
        let (vocab_size, limit) = (self.config.vocab_size, self.config.max_position_embeddings);
        if batch.is_empty() {
            return Err(Error::EmptyBatch);
        }
        for (row, ids) in batch.iter().enumerate() {
            if ids.is_empty() {
                return Err(Error::EmptyRow { row });
            }
            if offset + ids.len() > limit {
                return Err(Error::TooLong { row, tokens: offset + ids.len(), limit });
            }
            if let Some((position, &id)) = ids.iter().enumerate().find(|&(_, &id)| id as usize >= vocab_size) {
                return Err(Error::Token { row, position, id, vocab_size });
            }
        }
        Ok(())
    }

    /// Scores of the next token, recording gradients for a trainable head.
    ///
    /// # Shapes
    /// `[…, hidden]` → `[…, vocab]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.project(hidden, &mut Pass::gradients())
    }

    /// As [`Llama::logits`], with the pass chosen by the caller.
    pub(crate) fn project(&self, hidden: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        match &self.head {
            Some(head) => Ok(head.forward(hidden, pass)?),
            None => match &self.embedding {
                Parameter::Frozen(table) => Ok(kernels::frozen_linear(hidden, table)?),
                Parameter::Trainable(table) => Ok(kernels::linear(hidden, &pass.parameter(table))?),
            },
        }
    }

    /// The dtype that this model computes in.
    pub fn dtype(&self) -> DType {
        self.dtype
    }
}

impl Adaptable for Llama {
    fn linears(&self) -> Vec<(String, &Linear)> {
        let mut all: Vec<(String, &Linear)> = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            all.extend(block.linears().into_iter().map(|(name, l)| (format!("model.layers.{i}.{name}"), l)));
        }
        all.extend(self.head.as_ref().map(|head| (HEAD.to_owned(), head)));
        all
    }

    fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        let mut all: Vec<(String, &mut Linear)> = Vec::new();
        for (i, block) in self.blocks.iter_mut().enumerate() {
            all.extend(block.linears_mut().into_iter().map(|(name, l)| (format!("model.layers.{i}.{name}"), l)));
        }
        all.extend(self.head.as_mut().map(|head| (HEAD.to_owned(), head)));
        all
    }
}
