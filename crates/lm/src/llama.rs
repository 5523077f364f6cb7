use crate::block::{Before, Block, Saved, Stream};
use crate::checkpoint::Checkpoint;
use crate::initialise::fresh;
use crate::packed::Packed;
use crate::parameter::Parameter;
use crate::rotary::Rotary;
use crate::{Config, Error, KvCache, Precision, Result};
use candle_core::{DType, Device, Tensor, Var};
use kernels::{Quantisation, Weight};
use lora::{Adaptable, Linear, LoraConfig, Stacked};
use std::collections::BTreeMap;
use std::path::Path;

/// A Llama decoder.
#[derive(Debug)]
pub struct Llama {
    config: Config,
    dtype: DType,
    device: Device,
    pub(crate) rotary: Rotary,
    pub(crate) embedding: Linear,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Parameter,
    /// One layer: the embedding where they are tied.
    pub(crate) head: Stacked,
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

    /// As [`Llama::load`], the weights narrower. Activations stay f32 on the CPU; a GPU computes in bf16 unless f32 is asked for.
    /// Where the blocks are quantised, embedding and head are int8 with a scale for each 64 weights.
    pub fn load_in(dir: &Path, precision: Precision, device: &Device) -> Result<Self> {
        let (stored, quantisation) = match precision {
            Precision::F32 => (DType::F32, None),
            Precision::Bf16 => (DType::BF16, None),
            Precision::Int8 => (DType::BF16, Some(Quantisation::Int8)),
            Precision::W8a8 => (DType::BF16, Some(Quantisation::Int8Rows)),
            Precision::Nf4 => (DType::BF16, Some(Quantisation::Nf4)),
        };
        if quantisation.is_some() && !device.is_cpu() {
            let message = format!("{precision} weights are for the CPU; use bf16 on a card");
            return Err(Error::Device { name: format!("{:?}", device.location()), message });
        }
        let computed = if device.is_cpu() { DType::F32 } else { stored };
        let make = |tensor: Tensor, in_block: bool| {
            // Norms are vectors: as wide as the activations, for they weigh nothing.
            let dtype = if tensor.rank() == 1 { computed } else { stored };
            let tensor = tensor.to_dtype(dtype)?;
            Ok(match quantisation {
                Some(kind) if tensor.rank() == 2 => {
                    let kind = if in_block { kind } else { Quantisation::Int8 };
                    Source::Linear(Linear::Frozen(Weight::from(tensor).quantise(kind)?))
                }
                _ => Source::Parameter(Parameter::Frozen(tensor)),
            })
        };
        Self::read(dir, computed, device, make)
    }

    /// As [`Llama::load`], but matrices that are stored in bf16 stay so: half the memory, and the same weights.
    pub fn load_stored(dir: &Path, device: &Device) -> Result<Self> {
        Self::read(dir, DType::F32, device, |tensor, _| {
            let narrow = tensor.rank() == 2 && tensor.dtype() == DType::BF16 && device.is_cpu();
            Ok(Source::Parameter(Parameter::Frozen(if narrow { tensor } else { tensor.to_dtype(DType::F32)? })))
        })
    }

    /// As [`Llama::load`], weights and activations in another dtype.
    pub fn load_as(dir: &Path, dtype: DType, device: &Device) -> Result<Self> {
        Self::read(dir, dtype, device, |tensor, _| Ok(Source::Parameter(Parameter::Frozen(tensor.to_dtype(dtype)?))))
    }

    /// As [`Llama::load_as`], every parameter trainable: to continue a pretraining.
    pub fn load_trainable(dir: &Path, dtype: DType, device: &Device) -> Result<Self> {
        Self::read(dir, dtype, device, |tensor, _| {
            Ok(Source::Parameter(Parameter::Trainable(Var::from_tensor(&tensor.to_dtype(dtype)?)?)))
        })
    }

    fn read(dir: &Path, dtype: DType, device: &Device, make: impl Fn(Tensor, bool) -> Result<Source>) -> Result<Self> {
        let config = Config::load(dir)?;
        let tied = config.tie_word_embeddings;
        let mut checkpoint = Checkpoint::open(dir)?;
        let model = Self::build(config, dtype, device, |name, shape| {
            make(checkpoint.read(name, shape, device)?, name.starts_with("model.layers."))
        })?;
        checkpoint.finish(tied)?;
        Ok(model)
    }

