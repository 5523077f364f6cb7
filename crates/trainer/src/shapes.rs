//! Shapes of public models, for random checkpoints to measure with where the real ones cannot be had.

use lm::{Config, RopeScaling};

/// The names that [`shape`] knows.
pub const SHAPES: [&str; 6] =
    ["llama-3.2-1b", "llama-3.2-3b", "llama-3.1-8b", "tinyllama-1.1b", "smollm2-135m", "tiny"];

/// The configuration of the model called `name`, with the values of its public `config.json`; none if it is not known.
pub fn shape(name: &str) -> Option<Config> {
    let llama3 =
        |hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, head_dim, factor, tied| Config {
            vocab_size: 128_256,
            hidden_size,
            intermediate_size,
            num_hidden_layers,
            num_attention_heads,
            num_key_value_heads: 8,
            head_dim,
            max_position_embeddings: 131_072,
            rms_norm_eps: 1e-5,
            rope_theta: 500_000.0,
            rope_scaling: Some(RopeScaling {
                factor,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_max_position_embeddings: 8192,
            }),
            tie_word_embeddings: tied,
            bos_token_id: Some(128_000),
            eos_token_ids: vec![128_001],
        };
    match name {
        "llama-3.2-1b" => Some(llama3(2048, 8192, 16, 32, 64, 32.0, true)),
        "llama-3.2-3b" => Some(llama3(3072, 8192, 28, 24, 128, 32.0, true)),
        "llama-3.1-8b" => Some(llama3(4096, 14_336, 32, 32, 128, 8.0, false)),
        "tinyllama-1.1b" => Some(Config {
            vocab_size: 32_000,
            hidden_size: 2048,
            intermediate_size: 5632,
            num_hidden_layers: 22,
            num_attention_heads: 32,
            num_key_value_heads: 4,
            head_dim: 64,
            max_position_embeddings: 2048,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            rope_scaling: None,
            tie_word_embeddings: false,
            bos_token_id: Some(1),
            eos_token_ids: vec![2],
        }),
        "smollm2-135m" => Some(Config {
            vocab_size: 49_152,
            hidden_size: 576,
            intermediate_size: 1536,
            num_hidden_layers: 30,
            num_attention_heads: 9,
            num_key_value_heads: 3,
            head_dim: 64,
            max_position_embeddings: 8192,
            rms_norm_eps: 1e-5,
            rope_theta: 100_000.0,
            rope_scaling: None,
            tie_word_embeddings: true,
            bos_token_id: Some(0),
            eos_token_ids: vec![0],
        }),
        "tiny" => Some(Config { bos_token_id: Some(0), eos_token_ids: vec![1], ..Config::small(2048, 128, 4) }),
        _ => None,
    }
}

/// The name and shape of every weight of a model, in the order of its parts; a tied head is not listed.
pub fn weights(config: &Config) -> Vec<(String, Vec<usize>)> {
    let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
    let (q, kv) = (config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim);
    let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![config.vocab_size, hidden])];
    for layer in 0..config.num_hidden_layers {
        for (part, shape) in [
            ("input_layernorm", vec![hidden]),
            ("mlp.down_proj", vec![hidden, mlp]),
            ("mlp.gate_proj", vec![mlp, hidden]),
            ("mlp.up_proj", vec![mlp, hidden]),
            ("post_attention_layernorm", vec![hidden]),
            ("self_attn.k_proj", vec![kv, hidden]),
            ("self_attn.o_proj", vec![hidden, q]),
            ("self_attn.q_proj", vec![q, hidden]),
            ("self_attn.v_proj", vec![kv, hidden]),
        ] {
            all.push((format!("model.layers.{layer}.{part}.weight"), shape));
        }
    }
    all.push(("model.norm.weight".to_owned(), vec![hidden]));
    if !config.tie_word_embeddings {
        all.push(("lm_head.weight".to_owned(), vec![config.vocab_size, hidden]));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_the_number_of_parameters_that_its_name_says() {
        let billions = |name| {
            let config = shape(name).unwrap();
            config.check().unwrap();
            weights(&config).iter().map(|(_, s)| s.iter().product::<usize>()).sum::<usize>() as f64 / 1e9
        };
        let expected = [1.235_814_4, 3.212_749_824, 8.030_261_248, 1.100_048_384, 0.134_515_008];
        for (name, expected) in SHAPES.into_iter().zip(expected) {
            assert!((billions(name) - expected).abs() < 1e-6, "{name}: {}", billions(name));
        }
        assert!(shape("gpt-2").is_none());
    }
}
