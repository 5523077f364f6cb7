use super::{section, write};
use crate::Run;
use anyhow::Context;
use report::{Block, Document, Severity, Table};
use serde::Deserialize;

/// `task_2_evaluation/evaluation_report.ipynb`: the account of the decisions, and whether their reasons hold.
pub(crate) fn evaluation(run: &Run) -> anyhow::Result<()> {
    let parts: Vec<_> =
        ["backtester", "significance", "reasoning", "leakage"].iter().map(|stage| run.folder(stage)).collect();
    let inputs =
        parts.iter().flat_map(|folder| ["report.json", "proposals.json"].map(|file| folder.join(file))).collect();
    write(run, ("task_2_evaluation", "evaluation_report"), serde_json::json!({}), inputs, || {
        let mut document = Document::new("Task 2: what the decisions are worth, and whether their reasons hold");
        document.subtitle(
            "The account is kept with next-bar fills and costs; the reasons are checked claim by claim against the facts they cite.",
        );
        let sections: Vec<Document> = parts
            .iter()
            .filter(|folder| folder.join("report.json").exists())
            .map(|folder| section(folder))
            .collect::<Result<_, _>>()?;
        summary(&mut document, &sections);
        improvements(run, &mut document)?;
        for part in sections {
            document.append(part);
        }
        Ok(document)
    })
}

/// The warnings and key figures of every part, and where to read on.
fn summary(document: &mut Document, sections: &[Document]) {
    document.heading("At a glance");
    let mut table = Table::new().text("part").text("figure").number("value").text("beside it");
    for part in sections {
        for (label, value, note) in part.blocks().iter().flat_map(tiles_of) {
            table.push([part.title(), label, value, note]);
        }
    }
    document.table(table.caption("The key figures; each part below says how they were computed."));
    for block in sections.iter().flat_map(Document::blocks) {
        if let Block::Callout(Severity::Warning | Severity::Critical, ..) = block {
            document.push(block.clone());
        }
    }
}

fn tiles_of(block: &Block) -> Vec<(&str, &str, &str)> {
    let Block::Tiles(tiles) = block else { return Vec::new() };
    tiles.iter().map(|t| (t.label.as_str(), t.value.as_str(), t.note.as_str())).collect()
}

/// What `reasoning` wrote down.
#[derive(Deserialize)]
struct Proposal {
    action: String,
    because: String,
    weight: f64,
}

fn improvements(run: &Run, document: &mut Document) -> anyhow::Result<()> {
    let path = run.file("reasoning", "proposals.json");
    if !path.exists() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}: cannot read", path.display()))?;
    let proposals: Vec<Proposal> =
        serde_json::from_str(&text).with_context(|| format!("{}: no proposals", path.display()))?;
    document.heading("Proposed improvements");
    document.paragraph("Each rests on a figure of this report. Task 3 measures what such changes bring.");
    let point = |p: &Proposal| {
        let far = if p.weight >= 1.0 { "beyond its limit" } else { "within its limit, and the nearest to it" };
        format!("{} Because: {}, {far}.", p.action, p.because)
    };
    document.list(proposals.iter().map(point));
    Ok(())
}

/// `task_3_experimentation/experiments_and_results.ipynb`: what each change brings.
pub(crate) fn experiments(run: &Run) -> anyhow::Result<()> {
    let folder = run.folder("experiments");
    let inputs = vec![folder.join("report.json")];
    write(run, ("task_3_experimentation", "experiments_and_results"), serde_json::json!({}), inputs, || {
        section(&folder)
    })
}
