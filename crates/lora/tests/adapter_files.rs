//! Adapter files: PEFT's format, exact and unforgiving.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use candle_core::{Device, Tensor};
use lora::{Adaptable, Linear, LoraConfig, Pass, Variant};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Two frozen layers.
struct Model(Vec<(String, Linear)>);

impl Adaptable for Model {
    fn linears(&self) -> Vec<(String, &Linear)> {
        self.0.iter().map(|(n, l)| (n.clone(), l)).collect()
    }

    fn linears_mut(&mut self) -> Vec<(String, &mut Linear)> {
        self.0.iter_mut().map(|(n, l)| (n.clone(), l)).collect()
    }
}

fn numbers(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 31 + 7) % 23) as f32 / 11.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn model() -> Model {
    let layer = |name: &str, shape: &[usize]| (format!("model.layers.0.{name}"), Linear::Frozen(numbers(shape).into()));
    Model(vec![layer("self_attn.q_proj", &[6, 5]), layer("mlp.up_proj", &[7, 5])])
}

fn config(variant: Variant) -> LoraConfig {
    LoraConfig { r: 2, alpha: 4.0, targets: vec!["up_proj".into(), "q_proj".into()], variant, ..LoraConfig::default() }
}

/// Every trained tensor moved off its start.
fn shake(model: &Model) {
    for (i, (_, var)) in lora::trainable(model).into_iter().enumerate() {
        let noise = (numbers(var.dims()) * (0.1 + i as f64 / 50.0)).unwrap();
        var.set(&(var.as_tensor() + noise).unwrap()).unwrap();
    }
}

fn outputs(model: &Model) -> Vec<f32> {
    let x = numbers(&[3, 5]);
    let flat = |l: &Linear| l.forward(&x, Pass::inference()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    model.0.iter().flat_map(|(_, l)| flat(l)).collect()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-4)
}

fn saved(variant: Variant) -> (tempfile::TempDir, Model) {
    let mut trained = model();
    lora::attach(&mut trained, &config(variant), 3).unwrap();
    shake(&trained);
    let dir = tempfile::tempdir().unwrap();
    lora::save_adapter(&trained, &config(variant), dir.path(), "org/base").unwrap();
    (dir, trained)
}

fn edit(dir: &Path, change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let path = dir.join(lora::CONFIG_FILE);
    let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(value.as_object_mut().unwrap());
    fs::write(path, value.to_string()).unwrap();
}

fn load_error(dir: &Path) -> String {
    lora::load_adapter(&mut model(), dir).unwrap_err().to_string()
}

#[test]
fn a_fresh_adapter_changes_nothing_and_depends_on_its_seed_alone() {
    for variant in [Variant::Plain, Variant::RsLora, Variant::Dora] {
        let attach = |seed| {
            let mut m = model();
            lora::attach(&mut m, &config(variant), seed).unwrap();
            m
        };
        let adapted = attach(3);
        assert!(close(&outputs(&model()), &outputs(&adapted)), "{variant:?}");
        let first = |m: &Model| lora::trainable(m)[0].1.as_tensor().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(first(&adapted), first(&attach(3)));
        assert_ne!(first(&adapted), first(&attach(4)));
        assert!(first(&adapted).iter().all(|a| a.abs() <= 1.0 / 5f32.sqrt()));
    }
}

#[test]
fn a_saved_adapter_comes_back_with_the_same_outputs_and_the_same_bytes() {
    for variant in [Variant::Plain, Variant::RsLora, Variant::Dora] {
        let (dir, trained) = saved(variant);
        let mut loaded = model();
        let read = lora::load_adapter(&mut loaded, dir.path()).unwrap();
        let mut expected = config(variant);
        expected.targets.sort();
        assert_eq!(read, expected);
        assert_eq!(outputs(&trained), outputs(&loaded), "{variant:?}");
        let again = tempfile::tempdir().unwrap();
        lora::save_adapter(&loaded, &read, again.path(), "org/base").unwrap();
        for file in [lora::CONFIG_FILE, lora::MODEL_FILE] {
            assert_eq!(fs::read(dir.path().join(file)).unwrap(), fs::read(again.path().join(file)).unwrap(), "{file}");
        }
    }
}

