//! The best and the worst decisions with what everyone said and which facts they cited.

use super::Figures;
use super::outcome::Outcome;
use super::record::{Record, verdict};
use artifacts::Timestamp;
use artifacts::rows::{CheckedClaim, Opinion};
use grounding::Verdict;
use report::{Document, Table, format};
use std::collections::BTreeMap;

/// Longest text of a cell, in characters.
const LONGEST: usize = 240;

type Place<'a> = (&'a str, Timestamp);

/// Both ends: decisions with a position, by what they earned before costs.
pub(super) fn section(doc: &mut Document, record: &Record, outcomes: &[Outcome<'_>], figures: &Figures, shown: usize) {
    let mut ranked: Vec<(f64, &Outcome<'_>)> =
        outcomes.iter().filter(|o| o.decision.position != 0.0).filter_map(|o| Some((o.earned()?, o))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    doc.heading("The best and the worst decisions");
    if ranked.is_empty() {
        doc.paragraph("No decision took a position whose outcome is known.");
        return;
    }
    doc.paragraph(format!("By position times the return over the next {}, before costs. One decision proves nothing: these are to be read, not counted.", super::page::bars_in_words(figures.horizon)));
    let mut opinions: BTreeMap<Place<'_>, Vec<&Opinion>> = BTreeMap::new();
    for opinion in &record.opinions {
        opinions.entry((&opinion.symbol, opinion.bar_at)).or_default().push(opinion);
    }
    let mut verdicts: BTreeMap<(Place<'_>, &str), Vec<&CheckedClaim>> = BTreeMap::new();
    for claim in &record.checked {
        verdicts.entry(((&claim.symbol, claim.bar_at), &claim.agent)).or_default().push(claim);
    }
    let count = shown.min(ranked.len().div_ceil(2));
    let (worst, best): (Vec<_>, Vec<_>) =
        (ranked.iter().take(count).collect(), ranked.iter().rev().take(count).collect());
    for (title, chosen) in [("Worst", worst), ("Best", best)] {
        for (n, (earned, outcome)) in chosen.into_iter().enumerate() {
            let d = outcome.decision;
            doc.subheading(format!(
                "{title} {}: {} at {}, {}",
                n + 1,
                d.symbol,
                d.bar_at,
                format::signed_percent(Some(*earned), 2)
            ));
            doc.paragraph(format!(
                "Position {}{}; the close then moved {}. {}",
                format::number(Some(d.position), 2),
                d.confidence.map_or_else(String::new, |c| format!(", confidence {c:.2}")),
                format::signed_percent(outcome.main, 2),
                clip(&d.rationale)
            ));
            let place = (d.symbol.as_str(), d.bar_at);
            let said = opinions.get(&place).map(Vec::as_slice).unwrap_or_default();
            if said.is_empty() {
                facts_of_decision(doc, record, &d.fact_ids);
                continue;
            }
            let mut table = Table::new()
                .text("agent")
                .number("score")
                .number("confidence")
                .text("said")
                .text("verdict")
                .text("fact");
            for opinion in said {
                let claims = verdicts.get(&(place, opinion.agent.as_str())).map(Vec::as_slice).unwrap_or_default();
                let head = [
                    opinion.agent.clone(),
                    format::number(Some(opinion.score), 2),
                    format!("{:.2}", opinion.confidence),
                ];
                table.push(head.into_iter().chain([clip(&opinion.rationale), "rationale".to_owned(), String::new()]));
                for claim in claims {
                    table.push([
                        String::new(),
                        String::new(),
                        String::new(),
                        clip(&claim.text),
                        judged(claim),
                        fact(record, &claim.cited),
                    ]);
                }
            }
            doc.table(table);
        }
    }
}

fn facts_of_decision(doc: &mut Document, record: &Record, ids: &[String]) {
    let facts: Vec<String> = ids.iter().filter_map(|id| record.facts.get(id)).map(|f| clip(&f.text)).collect();
    if !facts.is_empty() {
        doc.list(facts);
    }
}

fn judged(claim: &CheckedClaim) -> String {
    let verdict = verdict(claim);
    if verdict == Verdict::Supported || claim.expected.is_empty() {
        return verdict.to_string();
    }
    format!("{verdict}: {}", clip(&claim.expected))
}

fn fact(record: &Record, id: &str) -> String {
    record.facts.get(id).map_or_else(|| id.to_owned(), |f| clip(&f.text))
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
