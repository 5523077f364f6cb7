use super::config::BertConfig;
use super::weights::Weights;
use crate::Error;
use candle_core::Tensor;
use kernels::encoder::{Activation, activate, layer_norm, multiply, multiply_add, self_attention};

/// The model itself: tokens in, the mean of their last hidden states out.
pub(super) struct Encoder {
    words: Vec<f32>,
    places: Vec<f32>,
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    hidden: usize,
    heads: usize,
    intermediate: usize,
    activation: Activation,
    eps: f64,
}

struct Norm {
    gain: Vec<f32>,
    shift: Vec<f32>,
}

/// A product's weight `[out, in]` and bias.
struct Linear {
    weight: Tensor,
    bias: Vec<f32>,
}

struct Layer {
    /// Of queries, keys and values, one after another, so that one product computes them all.
    qkv: Linear,
    mixed: Linear,
    mixed_norm: Norm,
    up: Linear,
    down: Linear,
    down_norm: Norm,
}

/// One text's tokens.
pub(super) struct Tokens<'a> {
    pub(super) ids: &'a [u32],
    pub(super) types: &'a [u32],
}

/// Products of so few rows add in another order; more rows than that, and a text has the same bits in any company.
const ROWS: usize = 16;

impl Encoder {
    pub(super) fn load(config: &BertConfig, activation: Activation, mut weights: Weights) -> Result<Self, Error> {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let table = |weights: &mut Weights, name: &str, rows: usize| {
            let table = weights.take(&format!("embeddings.{name}.weight"), &[rows, hidden])?;
            table.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(|e| weights.unreadable(name, &e))
        };
        let words = table(&mut weights, "word_embeddings", config.vocab_size)?;
        let places = table(&mut weights, "position_embeddings", config.max_position_embeddings)?;
        let types = table(&mut weights, "token_type_embeddings", config.type_vocab_size)?;
        let norm = Norm::load(&mut weights, "embeddings.LayerNorm", hidden)?;
        let layers = (0..config.num_hidden_layers)
            .map(|number| Layer::load(&mut weights, &format!("encoder.layer.{number}"), hidden, intermediate))
            .collect::<Result<_, _>>()?;
        weights.finish()?;
        let (heads, eps) = (config.num_attention_heads, config.layer_norm_eps);
        Ok(Self { words, places, types, norm, layers, hidden, heads, intermediate, activation, eps })
    }

    /// The mean hidden state of each text, one after another. Texts are packed without padding and have at least one
    /// token each, whose ids the tables have.
    pub(super) fn means<'a>(&'a self, texts: &[Tokens<'_>]) -> candle_core::Result<Vec<f32>> {
        let lengths: Vec<usize> = texts.iter().map(|t| t.ids.len()).collect();
        let (tokens, hidden) = (lengths.iter().sum::<usize>(), self.hidden);
        let rows = tokens.max(ROWS);
        let row = |table: &'a [f32], i: usize| &table[i * hidden..(i + 1) * hidden];
        let mut x = Vec::with_capacity(rows * hidden);
        for text in texts {
            for (place, (id, kind)) in text.ids.iter().zip(text.types).enumerate() {
                let word = row(&self.words, *id as usize).iter().zip(row(&self.types, *kind as usize));
                x.extend(word.zip(row(&self.places, place)).map(|((word, kind), place)| word + kind + place));
            }
        }
        x.resize(rows * hidden, 0.0);
        let none = vec![0.0; hidden];
        layer_norm(&mut x, &none, &self.norm.gain, &self.norm.shift, self.eps)?;

        let mut qkv = vec![0.0; rows * 3 * hidden];
        let mut mixed = vec![0.0; rows * hidden];
        let mut wide = vec![0.0; rows * self.intermediate];
        for layer in &self.layers {
            for row in qkv.chunks_exact_mut(3 * hidden) {
                row.copy_from_slice(&layer.qkv.bias);
            }
            multiply_add(&mut qkv, &x, &layer.qkv.weight)?;
            self_attention(&mut mixed[..tokens * hidden], &qkv[..tokens * 3 * hidden], &lengths, self.heads)?;
            multiply_add(&mut x, &mixed, &layer.mixed.weight)?;
            layer_norm(&mut x, &layer.mixed.bias, &layer.mixed_norm.gain, &layer.mixed_norm.shift, self.eps)?;
            multiply(&mut wide, &x, &layer.up.weight)?;
            activate(&mut wide, &layer.up.bias, self.activation)?;
            multiply_add(&mut x, &wide, &layer.down.weight)?;
            layer_norm(&mut x, &layer.down.bias, &layer.down_norm.gain, &layer.down_norm.shift, self.eps)?;
        }

        let mut means = Vec::with_capacity(texts.len() * hidden);
        let mut rest = x.chunks_exact(hidden);
        for &length in &lengths {
            let mut sum = vec![0f64; hidden];
            for row in rest.by_ref().take(length) {
                for (s, v) in sum.iter_mut().zip(row) {
                    *s += f64::from(*v);
                }
            }
            means.extend(sum.iter().map(|s| (s / length as f64) as f32));
        }
        Ok(means)
    }
}

impl Layer {
    fn load(weights: &mut Weights, name: &str, hidden: usize, intermediate: usize) -> Result<Self, Error> {
        let mut linear =
            |part: &str, inputs, outputs| Linear::load(weights, &format!("{name}.{part}"), inputs, outputs);
        let parts = [
            linear("attention.self.query", hidden, hidden)?,
            linear("attention.self.key", hidden, hidden)?,
            linear("attention.self.value", hidden, hidden)?,
        ];
        let mixed = linear("attention.output.dense", hidden, hidden)?;
        let up = linear("intermediate.dense", hidden, intermediate)?;
        let down = linear("output.dense", intermediate, hidden)?;
        let weight = Tensor::cat(&[&parts[0].weight, &parts[1].weight, &parts[2].weight], 0)
            .map_err(|e| weights.unreadable(name, &e))?;
        let qkv = Linear { weight, bias: parts.into_iter().flat_map(|part| part.bias).collect() };
        let mixed_norm = Norm::load(weights, &format!("{name}.attention.output.LayerNorm"), hidden)?;
        let down_norm = Norm::load(weights, &format!("{name}.output.LayerNorm"), hidden)?;
        Ok(Self { qkv, mixed, mixed_norm, up, down, down_norm })
    }
}

impl Linear {
    fn load(weights: &mut Weights, name: &str, inputs: usize, outputs: usize) -> Result<Self, Error> {
        let weight = weights.take(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Self { weight, bias: weights.numbers(&format!("{name}.bias"), outputs)? })
    }
}

impl Norm {
    fn load(weights: &mut Weights, name: &str, width: usize) -> Result<Self, Error> {
        let gain = weights.numbers(&format!("{name}.weight"), width)?;
        Ok(Self { gain, shift: weights.numbers(&format!("{name}.bias"), width)? })
    }
}
