use crate::{Analysis, Findings, Lengths, Mark, Subject};
use artifacts::rows::ProfileFigure;

/// Every figure of the report as a row.
pub(crate) fn figures(analysis: &Analysis) -> Vec<ProfileFigure> {
    let mut rows = Vec::new();
    for (subject, findings) in analysis.subjects() {
        of_groups(analysis, subject, &mut rows);
        of_findings(analysis, subject, findings, &mut rows);
    }
    for c in &analysis.comparisons {
        let slice = format!("{} | {}", c.a, c.b);
        let section = format!("comparison of {}s", c.dimension.name());
        let (a, b) = c.texts;
        let mut maker = Maker { section: &section, subject: &c.subject, slice: &slice, n: a + b, rows: &mut rows };
        for d in &c.differences {
            maker.add(&format!("{}: first", d.figure), "", d.a);
            maker.add(&format!("{}: second", d.figure), "", d.b);
            maker.add(&format!("{}: distance", d.figure), d.measure.name(), Some(d.distance));
            maker.add(&format!("{}: distance by chance", d.figure), d.measure.name(), Some(d.chance));
        }
    }
    for ((source, reason), n) in &analysis.rejected {
        let mut maker = Maker { section: "refused", subject: "all", slice: source, n: *n, rows: &mut rows };
        maker.add("rows", reason, Some(*n as f64));
    }
    rows
}

struct Maker<'a> {
    section: &'a str,
    subject: &'a str,
    slice: &'a str,
    n: u64,
    rows: &'a mut Vec<ProfileFigure>,
}

impl Maker<'_> {
    fn add(&mut self, name: &str, item: &str, value: Option<f64>) {
        let [section, subject, slice, name, item] =
            [self.section, self.subject, self.slice, name, item].map(str::to_owned);
        self.rows.push(ProfileFigure { section, subject, slice, name, item, value, n: self.n });
    }

    fn lengths(&mut self, unit: &str, lengths: &Lengths) {
        self.add("mean", unit, lengths.mean());
        for (name, q) in [("p05", 0.05), ("median", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            self.add(name, unit, lengths.quantile(q));
        }
        self.add("longest", unit, Some(f64::from(lengths.longest())));
        for (third, rows) in lengths.by_thirds() {
            self.add(&format!("{unit}: rows by steps of a third"), &third.to_string(), Some(rows as f64));
        }
    }
}

fn of_groups(analysis: &Analysis, subject: &Subject, rows: &mut Vec<ProfileFigure>) {
    for group in &subject.groups {
        let slice = analysis.split(group.split);
        let mut maker = Maker { section: "rows", subject: subject.name(), slice, n: group.rows, rows };
        maker.add("rows", "", Some(group.rows as f64));
        maker.add("synthetic rows", "", Some(group.synthetic as f64));
        maker.add("rows without text", "", Some(group.without_text as f64));
        maker.add("rows without label", "", Some(group.without_label as f64));
        for (reason, n) in &group.unreadable {
            maker.add("unreadable rows", reason, Some(*n as f64));
        }
        let place = group.split.min(crate::key_table::SPLITS - 1);
        let of = |copies: &[u64]| copies.get(place).map(|n| *n as f64);
        maker.add("repeated rows", "byte for byte", of(&subject.exact.copies));
        maker.add("repeated rows", "folded", of(&subject.folded.copies));
        maker.section = "labels";
        for (label, n) in group.labels.iter().enumerate() {
            maker.add("rows", analysis.label(label), Some(*n as f64));
            maker.add("share", analysis.label(label), Some(group.share(*n)));
        }
        maker.add("rows that name their own label", "", Some(group.label_words as f64));
        maker.section = "lengths";
        maker.lengths("characters", &group.characters);
        maker.lengths("words", &group.words);
        maker.lengths("syllables", &group.syllables);
        maker.section = "marks";
        for mark in Mark::ALL {
            maker.add("rows", mark.name(), Some(group.marked(mark) as f64));
        }
        maker.section = "language";
        for (language, n) in ["English", "Vietnamese", "other", "undecided"].iter().zip(group.detected) {
            maker.add("rows", language, Some(n as f64));
        }
        maker.section = "sources";
        for (source, labels) in &group.sources {
            let name = analysis.profile.sources.get(*source).map_or("", String::as_str);
            maker.add("rows", name, Some(labels.iter().sum::<u64>() as f64));
        }
    }
}

