//! `adapter_config.json`, in PEFT's words.

use crate::{Error, LoraConfig, Result, Variant};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Name of the settings file in an adapter folder.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// Name of the tensor file in an adapter folder.
pub const MODEL_FILE: &str = "adapter_model.safetensors";

/// Fields that say nothing about the result, whatever their value.
const DESCRIPTIVE: [&str; 8] = [
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "task_type",
];

/// The text of an `adapter_config.json` with the fields that every PEFT since DoRA knows, sorted by name as PEFT does.
pub fn write_config(config: &LoraConfig, base_model_name: &str) -> Result<String> {
    config.check()?;
    if is_local(base_model_name) {
        return Err(Error::LocalBaseModel { name: base_model_name.into() });
    }
    let mut targets = config.targets.clone();
    targets.sort();
    targets.dedup();
    // PEFT declares alpha an integer; a fraction stays one.
    let alpha = if config.alpha.fract() == 0.0 { json!(config.alpha as i64) } else { json!(config.alpha) };
    let value = json!({
        "alpha_pattern": {},
        "auto_mapping": null,
        "base_model_name_or_path": base_model_name,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layer_replication": null,
        "layers_pattern": null,
        "layers_to_transform": null,
        "loftq_config": {},
        "lora_alpha": alpha,
        "lora_dropout": config.dropout,
        "megatron_config": null,
        "megatron_core": "megatron.core",
        "modules_to_save": null,
        "peft_type": "LORA",
        "r": config.r,
        "rank_pattern": {},
        "revision": null,
        "target_modules": targets,
        "task_type": "CAUSAL_LM",
        "use_dora": config.variant == Variant::Dora,
        "use_rslora": config.variant == Variant::RsLora,
    });
    Ok(format!("{value:#}\n"))
}

/// A path of this machine: it would leak a user's folders and mean nothing elsewhere.
fn is_local(name: &str) -> bool {
    let windows_drive = name.as_bytes().get(1) == Some(&b':');
    name.is_empty() || name.starts_with(['/', '.', '~']) || name.contains('\\') || windows_drive
}

/// Reads an `adapter_config.json`. Fields that would change the result and that this crate does not do are errors that
/// name them; unknown fields pass only at a neutral value (null, false, empty).
pub fn read_config(path: &Path) -> Result<LoraConfig> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.into(), action: "read", source })?;
    let bad = |message: String| Error::BadConfig { path: path.into(), message };
    let fields: Map<String, Value> = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
    for (field, value) in &fields {
        check(path, field, value)?;
    }
    let number = |field: &str| {
        fields.get(field).and_then(Value::as_f64).ok_or_else(|| bad(format!("`{field}` is not a number")))
    };
    let flag = |field: &str| fields.get(field).and_then(Value::as_bool).unwrap_or(false);
    let r = fields.get("r").and_then(Value::as_u64).ok_or_else(|| bad("`r` is not a whole number".into()))?;
    let targets = match fields.get("target_modules") {
        Some(Value::Array(list)) => list.iter().map(|v| v.as_str().map(String::from)).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let mut targets = targets.ok_or_else(|| bad("`target_modules` is not a list of layer names".into()))?;
    targets.sort();
    let variant = match (flag("use_dora"), flag("use_rslora")) {
        (false, false) => Variant::Plain,
        (false, true) => Variant::RsLora,
        (true, false) => Variant::Dora,
        (true, true) => return Err(bad("use_dora and use_rslora together are not supported".into())),
    };
    let dropout = if fields.contains_key("lora_dropout") { number("lora_dropout")? } else { 0.0 };
    let config = LoraConfig { r: r as usize, alpha: number("lora_alpha")?, dropout, targets, variant };
    config.check()?;
    Ok(config)
}

fn check(path: &Path, field: &str, value: &Value) -> Result<()> {
    let supported = match field {
        "r" | "lora_alpha" | "lora_dropout" | "target_modules" | "use_dora" | "use_rslora" => return Ok(()),
        _ if DESCRIPTIVE.contains(&field) || is_neutral(value) => return Ok(()),
        "peft_type" if value == "LORA" => return Ok(()),
        "peft_type" => "only LORA adapters can be read",
        "bias" if value == "none" => return Ok(()),
        "bias" => "only `none` is supported",
        // These draw A and B without touching the base weight, so the file says everything.
        "init_lora_weights" if value == true || value == "gaussian" || value == "orthogonal" => return Ok(()),
        "init_lora_weights" => "this way of initialising changes the base weight; merge it with PEFT first",
        "modules_to_save" | "trainable_token_indices" => {
            "retrained layers are not supported; merge the adapter with PEFT first"
        }
        "rank_pattern" | "alpha_pattern" => "one rank and alpha for all layers is supported",
        _ => "merge the adapter with PEFT first",
    };
    Err(Error::Unsupported { path: path.into(), field: field.into(), found: value.to_string(), supported })
}

fn is_neutral(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
