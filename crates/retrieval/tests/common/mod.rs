//! What the tests of this crate share.
#![allow(dead_code, reason = "not every test needs all of it")]

use artifacts::Timestamp;
use candle_core::{Device, Tensor};
use retrieval::Case;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(crate) fn case(id: &str, seconds: i64, text: &str) -> Case {
    let t = at(seconds);
    Case { id: id.into(), event_at: t, available_at: t, text: text.into(), outcome: None, outcome_known_at: None }
}

pub(crate) fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

pub(crate) fn golden(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The folder of the model that goldens/make_bert.py describes.
pub(crate) fn tiny_bert(golden: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, value: &Value| std::fs::write(folder.path().join(file), value.to_string()).unwrap();
    write("config.json", &golden["config"]);
    write("tokenizer.json", &golden["tokenizer"]);
    write("sentence_bert_config.json", &serde_json::json!({ "max_seq_length": golden["max_seq_length"] }));
    let shapes = golden["shapes"].as_object().unwrap();
    let tensors: HashMap<String, Tensor> = shapes
        .iter()
        .map(|(name, shape)| {
            let shape: Vec<usize> = shape.as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
            (name.clone(), weight(name, &shape))
        })
        .collect();
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    folder
}

/// The formula of goldens/make_bert.py.
fn weight(name: &str, shape: &[usize]) -> Tensor {
    let norm = name.contains("LayerNorm.weight");
    let scale = if norm || name.ends_with("bias") {
        0.1
    } else if name.contains("embeddings") {
        0.5
    } else {
        0.3
    };
    let start = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let values: Vec<f32> = (0..shape.iter().product::<usize>() as u64)
        .map(|i| {
            let unit = (splitmix(start.wrapping_add(i)) >> 40) as f64 / f64::from(1 << 24);
            (scale * (2.0 * unit - 1.0) + if norm { 1.0 } else { 0.0 }) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(crate) fn splitmix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
