use crate::data::rows;
use anyhow::Context;
use candle_core::{DType, Device};
use lm::Llama;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Logits {
    /// The base checkpoint's folder
    #[arg(long)]
    model: PathBuf,
    /// The adapter's folder
    #[arg(long)]
    adapter: PathBuf,
    /// Rows that make_rows.py wrote
    #[arg(long)]
    data: PathBuf,
    /// Rows to read
    #[arg(long, default_value_t = 4)]
    rows: usize,
    /// Where to write them: one list a row, one list a token, one number for each entry of the vocabulary
    #[arg(long)]
    out: PathBuf,
}

impl Logits {
    pub(crate) fn run(&self) -> anyhow::Result<Value> {
        let mut model = Llama::load(&self.model, &Device::Cpu)?;
        model.load_adapter(&self.adapter)?;
        let mut all = Vec::new();
        for (ids, _) in rows(&self.data)?.iter().take(self.rows) {
            let logits = model.logits(&model.hidden(&[ids.as_slice()], None)?)?;
            all.push(logits.to_dtype(DType::F32)?.to_vec2::<f32>()?);
        }
        let text = serde_json::to_string(&all)?;
        std::fs::write(&self.out, text).with_context(|| format!("{}: cannot write", self.out.display()))?;
        Ok(json!({ "rows": all.len(), "out": self.out }))
    }
}