#[test]
fn the_keys_are_pefts() {
    let (_dir, trained) = saved(Variant::Dora);
    let names: Vec<String> = lora::trainable(&trained).into_iter().map(|(name, _)| name).collect();
    let layer = |l: &str, end: &str| format!("base_model.model.model.layers.0.{l}.{end}");
    let ends = ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"];
    let expected: Vec<String> =
        ["mlp.up_proj", "self_attn.q_proj"].iter().flat_map(|l| ends.iter().map(move |e| layer(l, e))).collect();
    assert_eq!(names, expected);
}

#[test]
fn merging_keeps_the_outputs_and_leaves_a_plain_model() {
    for variant in [Variant::Plain, Variant::RsLora, Variant::Dora] {
        let (_dir, mut trained) = saved(variant);
        let before = outputs(&trained);
        assert!(!close(&before, &outputs(&model())));
        lora::merge(&mut trained).unwrap();
        assert!(close(&before, &outputs(&trained)), "{variant:?}");
        assert!(lora::trainable(&trained).is_empty());
        assert!(matches!(lora::merge(&mut trained), Err(lora::Error::NoAdapter)));
    }
}

#[test]
fn settings_that_would_change_the_result_are_refused_by_name() {
    for (field, value, part) in [
        ("bias", serde_json::json!("all"), "only `none` is supported"),
        ("alpha_pattern", serde_json::json!({"q_proj": 2}), "one rank and alpha for all layers"),
        ("modules_to_save", serde_json::json!(["lm_head"]), "merge the adapter with PEFT first"),
        ("use_some_future_thing", serde_json::json!(true), "merge the adapter with PEFT first"),
        ("init_lora_weights", serde_json::json!("pissa"), "changes the base weight"),
        ("peft_type", serde_json::json!("IA3"), "only LORA"),
    ] {
        let (dir, _) = saved(Variant::Plain);
        edit(dir.path(), |fields| {
            fields.insert(field.into(), value.clone());
        });
        let error = load_error(dir.path());
        assert!(error.contains(&format!("`{field}` is {value}")) && error.contains(part), "{error}");
    }
}

#[test]
fn neutral_fields_of_other_versions_pass() {
    let (dir, _) = saved(Variant::Plain);
    edit(dir.path(), |fields| {
        for (name, value) in [("new_flag", serde_json::json!(false)), ("new_config", serde_json::json!({}))] {
            fields.insert(name.into(), value);
        }
        fields.insert("peft_version".into(), "9.9".into());
        fields.insert("qalora_group_size".into(), 16.into());
    });
    lora::load_adapter(&mut model(), dir.path()).unwrap();
}

#[test]
fn missing_unknown_and_misshapen_tensors_are_named() {
    let key = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight";
    let rewrite = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
        let (dir, trained) = saved(Variant::Plain);
        let mut tensors: BTreeMap<String, Tensor> =
            lora::trainable(&trained).into_iter().map(|(n, v)| (n, v.as_detached_tensor())).collect();
        change(&mut tensors);
        lora::write_tensors(&dir.path().join(lora::MODEL_FILE), &tensors).unwrap();
        load_error(dir.path())
    };
    let error = rewrite(&|t| {
        t.remove(key);
    });
    assert!(error.contains(&format!("tensor `{key}` is missing")), "{error}");
    let error = rewrite(&|t| {
        t.insert("base_model.model.lm_head.lora_A.weight".into(), numbers(&[2, 5]));
    });
    assert!(error.contains("unknown tensor `base_model.model.lm_head.lora_A.weight`"), "{error}");
    let error = rewrite(&|t| {
        t.insert(key.into(), numbers(&[3, 5]));
    });
    assert!(error.contains("has shape [3, 5], expected [2, 5]"), "{error}");
}