    /// A fresh f32 model, every parameter trainable: weights from N(0, 0.02), norms 1, as transformers starts.
    pub fn initialise(config: Config, seed: u64, device: &Device) -> Result<Self> {
        config.check()?;
        Self::build(config, DType::F32, device, |name, shape| {
            let tensor = fresh(name, shape, seed, DType::F32, device)?;
            Ok(Source::Parameter(Parameter::Trainable(Var::from_tensor(&tensor)?)))
        })
    }

    fn build(
        config: Config,
        dtype: DType,
        device: &Device,
        mut make: impl FnMut(&str, &[usize]) -> Result<Source>,
    ) -> Result<Self> {
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (q, kv) = (config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim);
        let embedding = make(EMBEDDING, &[config.vocab_size, hidden])?.linear();
        let mut blocks = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let mut part = |name: &str, shape: &[usize]| make(&format!("model.layers.{i}.{name}.weight"), shape);
            let (input_norm, post_norm) = (
                part("input_layernorm", &[hidden])?.parameter()?,
                part("post_attention_layernorm", &[hidden])?.parameter()?,
            );
            let mut stack = |parts: &[(&str, [usize; 2])]| -> Result<Stacked> {
                let layers = parts.iter().map(|(name, shape)| Ok(part(name, shape)?.linear()));
                Ok(Stacked::new(layers.collect::<Result<_>>()?)?)
            };
            blocks.push(Block {
                input_norm,
                qkv: stack(&[
                    ("self_attn.q_proj", [q, hidden]),
                    ("self_attn.k_proj", [kv, hidden]),
                    ("self_attn.v_proj", [kv, hidden]),
                ])?,
                o: stack(&[("self_attn.o_proj", [hidden, q])])?,
                post_norm,
                gate_up: stack(&[("mlp.gate_proj", [mlp, hidden]), ("mlp.up_proj", [mlp, hidden])])?,
                down: stack(&[("mlp.down_proj", [hidden, mlp])])?,
            });
        }
        let norm = make(NORM, &[hidden])?.parameter()?;
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            make(&format!("{HEAD}.weight"), &[config.vocab_size, hidden])?.linear()
        };
        let head = Stacked::new(vec![head])?;
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
        lora::write_tensors(&dir.join("model.safetensors"), &self.weights()?)?;
        Ok(lora::write_atomically(&dir.join("config.json"), self.config.to_json().as_bytes())?)
    }

    /// Every weight by its name in the file, without adapters; a tied head is the embedding.
    pub fn weights(&self) -> Result<BTreeMap<String, Tensor>> {
        let dense = |weight: Weight| match weight {
            Weight::Dense(tensor) => Ok(tensor),
            quantised @ Weight::Quantised(_) => quantised.to_dense(DType::F32),
        };
        self.parameters().into_iter().map(|(name, weight, _)| Ok((name, dense(weight)?))).collect()
    }

    /// What training changes, by its name in the file: adapter tensors, or all parameters of an initialised model.
    /// Sorted by name.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        if self.adapter.is_some() {
            return lora::trainable(self);
        }
        let mut vars: Vec<_> = self.parameters().into_iter().filter_map(|(name, _, var)| Some((name, var?))).collect();
        vars.sort_by(|a, b| a.0.cmp(&b.0));
        vars
    }

    /// Number of parameters, without adapters; a tied head counts once.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, weight, _)| weight.dims().0 * weight.dims().1).sum()
    }

    /// Every parameter with its file name, and its handle if it is trainable itself.
    fn parameters(&self) -> Vec<(String, Weight, Option<Var>)> {
        let single = |name: String, p: &Parameter| (name, Weight::from(p.value()), p.var().cloned());
        let matrix = |name: String, linear: &Linear| (name, linear.weight(), linear.var().cloned());
        let mut all = vec![matrix(EMBEDDING.into(), &self.embedding), single(NORM.into(), &self.norm)];
        for (i, block) in self.blocks.iter().enumerate() {
            let name = |part: &str| format!("model.layers.{i}.{part}.weight");
            all.push(single(name("input_layernorm"), &block.input_norm));
            all.push(single(name("post_attention_layernorm"), &block.post_norm));
        }
        for (name, linear) in self.linears() {
            all.push(matrix(format!("{name}.weight"), linear));
        }
        all
    }

    /// The last hidden states, final norm applied, of rows laid one after another. With a cache, one row continues what it
    /// holds, and the cache grows.
    ///
    /// # Shapes
    /// Rows of N ids in all → `[N, hidden]`.
    pub fn hidden(&self, rows: &[&[u32]], cache: Option<&mut KvCache>) -> Result<Tensor> {
        let offset = cache.as_ref().map_or(0, |c| c.len());
        if cache.is_some() && rows.len() > 1 {
            return Err(Error::CacheRows { rows: rows.len() });
        }
        self.check_rows(rows.iter().copied(), offset)?;
        let packed = Packed::new(rows, offset);
        match cache {
            None => self.forward(&packed, |_| Ok(Before::Nothing)),
            Some(cache) => {
                let hidden = self.forward_growing(&packed, cache)?;
                cache.advance(packed.tokens());
                Ok(hidden)
            }
        }
    }

    /// As [`Llama::hidden`] of several rows that all continue what the cache holds; it does not grow.
    pub fn hidden_after(&self, rows: &[&[u32]], cache: &KvCache) -> Result<Tensor> {
        self.check_rows(rows.iter().copied(), cache.len())?;
        let packed = Packed::new(rows, cache.len());
        self.forward(&packed, |block| Ok(cache.block(block)?.map_or(Before::Nothing, Before::Shared)))
    }

    fn forward<'a>(&self, packed: &Packed, before: impl Fn(usize) -> Result<Before<'a, 'a>>) -> Result<Tensor> {
        self.through_blocks(packed, |number, block, x, stream| block.forward(x, stream, before(number)?, None, None))
    }

    fn forward_growing(&self, packed: &Packed, cache: &mut KvCache) -> Result<Tensor> {
        self.through_blocks(packed, |number, block, x, stream| {
            block.forward(x, stream, Before::Growing(number, cache), None, None)
        })
    }

    fn through_blocks(
        &self,
        packed: &Packed,
        mut step: impl FnMut(usize, &Block, &Tensor, &Stream<'_>) -> Result<(Option<Tensor>, Saved)>,
    ) -> Result<Tensor> {
        let longest = packed.positions.iter().max().map_or(0, |&p| p as usize + 1);
        let tables = self.rotary.tables(longest)?;
        let stream = self.stream(packed, &tables, None);
        let mut x = self.embed(&packed.ids)?;
        for (number, block) in self.blocks.iter().enumerate() {
            if let (Some(out), _) = step(number, block, &x, &stream)? {
                x = out;
            }
        }
        Ok(kernels::rms_norm(&x, &self.norm.value(), self.config.rms_norm_eps)?)
    }

    /// The embeddings of tokens, in the dtype of the activations.
    pub(crate) fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        Ok(self.embedding.weight().gather(ids)?.to_dtype(self.dtype)?)
    }

    /// Scores of the next token.
    ///
    /// # Shapes
    /// `[N, hidden]` → `[N, vocab]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        Ok(self.head.forward(0..1, hidden, None, None)?.0)
    }

    /// The dtype of the activations.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Bytes of all weights, without adapters.
    pub fn weight_bytes(&self) -> usize {
        self.parameters().iter().map(|(_, weight, _)| weight.bytes()).sum()
    }
}

