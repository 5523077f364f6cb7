//! The forward pass against independent implementations and against itself.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::llama as stock;
use common::{config, floats, largest_difference, model, saved, shared};
use lm::{GenerateOptions, KvCache, Llama, StepOptions};

fn logits(model: &Llama, rows: &[&[u32]]) -> Tensor {
    model.logits(&model.hidden(rows, None).unwrap()).unwrap()
}

#[test]
fn logits_equal_those_of_candle_transformers() {
    for tied in [true, false] {
        let (dir, ours) = saved(tied);
        let c = config(tied);
        // The stock model derives head_dim from hidden_size / heads.
        assert_eq!(c.hidden_size, c.num_attention_heads * c.head_dim);
        let theirs = stock::LlamaConfig {
            hidden_size: c.hidden_size,
            intermediate_size: c.intermediate_size,
            vocab_size: c.vocab_size,
            num_hidden_layers: c.num_hidden_layers,
            num_attention_heads: c.num_attention_heads,
            num_key_value_heads: Some(c.num_key_value_heads),
            rms_norm_eps: c.rms_norm_eps,
            rope_theta: c.rope_theta as f32,
            bos_token_id: None,
            eos_token_id: None,
            rope_scaling: c.rope_scaling.map(|s| stock::Llama3RopeConfig {
                factor: s.factor as f32,
                low_freq_factor: s.low_freq_factor as f32,
                high_freq_factor: s.high_freq_factor as f32,
                original_max_position_embeddings: s.original_max_position_embeddings,
                rope_type: stock::Llama3RopeType::Llama3,
            }),
            max_position_embeddings: c.max_position_embeddings,
            tie_word_embeddings: Some(tied),
        }
        .into_config(false);
        let tensors = candle_core::safetensors::load(dir.path().join("model.safetensors"), &Device::Cpu).unwrap();
        let builder = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let stock_model = stock::Llama::load(builder, &theirs).unwrap();
        let ids: Vec<u32> = (0..40).map(|i| (i * 13 + 5) % 50).collect();
        for length in [1, 7, 40] {
            let mut cache = stock::Cache::new(false, DType::F32, &theirs, &Device::Cpu).unwrap();
            let input = Tensor::new(&ids[..length], &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let expected = floats(&stock_model.forward(&input, 0, &mut cache).unwrap());
            let found = logits(&ours, &[&ids[..length]]).narrow(0, length - 1, 1).unwrap();
            let difference = largest_difference(&floats(&found), &expected);
            assert!(difference < 2e-4, "tied {tied}, {length} tokens: {difference}");
        }
    }
}

#[test]
fn neighbours_in_a_batch_change_no_row() {
    let model = model(true);
    let rows: [&[u32]; 3] = [&[1, 2, 3, 4, 5, 6, 7], &[9], &[8, 7, 6, 5]];
    let together = logits(&model, &rows);
    let mut start = 0;
    for (i, row) in rows.iter().enumerate() {
        let alone = logits(&model, &[row]);
        let found = together.narrow(0, start, row.len()).unwrap();
        assert!(largest_difference(&floats(&alone), &floats(&found)) < 1e-5, "row {i}");
        start += row.len();
    }
}

#[test]
fn several_rows_after_a_cache_equal_each_row_after_its_prefix() {
    let model = model(false);
    let prefix = [1u32, 30, 12, 7, 7];
    let mut cache = KvCache::new();
    model.hidden(&[&prefix], Some(&mut cache)).unwrap();
    let rows: [&[u32]; 3] = [&[4, 5, 6], &[9], &[8, 7]];
    let together = model.logits(&model.hidden_after(&rows, &cache).unwrap()).unwrap();
    assert_eq!(cache.len(), prefix.len());
    let mut start = 0;
    for row in rows {
        let whole: Vec<u32> = prefix.iter().chain(row).copied().collect();
        let alone = logits(&model, &[&whole]).narrow(0, prefix.len(), row.len()).unwrap();
        let found = together.narrow(0, start, row.len()).unwrap();
        assert!(largest_difference(&floats(&alone), &floats(&found)) < 1e-5, "{row:?}");
        start += row.len();
    }
}

#[test]
fn decoding_with_a_cache_equals_the_whole_forward_pass() {
    let model = model(false);
    let ids: Vec<u32> = (0..30).map(|i| (i * 7 + 3) % 50).collect();
    let whole = logits(&model, &[&ids]);
    for pieces in [vec![30], vec![1; 30], vec![12, 1, 5, 12]] {
        let mut cache = KvCache::new();
        let mut from = 0;
        for piece in pieces {
            let hidden = model.hidden(&[&ids[from..from + piece]], Some(&mut cache)).unwrap();
            assert!(!hidden.track_op());
            let found = floats(&model.logits(&hidden).unwrap());
            let expected = floats(&whole.narrow(0, from, piece).unwrap());
            assert!(largest_difference(&found, &expected) < 2e-5, "tokens {from}..{}", from + piece);
            from += piece;
        }
        assert_eq!(cache.len(), 30);
    }
}

#[test]
fn the_next_tokens_logits_are_the_last_row_of_the_whole_forward_pass_and_the_cache_can_go_on() {
    let model = model(false);
    let ids: Vec<u32> = (0..30).map(|i| (i * 7 + 3) % 50).collect();
    let mut cache = KvCache::new();
    let mut from = 0;
    for piece in [12, 1, 1, 16] {
        let found = lm::next_logits(&model, &ids[from..from + piece], &mut cache).unwrap();
        from += piece;
        let expected = floats(&logits(&model, &[&ids[..from]]).narrow(0, from - 1, 1).unwrap());
        assert!(largest_difference(&found, &expected) < 2e-5, "after {from} tokens");
        assert_eq!(cache.len(), from);
    }
    assert!(lm::next_logits(&model, &[], &mut cache).unwrap_err().to_string().contains("row 0 has no tokens"));
}

#[test]
fn scores_are_sums_of_log_probabilities() {
    let model = model(true);
    let prompt = [1, 5, 9, 13];
    let continuations = vec![vec![3], vec![4, 5, 6], vec![], vec![7, 8], vec![4, 5, 6]];
    let found = lm::score(&model, &prompt, &continuations).unwrap();
    for (continuation, found) in continuations.iter().zip(&found) {
        let ids: Vec<u32> = prompt.iter().chain(continuation).copied().collect();
        let all = logits(&model, &[&ids]).to_vec2::<f32>().unwrap();
        let expected: f64 = continuation
            .iter()
            .enumerate()
            .map(|(t, &id)| {
                let row = &all[prompt.len() + t - 1];
                let total: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
                f64::from(row[id as usize]) - total.ln()
            })
            .sum();
        assert!((found - expected).abs() < 1e-5, "{continuation:?}: {found}, expected {expected}");
    }
}

#[test]
fn the_loss_is_the_cross_entropy_of_the_supervised_tokens_only() {
    let model = model(true);
    let ids = [1u32, 4, 9, 16, 25, 36, 49];
    let mask = [false, false, true, false, true, true, false];
    let other = ([3u32, 3, 3], [false, true, false]);
    let (loss, count) = model
        .loss(&[(&ids, &mask), (&[7, 7], &[false, false]), (&other.0, &other.1)], &StepOptions::default())
        .unwrap();
    assert_eq!(count, 4);
    let expected: f64 = [(&ids[..], &mask[..]), (&other.0[..], &other.1[..])]
        .into_iter()
        .map(|(ids, mask)| -> f64 {
            (1..ids.len())
                .filter(|&t| mask[t])
                .map(|t| -lm::score(&model, &ids[..t], &[vec![ids[t]]]).unwrap()[0])
                .sum()
        })
        .sum();
    assert!((loss / expected - 1.0).abs() < 1e-5, "{loss}, expected {expected}");
    let (nothing, count) = model.loss(&[(&ids, &[false; 7])], &StepOptions::default()).unwrap();
    assert_eq!((nothing.to_bits(), count), (0, 0));
}

#[test]
fn stop_tokens_end_a_text_and_are_not_part_of_it() {
    let model = model(true);
    let options = GenerateOptions { max_tokens: 20, ..GenerateOptions::default() };
    let free = lm::generate(&model, &[1, 2], &options).unwrap();
    assert_eq!(free.len(), 20);
    let first = free.iter().position(|t| *t == free[6]).unwrap();
    let stopped = lm::generate(&model, &[1, 2], &GenerateOptions { stop: vec![free[6]], ..options.clone() }).unwrap();
    assert_eq!(stopped, free[..first]);
    // 128 positions: the text ends where the model does
    let long = lm::generate(&model, &[1, 2], &GenerateOptions { max_tokens: 1000, ..options.clone() }).unwrap();
    assert_eq!(long.len(), 127);
    assert_eq!(long[..20], free);
    assert!(lm::generate(&model, &[1, 2], &GenerateOptions { max_tokens: 0, ..options }).unwrap().is_empty());
}

#[test]
fn senseless_input_is_named() {
    let model = model(true);
    let text = |result: lm::Result<Tensor>| result.unwrap_err().to_string();
    assert!(
        text(model.hidden(&[&[1], &[2, 50]], None))
            .contains("row 1: token 50 at position 1 is not below the vocabulary size 50")
    );
    assert!(text(model.hidden(&[], None)).contains("no rows"));
    assert!(text(model.hidden(&[&[1], &[]], None)).contains("row 1 has no tokens"));
    assert!(text(model.hidden(&[&[1; 129]], None)).contains("129 tokens are more than the model's 128 positions"));
    let loss =
        |ids: &[u32], mask: &[bool]| model.loss(&[(ids, mask)], &StepOptions::default()).unwrap_err().to_string();
    assert!(loss(&[1, 2], &[true, false]).contains("first token is supervised"));
    assert!(loss(&[1, 2], &[false]).contains("2 tokens but 1 mask values"));
    assert!(loss(&[1, 77], &[false, true]).contains("row 0: token 77 at position 1"));
    let mut cache = KvCache::new();
    assert!(text(model.hidden(&[&[1, 2], &[3]], Some(&mut cache))).contains("follows one row, the batch has 2"));
}

#[test]
fn stories260k_gives_its_golden_logits_and_text() {
    let Some(shared) = shared() else { return };
    let dir = shared.join("models/stories260k");
    let model = Llama::load(&dir, &Device::Cpu).unwrap();
    assert_eq!((model.parameter_count(), model.config().eos_token_ids.as_slice()), (260_032, &[1u32, 2][..]));
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("golden.json")).unwrap()).unwrap();
    let ids = |v: &serde_json::Value| -> Vec<u32> {
        v.as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as u32).collect()
    };
    for prompt in golden["prompts"].as_array().unwrap() {
        let ids = ids(&prompt["ids"]);
        let expected: Vec<f32> =
            prompt["logits_last"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap() as f32).collect();
        let found = floats(&logits(&model, &[&ids]).narrow(0, ids.len() - 1, 1).unwrap());
        let difference = largest_difference(&found, &expected);
        assert!(difference < 2e-4, "{}: {difference}", prompt["text"]);
    }
    let document = ids(&golden["documented_text"]["ids"]);
    let mask: Vec<bool> = (0..document.len()).map(|t| t > 0).collect();
    let (loss, count) = model.loss(&[(&document, &mask)], &StepOptions::default()).unwrap();
    let mean = loss / count as f64;
    assert!((mean - golden["documented_text"]["mean_nll"].as_f64().unwrap()).abs() < 2e-6, "{mean}");
    let expected = ids(&golden["greedy"]["ids_256"]);
    let options = GenerateOptions { max_tokens: 256, ..GenerateOptions::default() };
    assert_eq!(lm::generate(&model, &[1], &options).unwrap(), expected);
}
