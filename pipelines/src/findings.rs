//! The findings: prose with holes, filled with figures of a run. What a template names and the run lacks is an error, so
//! no number stands in `docs/findings` that no run made.

use anyhow::Context;
use artifacts::rows::Metric;
use artifacts::runtime::Runtime;
use artifacts::{Manifest, read_all, write_bytes};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What templates end in.
const TEMPLATE: &str = ".md.jinja";

/// Fill the findings' templates with the figures of a run
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct FindingsArgs {
    /// The flags of every binary.
    #[command(flatten)]
    pub common: cli::Common,
    /// The run whose figures are told
    #[arg(long)]
    pub run_dir: PathBuf,
    /// Folder of the templates (`*.md.jinja`)
    #[arg(long, default_value = "docs/findings")]
    pub templates: PathBuf,
    /// Where to write the Markdown [default: beside the templates]
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Renders every template and returns what was written.
///
/// # Errors
/// A template that is not one, or that asks for a figure the run does not have.
pub fn write(args: &FindingsArgs) -> anyhow::Result<Vec<PathBuf>> {
    let templates = &args.templates;
    let entries = std::fs::read_dir(templates).with_context(|| format!("{}: cannot read", templates.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(TEMPLATE).map(str::to_owned));
    }
    names.sort();
    anyhow::ensure!(!names.is_empty(), "{}: no file here ends in {TEMPLATE}", templates.display());
    let out = args.out.as_ref().unwrap_or(templates);
    let environment = environment(&args.run_dir);
    let mut written = Vec::new();
    for name in names {
        let template = templates.join(format!("{name}{TEMPLATE}"));
        let source =
            std::fs::read_to_string(&template).with_context(|| format!("{}: cannot read", template.display()))?;
        let text = environment
            .template_from_named_str(&format!("{name}{TEMPLATE}"), &source)
            .and_then(|template| template.render(()))
            .map_err(|error| anyhow::anyhow!("{}: {error}", template.display()))?;
        let path = out.join(format!("{name}.md"));
        write_bytes(&path, format!("{}\n", text.trim_end()).as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

fn refuse(message: String) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, message)
}

/// JSON as a template's value.
fn shown(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => ().into(),
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::String(value) => value.as_str().into(),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(value)) => value.into(),
            (None, None) => number.to_string().into(),
        },
        serde_json::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().into(),
        serde_json::Value::Object(fields) => Value::from_pairs(fields.iter().map(|(k, v)| (k.as_str(), shown(v)))),
    }
}

/// The words that templates may use.
fn environment(run: &Path) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let run: Arc<Path> = run.into();
    let here = run.clone();
    environment.add_function("metric", move |stage: &str, subject: &str, slice: &str, name: &str| {
        metric(&here.join(stage).join("metrics.parquet"), subject, slice, name)
    });
    let here = run.clone();
    environment.add_function("rows", move |stage: &str, file: &str| rows(&here.join(stage), file));
    let here = run.clone();
    environment.add_function("manifest", move |stage: &str| {
        let manifest = serde_json::to_value(manifest(&here.join(stage))?);
        manifest.map(|value| shown(&value)).map_err(|error| refuse(error.to_string()))
    });
    let here = run.clone();
    environment.add_function("rejected", move |stage: &str, reason: &str| {
        Ok::<_, minijinja::Error>(manifest(&here.join(stage))?.rows_rejected.get(reason).copied().unwrap_or(0))
    });
    let here = run.clone();
    environment.add_function("fact", move |stage: &str, name: &str| {
        let facts = manifest(&here.join(stage))?.facts;
        facts.get(name).map(shown).ok_or_else(|| {
            let known: Vec<&String> = facts.keys().collect();
            refuse(format!("{stage} has no fact {name}; its facts are {known:?}"))
        })
    });
    let here = run.clone();
    environment.add_function("setting", move |stage: &str, path: &str| {
        let config = manifest(&here.join(stage))?.config;
        let found = path.split('.').try_fold(&config, |at, key| at.get(key));
        found.map(shown).ok_or_else(|| refuse(format!("{stage} has no setting {path}")))
    });
    let here = run.clone();
    environment.add_function("seconds", move |stage: &str| {
        Ok::<_, minijinja::Error>(runtime(&here.join(stage))?.wall_seconds)
    });
    let here = run.clone();
    environment.add_function("peak_mib", move |stage: &str| {
        let bytes = runtime(&here.join(stage))?.peak_memory_bytes;
        bytes.map(|bytes| bytes >> 20).ok_or_else(|| refuse(format!("{stage} has no peak memory")))
    });
    environment.add_function("measured", move |stage: &str, name: &str| {
        let measured = runtime(&run.join(stage))?.measured;
        measured.get(name).copied().ok_or_else(|| {
            let known: Vec<&String> = measured.keys().collect();
            refuse(format!("{stage} did not measure {name}; it measured {known:?}"))
        })
    });
    environment.add_filter("fixed", |value: f64, digits: usize| format!("{value:.digits$}"));
    environment.add_filter("percent", |value: f64, digits: usize| format!("{:.digits$} %", 100.0 * value));
    environment
}

