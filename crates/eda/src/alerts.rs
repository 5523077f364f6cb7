use crate::group::LABELS;
use crate::{Alert, Analysis, Config, Group, LanguageAnalysis};
use artifacts::rows::Language;

/// Everything about the rows that crosses a limit of the settings, most serious first.
pub fn alerts(analysis: &Analysis, config: &Config) -> Vec<Alert> {
    let mut found = Vec::new();
    for language in &analysis.languages {
        of_texts(language, config, &mut found);
        for (place, group) in language.groups.iter().enumerate() {
            of_group(language.language, group, place > 0, config, &mut found);
        }
        let name = language.language;
        found.extend(language.shifts.iter().filter(|s| s.is_real()).map(|s| Alert::SplitShift {
            language: name,
            aspect: s.aspect,
            reference: s.reference.clone(),
            split: s.split.clone(),
            distance: s.distance,
            chance: s.chance,
        }));
    }
    // A stable sort: within a level the order stays that of the languages.
    found.sort_by_key(|a| std::cmp::Reverse(a.level()));
    found
}

fn of_texts(found_in: &LanguageAnalysis, config: &Config, found: &mut Vec<Alert>) {
    let (language, d) = (found_in.language, &found_in.duplicates);
    if d.across > 0 {
        found.push(Alert::Leakage { language, texts: d.across });
    }
    if d.near_across > d.across {
        let clusters = d.near_across;
        found.push(Alert::NearLeakage { language, clusters, threshold: config.near_duplicate_threshold });
    }
    if d.conflicting > 0 {
        found.push(Alert::ConflictingLabels { language, texts: d.conflicting });
    }
    if d.near_conflicting > d.conflicting {
        found.push(Alert::NearConflictingLabels { language, clusters: d.near_conflicting });
    }
    for (split, rows) in d.repeats.iter().filter(|(_, rows)| **rows > 0) {
        found.push(Alert::Repeats { language, split: split.clone(), rows: *rows });
    }
    if let Some(v) = found_in.source_label_v.filter(|v| *v > config.source_label_v) {
        found.push(Alert::SourceTellsLabel { language, cramers_v: v, limit: config.source_label_v });
    }
}

fn of_group(language: Language, group: &Group, held_out: bool, config: &Config, found: &mut Vec<Alert>) {
    let split = &group.split;
    for (label, &rows) in LABELS.iter().zip(&group.labels) {
        let (split, label) = (split.clone(), label.to_string());
        if rows == 0 {
            found.push(Alert::MissingClass { language, split, label });
        } else if held_out && rows < config.few_rows {
            found.push(Alert::FewRows { language, split, label, rows, limit: config.few_rows });
        }
    }
    if let Some(ratio) = group.imbalance().filter(|r| *r > config.imbalance_ratio) {
        found.push(Alert::Imbalance { language, split: split.clone(), ratio, limit: config.imbalance_ratio });
    }
    let share = group.mismatch_share();
    if share > config.language_mismatch_share {
        let limit = config.language_mismatch_share;
        found.push(Alert::LanguageMismatch { language, split: split.clone(), share, limit });
    }
    let share = group.label_words as f64 / group.rows.max(1) as f64;
    if share > config.label_word_share {
        found.push(Alert::LabelWord { language, split: split.clone(), share, limit: config.label_word_share });
    }
}
