//! Near duplicates of a file of texts, one a line, timed: our side of `benches/peer/near_duplicates.py`.
//!
//! `near_duplicates FILE THRESHOLD RUNS` prints one JSON object with the seconds of each run of each way. It writes the similar
//! pairs, one `a b` a line, to FILE.pairs, and those that `MinHash` puts into one cluster to FILE.minhash.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::fmt::Write;
use std::time::Instant;
use text::{all_near_duplicates, near_duplicates, similar_pairs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (file, threshold, runs) = (args.next().ok_or("no FILE")?, args.next(), args.next());
    let threshold: f64 = threshold.as_deref().unwrap_or("0.7").parse()?;
    let runs: usize = runs.as_deref().unwrap_or("5").parse()?;
    let content = std::fs::read_to_string(&file)?;
    let keys: Vec<&str> = content.lines().collect();

    let timed = |work: &dyn Fn() -> usize| {
        let mut seconds = Vec::new();
        let mut clusters = 0;
        for _ in 0..runs {
            let start = Instant::now();
            clusters = work();
            seconds.push(start.elapsed().as_secs_f64());
        }
        (seconds, clusters)
    };
    let (exact, exact_clusters) = timed(&|| all_near_duplicates(&keys, threshold).sizes().len());
    let (minhash, minhash_clusters) = timed(&|| near_duplicates(&keys, threshold, 42).sizes().len());

    let (pairs, compared) = similar_pairs(&keys, 5, threshold);
    let cluster = near_duplicates(&keys, threshold, 42).representative;
    let (mut lines, mut joined) = (String::new(), String::new());
    for pair in &pairs {
        writeln!(lines, "{} {}", pair.a, pair.b)?;
        if cluster[pair.a] == cluster[pair.b] {
            writeln!(joined, "{} {}", pair.a, pair.b)?;
        }
    }
    std::fs::write(format!("{file}.pairs"), lines)?;
    std::fs::write(format!("{file}.minhash"), joined)?;
    println!(
        "{{\"texts\": {}, \"exact\": {exact:?}, \"minhash\": {minhash:?}, \"clusters\": [{exact_clusters}, {minhash_clusters}], \
         \"pairs\": {}, \"compared\": {compared}}}",
        keys.len(),
        pairs.len()
    );
    Ok(())
}