#[test]
fn damaged_tensor_files_are_errors_never_panics() {
    let (dir, _) = saved(Variant::Plain);
    let path = dir.path().join(lora::MODEL_FILE);
    let whole = fs::read(&path).unwrap();
    for length in [0, 4, 8, 40, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = load_error(dir.path());
        assert!(error.contains("adapter_model.safetensors: not a safetensors file"), "{length}: {error}");
    }
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&path, &huge).unwrap();
    assert!(load_error(dir.path()).contains("not a safetensors file"));
    let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
    fs::write(&path, &longer).unwrap();
    assert!(load_error(dir.path()).contains("but its header describes"));
}

#[test]
fn a_local_path_never_becomes_the_base_models_name() {
    let (_dir, trained) = saved(Variant::Plain);
    let dir = tempfile::tempdir().unwrap();
    for name in ["/home/me/model", "./model", "../model", "~/model", "C:\\model", ""] {
        let result = lora::save_adapter(&trained, &config(Variant::Plain), dir.path(), name);
        assert!(matches!(result, Err(lora::Error::LocalBaseModel { .. })), "{name}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_target_that_matches_nothing_lists_the_choices() {
    let mut wrong = config(Variant::Plain);
    wrong.targets.push("w_proj".into());
    let error = lora::attach(&mut model(), &wrong, 1).unwrap_err().to_string();
    assert!(error.contains("`w_proj` matches no linear layer; the model has q_proj, up_proj"), "{error}");
    // `proj` is the end of every name, but not after a dot
    wrong.targets = vec!["proj".into()];
    assert!(lora::attach(&mut model(), &wrong, 1).is_err());
}

#[test]
fn a_second_adapter_on_the_same_layer_is_refused() {
    let mut adapted = model();
    lora::attach(&mut adapted, &config(Variant::Plain), 1).unwrap();
    assert!(matches!(lora::attach(&mut adapted, &config(Variant::Plain), 1), Err(lora::Error::AlreadyAdapted { .. })));
}

#[test]
fn dropout_acts_on_the_branch_in_training_only_and_repeats_with_its_seed() {
    let (_dir, trained) = saved(Variant::Plain);
    let x = numbers(&[50, 5]);
    let train = |probability, seed| {
        let dropout = lora::Dropout::new(probability, seed);
        let y = trained.0[0].1.forward(&x, Pass::training(dropout)).unwrap();
        y.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!(train(0.5, 1), train(0.5, 1));
    assert_ne!(train(0.5, 1), train(0.5, 2));
    let plain = trained.0[0].1.forward(&x, Pass::gradients()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(train(0.0, 1), plain);
    // the mean over many masks is the branch without dropout
    let mut mean = vec![0f64; plain.len()];
    for seed in 0..4000 {
        for (m, y) in mean.iter_mut().zip(train(0.3, seed)) {
            *m += f64::from(y) / 4000.0;
        }
    }
    assert!(mean.iter().zip(&plain).all(|(m, p)| (m - f64::from(*p)).abs() < 0.1));
}

#[test]
fn every_trained_tensor_gets_a_gradient_and_the_frozen_weight_none() {
    for variant in [Variant::Plain, Variant::Dora] {
        let (_dir, trained) = saved(variant);
        let y = trained.0[0].1.forward(&numbers(&[3, 5]), Pass::gradients()).unwrap();
        let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let with = lora::trainable(&trained)
            .iter()
            .filter(|(n, v)| n.contains("q_proj") && grads.get(v.as_tensor()).is_some())
            .count();
        assert_eq!(with, if variant == Variant::Dora { 3 } else { 2 });
        let lora::Linear::Lora(layer) = &trained.0[0].1 else { panic!("no adapter") };
        let kernels::Weight::Dense(weight) = layer.weight() else { panic!("not dense") };
        assert!(grads.get(weight).is_none());
    }
}
