//! Adapters of a whole model.

use crate::config::matches;
use crate::lora_linear::{A_SUFFIX, B_SUFFIX, MAGNITUDE_SUFFIX, adapter_dtype};
use crate::{
    CONFIG_FILE, Error, Linear, LoraConfig, LoraLinear, MODEL_FILE, Result, TensorFile, Variant, read_config,
    write_config, write_tensors,
};
use candle_core::{Tensor, Var};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What PEFT puts before a layer's name.
const PREFIX: &str = "base_model.model.";

/// A model whose linear layers can carry adapters.
pub trait Adaptable {
    /// Its linear layers by name, as in the checkpoint without `.weight`.
    fn linears(&self) -> Vec<(String, &Linear)>;
    /// The same, to replace them.
    fn linears_mut(&mut self) -> Vec<(String, &mut Linear)>;
    /// Called when [`merge`] has put new weights into the layers: a model that keeps them stacked stacks them again.
    fn weights_replaced(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Puts a fresh adapter on every target. The draw of a layer depends on `seed` and its name only.
pub fn attach(model: &mut impl Adaptable, config: &LoraConfig, seed: u64) -> Result<()> {
    config.check()?;
    for target in &config.targets {
        if !model.linears().iter().any(|(name, _)| matches(name, target)) {
            let leaves: BTreeSet<String> =
                model.linears().iter().map(|(name, _)| name.rsplit('.').next().unwrap_or(name).to_owned()).collect();
            let choices = leaves.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::UnknownTarget { target: target.clone(), choices });
        }
    }
    refuse_adapted(model)?;
    for (name, linear) in model.linears_mut() {
        if config.covers(&name) {
            let layer = LoraLinear::new(&linear.weight(), config, seed, stream_of(&name))?;
            *linear = Linear::Lora(Box::new(layer));
        }
    }
    Ok(())
}

/// FNV-1a: gives each layer a stream of its own.
fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn refuse_adapted(model: &impl Adaptable) -> Result<()> {
    for (layer, linear) in model.linears() {
        match linear {
            Linear::Frozen(_) => {}
            Linear::Trainable(_) => return Err(Error::NotFrozen { layer }),
            Linear::Lora(_) => return Err(Error::AlreadyAdapted { layer }),
        }
    }
    Ok(())
}

/// The trained tensors of all adapters under PEFT's names, sorted.
pub fn trainable(model: &impl Adaptable) -> Vec<(String, Var)> {
    let mut vars = Vec::new();
    for (name, linear) in model.linears() {
        if let Linear::Lora(layer) = linear {
            vars.extend(layer.parts().into_iter().map(|(end, var)| (format!("{PREFIX}{name}.{end}"), var.clone())));
        }
    }
    vars.sort_by(|a, b| a.0.cmp(&b.0));
    vars
}

/// Writes `adapter_model.safetensors` (f32) and `adapter_config.json` as PEFT does. Each file appears whole; the
/// configuration comes last, so a folder that has it is complete. Same adapter, same bytes.
///
/// `base_model_name` is a Hub id or a name, never a path of this machine.
pub fn save_adapter(model: &impl Adaptable, config: &LoraConfig, dir: &Path, base_model_name: &str) -> Result<()> {
    let vars = trainable(model);
    if vars.is_empty() {
        return Err(Error::NoAdapter);
    }
    let tensors: BTreeMap<String, Tensor> = vars.into_iter().map(|(n, v)| (n, v.as_detached_tensor())).collect();
    // First, so that a refused name leaves nothing behind.
    let json = write_config(config, base_model_name)?;
    write_tensors(&dir.join(MODEL_FILE), &tensors)?;
    crate::write_atomically(&dir.join(CONFIG_FILE), json.as_bytes())
}

/// Reads a folder written by PEFT or by [`save_adapter`] onto a frozen model and returns its configuration.
/// Every target needs its tensors, in the right shapes, and nothing else may be in the file.
pub fn load_adapter(model: &mut impl Adaptable, dir: &Path) -> Result<LoraConfig> {
    let config = read_config(&dir.join(CONFIG_FILE))?;
    refuse_adapted(model)?;
    let file = TensorFile::open(&dir.join(MODEL_FILE))?;
    let mut expected = BTreeSet::new();
    let mut layers = BTreeMap::new();
    for (name, linear) in model.linears() {
        if !config.covers(&name) {
            continue;
        }
        let weight = linear.weight();
        let ((outputs, inputs), dtype, device) = (weight.dims(), adapter_dtype(&weight), weight.device());
        let mut read = |end: &str, shape: &[usize]| {
            let key = format!("{PREFIX}{name}.{end}");
            let tensor = file.read_as(&key, shape, dtype, &device);
            expected.insert(key);
            tensor
        };
        let a = read(A_SUFFIX, &[config.r, inputs])?;
        let b = read(B_SUFFIX, &[outputs, config.r])?;
        let dora = config.variant == Variant::Dora;
        let magnitude = dora.then(|| read(MAGNITUDE_SUFFIX, &[outputs])).transpose()?;
        let layer = LoraLinear::from_parts(&weight, &a, &b, magnitude.as_ref(), &config, stream_of(&name))?;
        layers.insert(name, layer);
    }
    file.refuse_others(&expected)?;
    if layers.is_empty() {
        let target = config.targets.join(", ");
        let choices = model.linears().into_iter().map(|(n, _)| n).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownTarget { target, choices });
    }
    for (name, linear) in model.linears_mut() {
        if let Some(layer) = layers.remove(&name) {
            *linear = Linear::Lora(Box::new(layer));
        }
    }
    Ok(config)
}

/// Folds every adapter into its weight: the model is frozen and plain afterwards, its outputs the same up to rounding.
pub fn merge(model: &mut impl Adaptable) -> Result<()> {
    let mut merged = 0;
    for (_, linear) in model.linears_mut() {
        if let Linear::Lora(layer) = linear {
            *linear = Linear::Frozen(layer.merged()?.into());
            merged += 1;
        }
    }
    if merged == 0 { Err(Error::NoAdapter) } else { model.weights_replaced() }
}