fn of_findings(analysis: &Analysis, subject: &Subject, findings: &Findings, rows: &mut Vec<ProfileFigure>) {
    let all = subject.rows();
    let mut maker = Maker { section: "duplicates", subject: subject.name(), slice: "all", n: all, rows };
    for (how, r) in [("byte for byte", &subject.exact), ("folded", &subject.folded)] {
        maker.add("different texts", how, Some(r.texts as f64));
        maker.add("texts in several splits", how, Some(r.across as f64));
        maker.add("texts with several labels", how, Some(r.conflicting as f64));
        maker.add("exact", how, Some(f64::from(u8::from(r.exact))));
        for (times, texts) in &r.multiplicities {
            maker.add(&format!("texts that occur so often, {how}"), &times.to_string(), Some(*texts as f64));
        }
    }
    let near = &findings.near;
    maker.section = "near copies";
    maker.n = near.among;
    for (name, n) in [
        ("clusters", near.clusters),
        ("texts in clusters", near.texts),
        ("clusters across splits", near.across),
        ("clusters with several labels", near.conflicting),
    ] {
        maker.add(name, "", Some(n as f64));
    }
    maker.section = "label errors";
    maker.n = findings.scores.len() as u64;
    maker.add("suspicious labels", "", Some(findings.scores.iter().filter(|s| s.suspicious).count() as f64));
    maker.section = "words and pairs";
    for (label, list) in &findings.distinctive {
        maker.slice = analysis.label(*label);
        for w in list {
            maker.n = w.inside + w.outside;
            maker.add("log-odds, z", &w.gram, Some(w.z));
        }
    }
    maker.section = "clusters";
    maker.slice = "all";
    for cluster in &findings.clusters {
        maker.n = cluster.texts;
        maker.add("texts", &cluster.words.join(" "), Some(cluster.texts as f64));
    }
    if let Some(c) = &findings.compounds {
        maker.section = "compounds";
        maker.n = c.syllables;
        maker.add("syllables a word", "", (c.words > 0).then(|| c.syllables as f64 / c.words as f64));
        for (pair, n, npmi) in &c.commonest {
            maker.n = *n;
            maker.add("normalised mutual information", pair, Some(*npmi));
        }
    }
    maker.section = "tokens";
    maker.n = all;
    maker.add("tokens in NFD over tokens in NFC", "", findings.nfd_cost);
    for t in &findings.tokens {
        maker.section = "tokens";
        maker.slice = analysis.split(t.split);
        maker.n = t.lengths.rows();
        maker.add("tokens a word", "", t.per_word());
        maker.add("tokens a character", "", t.per_character());
        maker.add("rows over the limit", "", Some(t.over as f64));
        maker.lengths("tokens", &t.lengths);
    }
    for (group, v) in subject.groups.iter().zip(&findings.source_label_v) {
        maker.section = "sources";
        maker.slice = analysis.split(group.split);
        maker.n = group.rows;
        maker.add("association of source and label", "Cramér's V", *v);
    }
    for y in &findings.yardsticks {
        maker.section = "plain methods";
        maker.slice = analysis.split(y.split);
        maker.n = y.texts;
        maker.add("accuracy", "largest class", y.majority_accuracy);
        maker.add("macro F1", "largest class", y.majority_macro_f1);
        maker.add("accuracy", "linear classifier", y.linear_accuracy);
        maker.add("macro F1", "linear classifier", y.linear_macro_f1);
    }
}
