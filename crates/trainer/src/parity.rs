//! Repeats a training that was recorded with Python PEFT, update by update, and measures the differences.
//!
//! A case folder holds `case.json` (settings, and the recorded numbers of each update), adapters of some updates, the
//! gradients of the first and some logits; model and batches lie beside it. The tolerances are ten times the noise of
//! float32 that its makers measured against float64.

use crate::adamw::{AdamW, clip_gradients};
use crate::schedule::Schedule;
use crate::settings::Decay;
use candle_core::{DType, Device, Tensor};
use lm::{KvCache, Llama, StepOptions};
use lora::TensorFile;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What keeps a case from being repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum ParityError {
    #[error("{}: cannot read: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: not the JSON of a parity case ({message})", path.display())]
    Json { path: PathBuf, message: String },
    #[error("{}: model `{model}` lies neither beside the case nor in a `models` folder above it", dir.display())]
    NoModel { dir: PathBuf, model: String },
    #[error("{}: {message}", path.display())]
    Case { path: PathBuf, message: String },
    #[error(transparent)]
    Train(Box<crate::Error>),
    #[error(transparent)]
    Model(#[from] lm::Error),
    #[error(transparent)]
    Lora(#[from] lora::Error),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl From<crate::Error> for ParityError {
    fn from(error: crate::Error) -> Self {
        Self::Train(Box::new(error))
    }
}

type Result<T> = std::result::Result<T, ParityError>;

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ParityRow {
    /// What was compared.
    pub name: String,
    /// The largest difference.
    pub difference: f64,
    /// What it may be.
    pub tolerance: f64,
    /// Whether the difference is a number within the tolerance.
    pub passed: bool,
}

/// All comparisons of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct ParityReport {
    /// The case's name.
    pub case: String,
    /// In the order of the training.
    pub rows: Vec<ParityRow>,
}

impl ParityReport {
    /// Whether every row passed.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }

    /// NaN never passes.
    fn add(&mut self, name: impl Into<String>, difference: f64, tolerance: f64) {
        let passed = difference <= tolerance;
        self.rows.push(ParityRow { name: name.into(), difference, tolerance, passed });
    }
}

impl fmt::Display for ParityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {:>12} {:>12}", self.case, "difference", "tolerance")?;
        for row in &self.rows {
            let verdict = if row.passed { "ok" } else { "BEYOND" };
            write!(f, "\n{:<32} {:>12.3e} {:>12.1e}  {verdict}", row.name, row.difference, row.tolerance)?;
        }
        Ok(())
    }
}

/// Absolute: the loss is a mean of a few nats.
const LOSS: f64 = 2e-5;
/// Relative to the recorded norm.
const NORM: f64 = 1.2e-5;
/// Relative to the largest value of the tensor.
const GRADIENT: f64 = 5e-5;
/// Relative to the largest value of the tensor, after the last update.
const ADAPTER: f64 = 2.6e-4;
/// The makers measured the noise of the last adapter only. After the first updates it is larger where B starts at 0: Adam
/// divides each gradient by its own size, noise included. So it is measured here as they did, float32 against float64,
/// on our side of the comparison, where a wrong formula cannot widen it.
const NOISE: f64 = 10.0;
/// Absolute.
const LOGITS: f64 = 3e-4;
/// Relative: both sides compute the same formula in f64.
const RATE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    name: String,
    model_name: String,
    data_file: String,
    lr: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    grad_clip: f64,
    schedule: String,
    warmup_steps: u64,
    total_steps: u64,
    scaling: f64,
    logits_micro_batch: usize,
    logits_rows: usize,
    steps: Vec<RecordedStep>,
}

#[derive(Deserialize)]
struct RecordedStep {
    step: u64,
    micro_batches: Vec<RecordedPart>,
    labelled_tokens: usize,
    loss: f64,
    grad_norm_before_clip: f64,
    lr: f64,
}

#[derive(Deserialize)]
struct RecordedPart {
    micro_batch: usize,
}

#[derive(Deserialize)]
struct Data {
    micro_batches: Vec<MicroBatch>,
}

#[derive(Deserialize)]
struct MicroBatch {
    input_ids: Vec<Vec<u32>>,
    attention_mask: Vec<Vec<u8>>,
    labels: Vec<Vec<i64>>,
}

impl MicroBatch {
    /// Rows without padding, with their supervision.
    fn rows(&self) -> Vec<(Vec<u32>, Vec<bool>)> {
        let rows = self.input_ids.iter().zip(&self.attention_mask).zip(&self.labels);
        rows.map(|((ids, mask), labels)| {
            let length = mask.iter().take_while(|&&m| m == 1).count();
            let ids = ids.iter().copied().take(length).collect();
            (ids, labels.iter().take(length).map(|&l| l >= 0).collect())
        })
        .collect()
    }
}

