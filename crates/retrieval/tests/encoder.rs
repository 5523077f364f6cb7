//! The encoder against its slow twin, candle's BERT, and what an embedder says about texts and models it cannot take.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use common::{golden, splitmix, tiny_bert};
use proptest::prelude::*;
use retrieval::{BertEmbedder, Embedder, Error, HashedEmbedder, Library, RetrievalConfig};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const WORDS: [&str; 6] = ["profit", "rates", "fall", "day", "gold", "unheard"];

/// The golden model's tokeniser around a model of other sizes; its weights follow the formula of goldens/make_bert.py.
fn model_of(heads: usize, width: usize, layers: usize, intermediate: usize, act: &str, eps: f64) -> tempfile::TempDir {
    let mut golden = golden("bert.json");
    let hidden = heads * width;
    for (key, value) in [
        ("hidden_size", json!(hidden)),
        ("num_hidden_layers", json!(layers)),
        ("num_attention_heads", json!(heads)),
        ("intermediate_size", json!(intermediate)),
        ("hidden_act", json!(act)),
        ("layer_norm_eps", json!(eps)),
    ] {
        golden["config"][key] = value;
    }
    let first_layer = |name: &str| name.starts_with("encoder.layer.0.");
    let mut shapes = serde_json::Map::new();
    for (name, shape) in golden["shapes"].as_object().unwrap() {
        let resize = |size: &Value| match size.as_u64() {
            Some(32) if name != "embeddings.position_embeddings.weight" => json!(hidden),
            Some(64) => json!(intermediate),
            _ => size.clone(),
        };
        let mut shape: Vec<Value> = shape.as_array().unwrap().iter().map(resize).collect();
        if name == "embeddings.position_embeddings.weight" {
            shape[1] = json!(hidden);
        }
        if first_layer(name) {
            for layer in 0..layers {
                shapes.insert(name.replace("layer.0.", &format!("layer.{layer}.")), json!(shape));
            }
        } else if !name.starts_with("encoder.") {
            shapes.insert(name.clone(), json!(shape));
        }
    }
    golden["shapes"] = Value::Object(shapes);
    tiny_bert(&golden)
}

/// Candle's model, one text at a time.
fn candle_vectors(folder: &Path, texts: &[&str]) -> Vec<Vec<f64>> {
    let mut config: Value = serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    if config["hidden_act"] == "gelu_new" {
        config["hidden_act"] = json!("geluapproximate");
    }
    let config: Config = serde_json::from_value(config).unwrap();
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).unwrap();
    let model = BertModel::load(weights, &config).unwrap();
    let mut tokenizer = tokenizers::Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
    tokenizer.with_padding(None);
    let truncation = tokenizers::TruncationParams { max_length: 24, ..tokenizers::TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).unwrap();
    let vector = |text: &&str| {
        let ids = tokenizer.encode(*text, true).unwrap().get_ids().to_vec();
        let ids = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let hidden = model.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap().squeeze(0).unwrap();
        let mean: Vec<f32> = hidden.mean(0).unwrap().to_vec1().unwrap();
        let length = mean.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        mean.into_iter().map(|v| f64::from(v) / length).collect()
    };
    texts.iter().map(vector).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vectors_are_those_of_candles_bert_whatever_the_sizes(
        seed: u64,
        heads in 1..5usize,
        width in 2..20usize,
        layers in 1..4usize,
        intermediate in 1..90usize,
        act in prop::sample::select(vec!["gelu", "gelu_new", "relu"]),
        texts in 1..90usize,
    ) {
        let folder = model_of(heads, width, layers, intermediate, act, 1e-5);
        let word = |i: usize, j: usize| WORDS[(splitmix(seed ^ (i * 1000 + j) as u64) % 6) as usize];
        let length = |i: usize| (splitmix(seed.wrapping_add(i as u64)) % 30) as usize;
        let text = |i| (0..length(i)).map(|j| word(i, j)).collect::<Vec<_>>().join(" ");
        let texts: Vec<String> = (0..texts).map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ours = BertEmbedder::open(folder.path()).unwrap().embed(&texts).unwrap();
        for (ours, twin) in ours.iter().zip(candle_vectors(folder.path(), &texts)) {
            for (a, b) in ours.iter().zip(twin) {
                prop_assert!((f64::from(*a) - b).abs() < 1e-5, "{a} against {b}");
            }
        }
    }
}

