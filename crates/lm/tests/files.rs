//! Model folders in and out.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{config, floats, saved};
use lm::{Config, Llama, LoraConfig};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn logits(model: &Llama) -> Vec<f32> {
    floats(&model.logits(&model.hidden(&[&[1, 8, 30, 4]], None).unwrap()).unwrap())
}

fn edit(dir: &Path, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    let path = dir.join("config.json");
    let mut value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(value.as_object_mut().unwrap());
    fs::write(path, value.to_string()).unwrap();
}

fn error(dir: &Path) -> String {
    Llama::load(dir, &Device::Cpu).unwrap_err().to_string()
}

#[test]
fn a_saved_model_comes_back_identical_and_with_the_same_bytes() {
    for tied in [true, false] {
        let (dir, model) = saved(tied);
        let loaded = Llama::load(dir.path(), &Device::Cpu).unwrap();
        assert_eq!(loaded.config(), &config(tied));
        assert_eq!(logits(&model), logits(&loaded));
        let again = tempfile::tempdir().unwrap();
        loaded.save(again.path()).unwrap();
        for file in ["config.json", "model.safetensors"] {
            assert_eq!(fs::read(dir.path().join(file)).unwrap(), fs::read(again.path().join(file)).unwrap(), "{file}");
        }
        assert!(loaded.trainable().is_empty() && !model.trainable().is_empty());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}

#[test]
fn the_same_seed_initialises_the_same_model() {
    let fresh = |seed| logits(&Llama::initialise(Config::small(40, 16, 2), seed, &Device::Cpu).unwrap());
    assert_eq!(fresh(1), fresh(1));
    assert_ne!(fresh(1), fresh(2));
}

#[test]
fn shards_and_half_precision_load_as_f32() {
    let (dir, model) = saved(false);
    let tensors = candle_core::safetensors::load(dir.path().join("model.safetensors"), &Device::Cpu).unwrap();
    let sorted: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    let sharded = tempfile::tempdir().unwrap();
    let mut map = serde_json::Map::new();
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    for (i, (name, tensor)) in sorted.iter().enumerate() {
        let file = if i % 2 == 0 { "model-00001-of-00002.safetensors" } else { "model-00002-of-00002.safetensors" };
        map.insert(name.clone(), json!(file));
        if i % 2 == 0 { &mut first } else { &mut second }.insert(name.clone(), tensor.clone());
    }
    lora::write_tensors(&sharded.path().join("model-00001-of-00002.safetensors"), &first).unwrap();
    lora::write_tensors(&sharded.path().join("model-00002-of-00002.safetensors"), &second).unwrap();
    fs::copy(dir.path().join("config.json"), sharded.path().join("config.json")).unwrap();
    let index = sharded.path().join("model.safetensors.index.json");
    fs::write(&index, json!({"metadata": {}, "weight_map": map}).to_string()).unwrap();
    assert_eq!(logits(&Llama::load(sharded.path(), &Device::Cpu).unwrap()), logits(&model));

    map.insert("model.norm.weight".into(), json!("../elsewhere.safetensors"));
    fs::write(&index, json!({"weight_map": map}).to_string()).unwrap();
    assert!(error(sharded.path()).contains("`model.norm.weight` lies in something that is not a file name"));

    let half: std::collections::HashMap<String, Tensor> =
        sorted.iter().map(|(n, t)| (n.clone(), t.to_dtype(DType::BF16).unwrap())).collect();
    candle_core::safetensors::save(&half, dir.path().join("model.safetensors")).unwrap();
    let loaded = Llama::load(dir.path(), &Device::Cpu).unwrap();
    assert_eq!(loaded.dtype(), DType::F32);
    let difference = common::largest_difference(&logits(&loaded), &logits(&model));
    assert!(difference > 0.0 && difference < 0.2, "{difference}");
}

#[test]
fn tensors_that_are_missing_unknown_or_misshapen_are_named() {
    let rewrite = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        let (dir, model) = saved(true);
        let mut weights = model.weights().unwrap();
        change(&mut weights);
        lora::write_tensors(&dir.path().join("model.safetensors"), &weights).unwrap();
        Llama::load(dir.path(), &Device::Cpu).map(|_| ()).map_err(|e| e.to_string())
    };
    let zeros = |n: usize| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
    let text = rewrite(&|w| {
        w.remove("model.layers.1.mlp.up_proj.weight");
    });
    assert!(text.unwrap_err().contains("tensor `model.layers.1.mlp.up_proj.weight` is missing"));
    let text = rewrite(&|w| {
        w.insert("model.layers.0.self_attn.q_proj.bias".into(), zeros(24));
    });
    assert!(text.unwrap_err().contains("unknown tensor `model.layers.0.self_attn.q_proj.bias`"));
    let text = rewrite(&|w| {
        w.insert("model.norm.weight".into(), zeros(23));
    });
    assert!(text.unwrap_err().contains("tensor `model.norm.weight` has shape [23], expected [24]"));
    // what old checkpoints carry along
    rewrite(&|w| {
        w.insert("model.layers.0.self_attn.rotary_emb.inv_freq".into(), zeros(3));
        w.insert("lm_head.weight".into(), zeros(3));
    })
    .unwrap();
}

