use crate::{RUNGS, Synthesis};
use artifacts::rows::Verdict;
use report::{Document, Table, format};

/// Samples shown of what was kept and of each refusal.
const SAMPLES: usize = 10;

/// Reading matter: some of what was kept, and some of each refusal with its reason.
pub(super) fn samples(doc: &mut Document, synthesis: &Synthesis) {
    doc.heading("Samples");
    for verdict in std::iter::once(Verdict::Kept).chain(RUNGS) {
        let count = synthesis.of(verdict).count();
        if count == 0 {
            continue;
        }
        doc.subheading(format!("{verdict}: {count}"));
        let mut table = Table::new()
            .number("number")
            .text("label")
            .text("text")
            .text("particulars")
            .number("classifier")
            .number("score")
            .number("vote");
        // Spread over the whole run: the first ones would all be from its beginning.
        for candidate in synthesis.of(verdict).step_by(count.div_ceil(SAMPLES).max(1)) {
            let text = if candidate.text.is_empty() { "(nothing)" } else { &candidate.text };
            table.push([
                candidate.number.to_string(),
                candidate.intended.to_string(),
                text.to_owned(),
                candidate.detail.clone(),
                format::number(candidate.classifier_probability, 2),
                format::number(candidate.model_probability, 2),
                format::number(candidate.vote_share, 2),
            ]);
        }
        doc.table(table);
    }
}
