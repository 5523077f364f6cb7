//! How many texts a second a model embeds: `cargo run -p retrieval --example embed -- MODEL_FOLDER TEXTS` (one text a line).

use retrieval::{BertEmbedder, Embedder};
use std::path::Path;

#[expect(clippy::print_stdout, reason = "what the example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, path] = arguments.as_slice() else { return Err("give MODEL_FOLDER and TEXTS".into()) };
    let model = BertEmbedder::open(Path::new(folder))?;
    let text = std::fs::read_to_string(path)?;
    let texts: Vec<&str> = text.lines().collect();
    model.embed(texts.get(..32.min(texts.len())).unwrap_or_default())?;
    let watch = artifacts::runtime::Stopwatch::start();
    let vectors = model.embed(&texts)?;
    let seconds = watch.seconds();
    let bits = vectors.iter().flatten().fold(0u64, |sum, v| sum.rotate_left(5) ^ u64::from(v.to_bits()));
    let each = texts.len() as f64 / seconds;
    println!("{} texts in {seconds:.2} s, {each:.1} texts/s, all bits together {bits:016x}", texts.len());
    Ok(())
}