/// Repeats the case in `dir`, each update computed as `options` say.
pub fn parity(dir: &Path, options: &StepOptions) -> Result<ParityReport> {
    let case_path = dir.join("case.json");
    let case: Case = read_json(&case_path)?;
    let bad = |message: String| ParityError::Case { path: case_path.clone(), message };
    let beside = dir.parent().unwrap_or(dir);
    let data: Data = read_json(&beside.join(&case.data_file))?;
    let part = |i: usize| data.micro_batches.get(i).ok_or_else(|| bad(format!("there is no micro-batch {i}")));
    let decay = match case.schedule.as_str() {
        "warmup_cosine" => Decay::Cosine,
        "constant" => Decay::Constant,
        other => return Err(bad(format!("unknown schedule `{other}`; known are warmup_cosine and constant"))),
    };
    let folder = find_model(beside, &case.model_name)?;
    let mut model = Llama::load(&folder, &Device::Cpu)?;
    model.load_adapter(&dir.join("adapter_init"))?;
    let mut report = ParityReport { case: case.name.clone(), rows: Vec::new() };
    let scaling = model.adapter().map_or(f64::NAN, lm::LoraConfig::scaling);
    report.add("scaling", relative(scaling, case.scaling), RATE);

    let logits = TensorFile::open(&dir.join("logits.safetensors"))?;
    let shown: Vec<Vec<u32>> =
        part(case.logits_micro_batch)?.rows().into_iter().take(case.logits_rows).map(|(ids, _)| ids).collect();
    report.add("logits init", compare_logits(&model, &shown, &logits, "init")?, LOGITS);

    let schedule = Schedule::new(decay, case.warmup_steps, case.total_steps);
    let adapter_of = |step: u64| dir.join(format!("adapter_step{step}")).join(lora::MODEL_FILE);
    let updates = case.steps.len() as u64;
    let early = (1..updates).rev().find(|&step| adapter_of(step).exists()).unwrap_or(0);
    let mut twin = Llama::load_as(&folder, DType::F64, &Device::Cpu)?;
    twin.load_adapter(&dir.join("adapter_init"))?;
    let mut adamw = AdamW::new(case.betas, case.eps, case.weight_decay);
    let mut twin_adamw = adamw.clone();
    let (mut worst_loss, mut worst_norm, mut worst_rate) = (0f64, 0f64, 0f64);
    for recorded in &case.steps {
        let parts = recorded.micro_batches.iter().map(|p| part(p.micro_batch)).collect::<Result<Vec<_>>>()?;
        let (loss, mut gradients) = step_gradients(&model, &parts, recorded.labelled_tokens, options)?;
        worst_loss = keep_nan(worst_loss, (loss - recorded.loss).abs());
        if recorded.step == 1 {
            let file = TensorFile::open(&dir.join("grads_step1.safetensors"))?;
            report.add("gradients step 1", compare_tensors(&gradients, &file)?, GRADIENT);
        }
        let norm = clip_gradients(&mut gradients, case.grad_clip)?;
        worst_norm = keep_nan(worst_norm, relative(norm, recorded.grad_norm_before_clip));
        let rate = case.lr * schedule.factor(recorded.step);
        worst_rate = keep_nan(worst_rate, relative(rate, recorded.lr));
        adamw.step(&model.trainable(), &gradients, |_| rate)?;
        let ours = trained(&model);
        let mut tolerance = ADAPTER;
        if recorded.step <= early {
            let (_, mut exact) = step_gradients(&twin, &parts, recorded.labelled_tokens, options)?;
            clip_gradients(&mut exact, case.grad_clip)?;
            twin_adamw.step(&twin.trainable(), &exact, |_| rate)?;
            tolerance = tolerance.max(NOISE * compare_maps(&ours, &trained(&twin))?);
        }
        let adapter = adapter_of(recorded.step);
        if adapter.exists() {
            let difference = compare_tensors(&ours, &TensorFile::open(&adapter)?)?;
            report.add(format!("adapter step {}", recorded.step), difference, tolerance);
        }
    }
    report.add(format!("loss, {updates} steps"), worst_loss, LOSS);
    report.add(format!("gradient norm, {updates} steps"), worst_norm, NORM);
    report.add(format!("learning rate, {updates} steps"), worst_rate, RATE);
    report.add("logits final unmerged", compare_logits(&model, &shown, &logits, "final_unmerged")?, LOGITS);
    model.merge_adapter()?;
    report.add("logits final merged", compare_logits(&model, &shown, &logits, "final_merged")?, LOGITS);
    let merged = dir.join("merged_model.safetensors");
    if merged.exists() {
        report.add("merged weights", compare_tensors(&model.weights()?, &TensorFile::open(&merged)?)?, ADAPTER);
    }
    Ok(report)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|source| ParityError::Io { path: path.into(), source })?;
    serde_json::from_str(&text).map_err(|e| ParityError::Json { path: path.into(), message: e.to_string() })
}