/// What a weight of a file becomes.
enum Source {
    Parameter(Parameter),
    /// Quantised.
    Linear(Linear),
}

impl Source {
    fn linear(self) -> Linear {
        match self {
            Self::Parameter(parameter) => parameter.linear(),
            Self::Linear(linear) => linear,
        }
    }

    fn parameter(self) -> Result<Parameter> {
        Ok(match self {
            Self::Parameter(parameter) => parameter,
            Self::Linear(linear) => Parameter::Frozen(linear.weight().to_dense(DType::F32)?),
        })
    }
}

impl Adaptable for Llama {
    fn linears(&self) -> Vec<(String, &Linear)> {
        let mut all: Vec<(String, &Linear)> = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            all.extend(block.linears().map(|(name, l)| (format!("model.layers.{i}.{name}"), l)));
        }
        if !self.config.tie_word_embeddings {
            all.extend(self.head.layers().iter().map(|head| (HEAD.to_owned(), head)));
        }
        all
    }

    fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        let mut all: Vec<(String, &mut Linear)> = Vec::new();
        for (i, block) in self.blocks.iter_mut().enumerate() {
            all.extend(block.linears_mut().map(|(name, l)| (format!("model.layers.{i}.{name}"), l)));
        }
        if !self.config.tie_word_embeddings {
            all.extend(self.head.layers_mut().iter_mut().map(|head| (HEAD.to_owned(), head)));
        }
        all
    }

    fn weights_replaced(&mut self) -> lora::Result<()> {
        for block in &mut self.blocks {
            block.restack()?;
        }
        self.head.restack()
    }
}