fn manifest(folder: &Path) -> Result<Manifest, minijinja::Error> {
    let found = Manifest::read(folder).map_err(|error| refuse(error.to_string()))?;
    found.ok_or_else(|| refuse(format!("{}: no such stage in this run; run it first", folder.display())))
}

fn runtime(folder: &Path) -> Result<Runtime, minijinja::Error> {
    let path = folder.join("runtime.json");
    let text = std::fs::read_to_string(&path).map_err(|error| refuse(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| refuse(format!("{}: {error}", path.display())))
}

fn rows(folder: &Path, file: &str) -> Result<u64, minijinja::Error> {
    let outputs = manifest(folder)?.outputs;
    let found = outputs.iter().find(|output| output.path == file).and_then(|output| output.rows.as_ref());
    found.map(|rows| rows.count).ok_or_else(|| refuse(format!("{} has no rows file {file}", folder.display())))
}

fn metric(path: &Path, subject: &str, slice: &str, name: &str) -> Result<f64, minijinja::Error> {
    let metrics: Vec<Metric> = read_all(path).map_err(|error| refuse(error.to_string()))?;
    let found = metrics.iter().find(|m| m.subject == subject && m.slice == slice && m.metric == name);
    found.and_then(|m| m.value).ok_or_else(|| {
        let near: Vec<String> = metrics
            .iter()
            .filter(|m| m.subject == subject && (m.slice == slice || m.metric == name))
            .map(|m| format!("{}/{}", m.slice, m.metric))
            .take(40)
            .collect();
        refuse(format!("{}: no {subject}/{slice}/{name}; near it: {near:?}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::{Outcome, StageSpec};
    use clap::Parser;

    fn args(run: &Path, templates: &Path) -> FindingsArgs {
        let paths = [run, templates].map(|path| path.to_string_lossy().into_owned());
        FindingsArgs::parse_from(["findings", "--run-dir", &paths[0], "--templates", &paths[1]])
    }

    fn run_with_a_stage() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let spec = StageSpec {
            name: "evaluator",
            version: 1,
            folder: dir.path().join("evaluator"),
            seed: artifacts::Seed(1),
            config: serde_json::json!({ "lora": { "r": 8 } }),
            inputs: Vec::new(),
            force: false,
        };
        let Outcome::Run(mut open) = spec.begin().unwrap() else { panic!("a new folder") };
        let metric = |value| Metric {
            subject: "tuned".into(),
            slice: "vi".into(),
            metric: "macro_f1".into(),
            value: Some(value),
            n: 250,
        };
        open.write_rows("metrics.parquet", vec![metric(0.73456)]).unwrap();
        open.finish().unwrap();
        dir
    }

    #[test]
    fn figures_come_from_the_run() {
        let (run, templates) = (run_with_a_stage(), tempfile::tempdir().unwrap());
        let text = "F1 {{ metric('evaluator', 'tuned', 'vi', 'macro_f1') | fixed(3) }}, \
                    {{ metric('evaluator', 'tuned', 'vi', 'macro_f1') | percent(1) }}, \
                    r = {{ setting('evaluator', 'lora.r') }}, {{ rows('evaluator', 'metrics.parquet') }} row\n";
        std::fs::write(templates.path().join("a.md.jinja"), text).unwrap();
        let written = write(&args(run.path(), templates.path())).unwrap();
        assert_eq!(std::fs::read_to_string(&written[0]).unwrap(), "F1 0.735, 73.5 %, r = 8, 1 row\n");
    }

    #[test]
    fn a_figure_that_the_run_lacks_is_named() {
        let (run, templates) = (run_with_a_stage(), tempfile::tempdir().unwrap());
        std::fs::write(templates.path().join("a.md.jinja"), "{{ metric('evaluator', 'tuned', 'vi', 'typo') }}")
            .unwrap();
        let error = write(&args(run.path(), templates.path())).unwrap_err().to_string();
        assert!(error.contains("tuned/vi/typo") && error.contains("vi/macro_f1"), "{error}");
        assert!(!templates.path().join("a.md").exists());
    }
}
