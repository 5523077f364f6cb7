//! The report of a synthesis.

mod funnel;
mod judges;
mod samples;
mod variety;

use crate::{Config, Diversity, Rule, Synthesis};
use artifacts::rows::{Example, Verdict};
use report::{Document, Severity, Tile, format};

/// Everything the report shows.
pub(crate) struct Page<'a> {
    pub(crate) config: &'a Config,
    pub(crate) synthesis: &'a Synthesis,
    /// Kept rows against real ones.
    pub(crate) diversity: Option<&'a Diversity>,
    /// Evaluation rows: what is kept is compared with them once more.
    pub(crate) eval: &'a [Example],
}

/// The report as a document.
pub(crate) fn page(page: &Page<'_>) -> Document {
    let Page { config, synthesis, diversity, eval } = page;
    let made = synthesis.candidates.len();
    let kept = synthesis.of(Verdict::Kept).count();
    let mut doc = Document::new("Synthetic rows");
    doc.subtitle(format!("written by {}, verified by the ladder", synthesis.model));
    let auc = diversity.map(|d| d.auc);
    doc.tiles(vec![
        Tile::new("kept", format::count(kept as u64), format!("of {} asked for", format::count(config.rows))),
        Tile::new(
            "candidates",
            format::count(made as u64),
            format!("at most {}", format::count(config.max_candidates)),
        ),
        Tile::new("share kept", share(kept, made), "of all candidates"),
        Tile::new(
            "labels right",
            format::percent(synthesis.judge.precision(), 0),
            "at least, by the judges' record on real rows",
        ),
        Tile::new("told from real rows", format::number(auc, 3), "area under the curve; 0.5 is not at all"),
    ]);
    if (kept as u64) < config.rows && synthesis.panel.rule != Rule::Nobody {
        let (severity, what) = if kept == 0 {
            (Severity::Critical, "Nothing was kept, so there is no synthetic.parquet.")
        } else {
            (Severity::Warning, "Fewer rows were kept than asked for.")
        };
        let text = "The model does not write enough news that passes; the refusals below say why. Raise max_candidates or take another model.";
        doc.callout(severity, what, text);
    }
    funnel::funnel(&mut doc, synthesis);
    funnel::leakage(&mut doc, config, synthesis, eval);
    funnel::balance(&mut doc, config, synthesis);
    judges::judges(&mut doc, config, synthesis);
    if let Some(diversity) = diversity {
        variety::variety(&mut doc, diversity);
    }
    samples::samples(&mut doc, synthesis);
    doc
}

/// A share in percent.
fn share(part: usize, whole: usize) -> String {
    format::percent((whole > 0).then(|| part as f64 / whole as f64), 1)
}
