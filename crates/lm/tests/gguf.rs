//! What we write as GGUF, candle reads and continues as we do.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use lm::{Config, GenerateOptions, GgufDtype, GgufValue, Llama, LoraConfig, RopeScaling, generate, write_gguf};
use std::fs::File;
use std::path::Path;

fn model(tied: bool) -> Llama {
    let config = Config { tie_word_embeddings: tied, rope_theta: 500.0, ..Config::small(96, 64, 2) };
    Llama::initialise(config, 11, &Device::Cpu).unwrap()
}

fn read(path: &Path) -> (Content, File) {
    let mut file = File::open(path).unwrap();
    (Content::read(&mut file).unwrap(), file)
}

/// Greedy, as `lm::generate`.
fn continued_by_candle(path: &Path, prompt: &[u32], tokens: usize) -> Vec<u32> {
    let (content, mut file) = read(path);
    let mut weights = ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
    let (mut next, mut at, mut out) = (prompt.to_vec(), 0, Vec::new());
    while out.len() < tokens {
        let input = Tensor::new(next.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let logits = weights.forward(&input, at).unwrap().flatten_all().unwrap();
        at += next.len();
        let token = logits.argmax(0).unwrap().to_scalar::<u32>().unwrap();
        out.push(token);
        next = vec![token];
    }
    out
}

#[test]
fn a_public_reader_continues_texts_as_we_do() {
    let folder = tempfile::tempdir().unwrap();
    for (tied, stored) in [(true, GgufDtype::F32), (false, GgufDtype::F32), (true, GgufDtype::F16)] {
        let model = model(tied);
        let path = folder.path().join(format!("{tied}-{stored:?}.gguf"));
        write_gguf(&path, &model, stored, &[]).unwrap();
        for prompt in [[3u32, 7, 11, 2].as_slice(), &[60, 5], &[1; 9]] {
            let options = GenerateOptions { max_tokens: 24, ..GenerateOptions::default() };
            let ours = generate(&model, prompt, &options).unwrap();
            assert_eq!(continued_by_candle(&path, prompt, 24), ours, "{tied} {stored:?} {prompt:?}");
        }
    }
}

#[test]
fn eight_bit_weights_are_within_half_a_step_and_metadata_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let model = model(true);
    let metadata = [
        ("general.name".to_owned(), GgufValue::Text("tiny".into())),
        ("tokenizer.ggml.tokens".to_owned(), GgufValue::Texts(vec!["a".into(), "é".into()])),
        ("tokenizer.ggml.token_type".to_owned(), GgufValue::I32s(vec![1, 3])),
        ("tokenizer.ggml.scores".to_owned(), GgufValue::F32s(vec![0.0, -1.5])),
        ("tokenizer.ggml.add_bos_token".to_owned(), GgufValue::Bool(true)),
    ];
    write_gguf(&path, &model, GgufDtype::Q8_0, &metadata).unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[4], 3, "version 3");
    let (content, mut file) = read(&path);
    assert_eq!(content.metadata["general.name"].to_string().unwrap(), "tiny");
    assert_eq!(content.metadata["tokenizer.ggml.tokens"].to_vec().unwrap()[1].to_string().unwrap(), "é");
    assert!(content.metadata["tokenizer.ggml.add_bos_token"].to_bool().unwrap());
    assert_eq!(content.metadata["llama.block_count"].to_u32().unwrap(), 2);

    let ours = model.weights().unwrap()["model.layers.1.mlp.up_proj.weight"].to_vec2::<f32>().unwrap();
    let read =
        content.tensor(&mut file, "blk.1.ffn_up.weight", &Device::Cpu).unwrap().dequantize(&Device::Cpu).unwrap();
    for (ours, read) in ours.iter().zip(read.to_vec2::<f32>().unwrap()) {
        for (ours, read) in ours.chunks(32).zip(read.chunks(32)) {
            let step = ours.iter().fold(0f32, |m, v| m.max(v.abs())) / 127.0;
            // Half a step, and the rounding of the f16 scale.
            let bound = 0.5 * step + 127.0 * step / 2048.0;
            assert!(ours.iter().zip(read).all(|(a, b)| (a - b).abs() <= bound));
        }
    }
}

#[test]
fn stretched_frequencies_have_their_own_tensor_and_an_adapted_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let scaling = RopeScaling {
        factor: 32.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 8192,
    };
    let shape = Config { head_dim: 64, rope_theta: 500_000.0, rope_scaling: Some(scaling), ..Config::small(40, 64, 1) };
    Llama::initialise(shape, 1, &Device::Cpu).unwrap().save(folder.path()).unwrap();
    let mut model = Llama::load(folder.path(), &Device::Cpu).unwrap();
    write_gguf(&path, &model, GgufDtype::F16, &[]).unwrap();
    let (content, mut file) = read(&path);
    let factors = content.tensor(&mut file, "rope_freqs.weight", &Device::Cpu).unwrap();
    let factors = factors.dequantize(&Device::Cpu).unwrap().to_vec1::<f32>().unwrap();
    // The published file of Llama-3.2-1B: 1 up to a wavelength of 2048 tokens, 32 beyond 8192.
    assert_eq!(factors.len(), 32);
    assert!(factors[..15].iter().all(|f| (f - 1.0).abs() < 1e-6), "{factors:?}");
    assert!(factors[18..].iter().all(|f| (f - 32.0).abs() < 1e-6), "{factors:?}");
    assert!(factors[15..18].windows(2).all(|w| 1.0 < w[0] && w[0] < w[1] && w[1] < 32.0), "{factors:?}");

    model.attach_lora(&LoraConfig::default(), 1).unwrap();
    let error = write_gguf(&path, &model, GgufDtype::F32, &[]).unwrap_err().to_string();
    assert!(error.contains("merge it"), "{error}");
}