#[test]
fn configurations_that_would_compute_something_else_are_refused_by_field() {
    for (field, value, part) in [
        ("model_type", json!("mistral"), "only llama"),
        ("attention_bias", json!(true), "biases"),
        ("hidden_act", json!("gelu"), "only silu"),
        ("rope_scaling", json!({"rope_type": "yarn", "factor": 4.0}), "only `llama3` and `default`"),
        ("quantization_config", json!({"bits": 4}), "bf16, f16 or f32"),
        ("num_key_value_heads", json!(3), "a divisor of num_attention_heads, 4"),
        ("vocab_size", json!("many"), "it must be a whole number"),
    ] {
        let (dir, _) = saved(true);
        edit(dir.path(), |fields| {
            fields.insert(field.into(), value.clone());
        });
        let text = error(dir.path());
        assert!(text.contains(part), "{field}: {text}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(error(empty.path()).contains("config.json: cannot read"));
    let (dir, _) = saved(true);
    fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    assert!(error(dir.path()).contains("no model.safetensors and no model.safetensors.index.json"));
}

#[test]
fn rope_parameters_of_transformers_5_mean_the_same() {
    let (dir, model) = saved(true);
    edit(dir.path(), |fields| {
        let mut scaling = fields.remove("rope_scaling").unwrap();
        let theta = fields.remove("rope_theta").unwrap();
        scaling.as_object_mut().unwrap().insert("rope_theta".into(), theta);
        fields.insert("rope_parameters".into(), scaling);
    });
    let loaded = Llama::load(dir.path(), &Device::Cpu).unwrap();
    assert_eq!(loaded.config(), model.config());
}

#[test]
fn an_adapted_model_is_saved_only_after_merging() {
    let (dir, _) = saved(true);
    let mut model = Llama::load(dir.path(), &Device::Cpu).unwrap();
    let target = tempfile::tempdir().unwrap();
    assert!(model.save_adapter(target.path(), "org/base").unwrap_err().to_string().contains("no adapter"));
    model.attach_lora(&LoraConfig { dropout: 0.1, ..LoraConfig::default() }, 1).unwrap();
    assert!(model.save(target.path()).unwrap_err().to_string().contains("merge it before saving"));
    for (_, var) in model.trainable() {
        var.set(&(var.as_tensor() + 0.05).unwrap()).unwrap();
    }
    let adapted = logits(&model);
    model.merge_adapter().unwrap();
    model.save(target.path()).unwrap();
    let merged = Llama::load(target.path(), &Device::Cpu).unwrap();
    assert!(common::largest_difference(&adapted, &logits(&merged)) < 1e-3);
}