#[test]
fn texts_longer_than_the_window_are_cut_and_counted() {
    let folder = tiny_bert(&golden("bert.json"));
    let model = BertEmbedder::open(folder.path()).unwrap();
    // 22 words and two special tokens fill the window of 24.
    let (fits, long) = (["day"; 22].join(" "), ["day"; 23].join(" "));
    assert!(!model.cuts(&fits).unwrap() && model.cuts(&long).unwrap() && !model.cuts("").unwrap());
    let vectors = model.embed(&[&fits, &long]).unwrap();
    assert_eq!(vectors[0], vectors[1]);
    let cases = vec![common::case("a", 0, &long), common::case("b", 1, &fits), common::case("c", 2, &long)];
    let library =
        |embedder: Arc<dyn Embedder>| Library::new(cases.clone(), embedder, &RetrievalConfig::default()).unwrap();
    assert_eq!(library(Arc::new(model)).cut(), 2);
    assert_eq!(library(Arc::new(HashedEmbedder::default())).cut(), 0);
}

#[test]
fn a_text_without_words_resembles_nothing() {
    let folder = tiny_bert(&golden("bert.json"));
    let model: Arc<dyn Embedder> = Arc::new(BertEmbedder::open(folder.path()).unwrap());
    let cases =
        vec![common::case("blank", 0, " \n\t"), common::case("empty", 0, ""), common::case("gold", 0, "gold fall")];
    let library = Library::new(cases, model, &RetrievalConfig::default()).unwrap();
    let found = |query: &str| {
        let found = library.similar_as_of(query, common::at(1), 3).unwrap();
        found.iter().map(|f| f.case.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("gold"), ["gold"]);
    assert!(found(" ").is_empty() && found("").is_empty());
}

#[test]
fn weights_and_settings_that_would_change_vectors_unseen_are_refused() {
    let golden = golden("bert.json");
    let broken = |change: &dyn Fn(&Path)| {
        let folder = tiny_bert(&golden);
        change(folder.path());
        let opened: Result<_, Error> = BertEmbedder::open(folder.path());
        opened.unwrap_err().to_string()
    };
    let config = |key: &'static str, value: Value| {
        broken(&move |folder: &Path| {
            let path = folder.join("config.json");
            let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            config[key] = value.clone();
            std::fs::write(path, config.to_string()).unwrap();
        })
    };
    for (key, value, expected) in [
        ("rope_theta", json!(1e4), "rope_theta"),
        ("hidden_act", json!("swish"), "`swish`"),
        ("position_embedding_type", json!("relative_key"), "`relative_key`"),
        ("is_decoder", json!(true), "decoder"),
        ("layer_norm_eps", json!(-1.0), "layer_norm_eps is -1"),
        ("num_hidden_layers", json!(2), "encoder.layer.2."),
        ("num_hidden_layers", json!(4), "encoder.layer.3."),
        ("type_vocab_size", json!(0), "type_vocab_size is 0"),
    ] {
        let message = config(key, value);
        assert!(message.contains(expected), "{key}: {message}");
    }
    let weights = |name: &'static str, value: f32| {
        broken(&move |folder: &Path| {
            let path = folder.join("model.safetensors");
            let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
            let like = tensors.remove(name).unwrap();
            tensors.insert(name.into(), Tensor::full(value, like.shape(), &Device::Cpu).unwrap());
            candle_core::safetensors::save(&tensors, path).unwrap();
        })
    };
    let message = weights("encoder.layer.1.output.dense.bias", f32::NAN);
    assert!(message.contains("encoder.layer.1.output.dense.bias") && message.contains("NaN"), "{message}");
    for (file, text, expected) in [
        ("modules.json", r#"[{"type": "sentence_transformers.models.Dense"}]"#, "Dense"),
        ("config_sentence_transformers.json", r#"{"default_prompt_name": "query"}"#, "`query`"),
        ("sentence_bert_config.json", r#"{"max_seq_length": 2}"#, "max_seq_length is 2"),
    ] {
        let message = broken(&|folder: &Path| std::fs::write(folder.join(file), text).unwrap());
        assert!(message.contains(file) && message.contains(expected), "{message}");
    }
}

#[test]
fn vectors_that_overflow_are_refused_and_the_text_is_named() {
    let folder = tiny_bert(&golden("bert.json"));
    let path = folder.path().join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let name = "encoder.layer.2.output.LayerNorm.weight";
    tensors.insert(name.into(), Tensor::full(f32::MAX, 32, &Device::Cpu).unwrap());
    candle_core::safetensors::save(&tensors, path).unwrap();
    let message = BertEmbedder::open(folder.path()).unwrap().embed(&["gold", "day"]).unwrap_err().to_string();
    assert!(message.contains("text 0 of 2") && message.contains("a vector with"), "{message}");
}
