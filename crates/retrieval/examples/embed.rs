//! How many texts a second a model embeds: `cargo run -p retrieval --example embed -- MODEL_FOLDER TEXTS [RUNS]` (one text
//! a line; the median of the runs).

use retrieval::{BertEmbedder, Embedder};
use std::path::Path;

#[expect(clippy::print_stdout, reason = "what the example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, path, runs) = match arguments.as_slice() {
        [folder, path] => (folder, path, 1),
        [folder, path, runs] => (folder, path, runs.parse::<usize>()?.max(1)),
        _ => return Err("give MODEL_FOLDER, TEXTS and perhaps RUNS".into()),
    };
    let model = BertEmbedder::open(Path::new(folder))?;
    let text = std::fs::read_to_string(path)?;
    let texts: Vec<&str> = text.lines().collect();
    model.embed(texts.get(..32.min(texts.len())).unwrap_or_default())?;
    let (mut seconds, mut bits) = (Vec::new(), 0u64);
    for _ in 0..runs {
        let watch = artifacts::runtime::Stopwatch::start();
        let vectors = model.embed(&texts)?;
        seconds.push(watch.seconds());
        bits = vectors.iter().flatten().fold(0, |sum, v| sum.rotate_left(5) ^ u64::from(v.to_bits()));
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[runs / 2];
    let each = texts.len() as f64 / median;
    let mut cut = 0;
    for text in &texts {
        cut += usize::from(model.cuts(text)?);
    }
    println!(
        "{} texts in {median:.2} s, {each:.1} texts/s; {cut} longer than {} tokens; all bits together {bits:016x}",
        texts.len(),
        model.max_tokens()
    );
    Ok(())
}
