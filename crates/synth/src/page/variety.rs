use crate::Diversity;
use report::{Document, Table, format};

/// Kept rows against equally many, equally long real rows.
pub(super) fn variety(doc: &mut Document, diversity: &Diversity) {
    let Diversity { texts, synthetic, real, auc } = diversity;
    doc.heading("Diversity");
    doc.paragraph(format!(
        "{texts} kept rows beside {texts} real training rows of the same lengths: every figure here changes with number and length, so only equal ones compare."
    ));
    let mut table = Table::new().text("figure").number("synthetic").number("real").text("more varied is");
    table.push([
        "words".to_owned(),
        format::number(Some(synthetic.words), 1),
        format::number(Some(real.words), 1),
        String::new(),
    ]);
    for (n, (s, r)) in synthetic.distinct.iter().zip(real.distinct).enumerate() {
        table.push([format!("distinct-{}", n + 1), format::number(*s, 3), format::number(r, 3), "higher".to_owned()]);
    }
    table.push([
        "Self-BLEU".to_owned(),
        format::number(synthetic.self_bleu, 3),
        format::number(real.self_bleu, 3),
        "lower".to_owned(),
    ]);
    table.push([
        "compression ratio".to_owned(),
        format::number(synthetic.compression, 2),
        format::number(real.compression, 2),
        "lower".to_owned(),
    ]);
    doc.table(table);
    doc.paragraph(format!(
        "A classifier that is trained to tell the two apart reaches an area under the curve of {auc:.3} on rows it did not learn from: 0.5 would be not at all, 1 always."
    ));
}
