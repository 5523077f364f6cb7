use super::{section, write};
use crate::Run;
use report::Document;

/// `task_2_evaluation/evaluation_report.ipynb`: the account of the decisions, and whether their reasons hold.
pub(crate) fn evaluation(run: &Run) -> anyhow::Result<()> {
    let parts: Vec<_> =
        ["backtester", "significance", "reasoning", "leakage"].iter().map(|stage| run.folder(stage)).collect();
    let inputs = parts.iter().map(|folder| folder.join("report.json")).collect();
    write(run, "task_2_evaluation", "evaluation_report", inputs, || {
        let mut document = Document::new("Task 2: what the decisions are worth, and whether their reasons hold");
        document.subtitle(
            "The account is kept with next-bar fills and costs; the reasons are checked claim by claim against the facts they cite.",
        );
        for folder in parts.iter().filter(|folder| folder.join("report.json").exists()) {
            document.append(section(folder)?);
        }
        Ok(document)
    })
}

/// `task_3_experimentation/experiments_and_results.ipynb`: what each change brings.
pub(crate) fn experiments(run: &Run) -> anyhow::Result<()> {
    let folder = run.folder("experiments");
    let inputs = vec![folder.join("report.json")];
    write(run, "task_3_experimentation", "experiments_and_results", inputs, || section(&folder))
}