/// Beside the case, or in the nearest `models` folder above it.
fn find_model(beside: &Path, name: &str) -> Result<PathBuf> {
    let start = std::path::absolute(beside).map_err(|source| ParityError::Io { path: beside.into(), source })?;
    let candidates = std::iter::once(start.join(name)).chain(start.ancestors().map(|a| a.join("models").join(name)));
    let missing = || ParityError::NoModel { dir: beside.into(), model: name.into() };
    candidates.into_iter().find(|c| c.join("config.json").exists()).ok_or_else(missing)
}

/// Mean loss over all labelled tokens of the step, and its gradients by name.
fn step_gradients(
    model: &Llama,
    parts: &[&MicroBatch],
    labelled: usize,
    options: &StepOptions,
) -> Result<(f64, BTreeMap<String, Tensor>)> {
    let rows: Vec<_> = parts.iter().flat_map(|part| part.rows()).collect();
    let rows: Vec<(&[u32], &[bool])> = rows.iter().map(|(ids, mask)| (ids.as_slice(), mask.as_slice())).collect();
    let sum = model.gradients(&rows, options, None)?;
    let scale = 1.0 / labelled as f64;
    let mean = |(name, gradient): (String, Tensor)| Ok((name, gradient.affine(scale, 0.0)?));
    Ok((sum.loss * scale, sum.tensors.into_iter().map(mean).collect::<Result<_>>()?))
}

/// The adapter's tensors; valid until the next update.
fn trained(model: &Llama) -> BTreeMap<String, Tensor> {
    model.trainable().into_iter().map(|(name, var)| (name, var.as_detached_tensor())).collect()
}

/// As [`compare_maps`], with a file.
fn compare_tensors(ours: &BTreeMap<String, Tensor>, file: &TensorFile) -> Result<f64> {
    if !file.names().iter().eq(ours.keys()) {
        return Ok(f64::INFINITY);
    }
    let mut theirs = BTreeMap::new();
    for (name, tensor) in ours {
        theirs.insert(name.clone(), file.read_as(name, tensor.dims(), DType::F64, tensor.device())?);
    }
    compare_maps(ours, &theirs)
}

/// The largest difference, each tensor's relative to its largest value in `expected`; infinite where one side has a
/// tensor that the other lacks.
fn compare_maps(ours: &BTreeMap<String, Tensor>, expected: &BTreeMap<String, Tensor>) -> Result<f64> {
    if !ours.keys().eq(expected.keys()) {
        return Ok(f64::INFINITY);
    }
    let mut worst = 0f64;
    for (tensor, expected) in ours.values().zip(expected.values()) {
        let expected = values(expected)?;
        let largest = expected.iter().fold(0f64, |m, v| m.max(v.abs()));
        let difference = largest_difference(&values(tensor)?, &expected);
        worst = keep_nan(worst, if largest > 0.0 { difference / largest } else { difference });
    }
    Ok(worst)
}

/// The largest difference at real positions; without gradients, as in use.
fn compare_logits(model: &Llama, rows: &[Vec<u32>], file: &TensorFile, name: &str) -> Result<f64> {
    let expected = file.read(name, &Device::Cpu)?;
    let mut worst = 0f64;
    for (i, ids) in rows.iter().enumerate() {
        let hidden = model.hidden(&[ids], Some(&mut KvCache::new()))?;
        let ours = values(&model.logits(&hidden)?)?;
        let theirs = values(&expected.get(i)?.narrow(0, 0, ids.len())?)?;
        worst = keep_nan(worst, largest_difference(&ours, &theirs));
    }
    Ok(worst)
}

fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    a.iter().zip(b).fold(0.0, |worst, (x, y)| keep_nan(worst, (x - y).abs()))
}

/// `f64::max` would lose a NaN.
fn keep_nan(worst: f64, value: f64) -> f64 {
    if worst.is_nan() || value.is_nan() { f64::NAN } else { worst.max(value) }
}

fn relative(ours: f64, theirs: f64) -> f64 {
    if theirs == 0.0 { ours.abs() } else { (ours / theirs - 1.0).abs() }
}
