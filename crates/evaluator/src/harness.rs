//! The results in the form of lm-evaluation-harness: one `results.json` and one line a sample, so that what reads its output reads
//! ours.

use crate::Config;
use crate::questions::Question;
use crate::replies::Reply;
use crate::track::{Track, Way};
use artifacts::Seed;
use artifacts::rows::{Language, Sentiment};
use serde_json::{Map, Value, json};
use stats::classification::{accuracy, macro_f1, matthews};

/// Raised when a figure of a task changes its meaning.
const TASK_VERSION: u32 = 2;
const TASK: &str = "seafin_sentiment";

/// One model's files: (name, content).
pub(crate) struct Files {
    pub(crate) results: Vec<u8>,
    pub(crate) samples: Vec<(String, Vec<u8>)>,
}

/// Everything about one subject.
pub(crate) struct Subject<'a> {
    /// The name of the model, never a path.
    pub(crate) model: &'a str,
    pub(crate) tracks: &'a [&'a Track],
    pub(crate) questions: &'a [Question],
    pub(crate) replies: &'a [Reply],
    pub(crate) config: &'a Config,
    pub(crate) seed: Seed,
}

impl Subject<'_> {
    /// One task a language. `acc` and `f1` take the likeliest label, `acc_norm` and `f1_norm` the calibrated one, `exact_match` and `f1_generated` what
    /// was written.
    pub(crate) fn files(&self) -> Files {
        let (mut results, mut configs, mut versions, mut shots) = (Map::new(), Map::new(), Map::new(), Map::new());
        let (mut samples, mut counts, mut better) = (Vec::new(), Map::new(), Map::new());
        let truth: Vec<Sentiment> = self.questions.iter().map(|q| q.label).collect();
        let mut tasks = Vec::new();
        for language in Language::ALL {
            let rows: Vec<usize> = (0..self.questions.len())
                .filter(|&r| self.questions.get(r).is_some_and(|q| q.language == *language))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let task = format!("{TASK}_{language}");
            let mut figures = self.figures(&truth, &rows);
            let names: Vec<String> = figures.keys().filter(|k| !k.contains("stderr")).cloned().collect();
            figures.insert("alias".into(), json!(task));
            let higher: Map<String, Value> =
                names.iter().map(|n| (n.trim_end_matches(",none").to_owned(), json!(true))).collect();
            results.insert(task.clone(), figures.into());
            configs.insert(task.clone(), self.task(&task));
            versions.insert(task.clone(), json!(TASK_VERSION));
            shots.insert(task.clone(), json!(0));
            counts.insert(task.clone(), json!({ "original": rows.len(), "effective": rows.len() }));
            better.insert(task.clone(), higher.into());
            samples.push((format!("samples_{task}.jsonl"), self.samples(&rows)));
            tasks.push(task);
        }
        let whole: Vec<usize> = (0..self.questions.len()).collect();
        let mut group = self.figures(&truth, &whole);
        group.insert("alias".into(), json!(TASK));
        group.insert("sample_len".into(), json!(whole.len()));
        let document = json!({
            "results": results,
            "groups": { TASK: group },
            "group_subtasks": { TASK: tasks },
            "configs": configs,
            "versions": versions,
            "n-shot": shots,
            "higher_is_better": better,
            "n-samples": counts,
            "config": {
                "model": "seafin",
                "model_args": format!("pretrained={},dtype={}", self.model, self.config.precision),
                "batch_size": self.config.tokens_at_once,
                "bootstrap_iters": self.config.resamples,
                "limit": null,
                "gen_kwargs": { "do_sample": false, "max_gen_toks": self.config.max_new_tokens },
                "random_seed": self.seed.0,
            },
            "model_name": self.model,
            "seafin_version": env!("CARGO_PKG_VERSION"),
            "chat_date": self.config.date,
        });
        let mut results = serde_json::to_vec_pretty(&document).unwrap_or_default();
        results.push(b'\n');
        Files { results, samples }
    }

    fn figures(&self, truth: &[Sentiment], rows: &[usize]) -> Map<String, Value> {
        let mut figures = Map::new();
        for track in self.tracks {
            let Ok(confusion) = crate::figures::confusion(track, truth, rows.iter().copied()) else { continue };
            let (share, f1, mcc) = match track.way {
                Way::Generated => ("exact_match", "f1_generated", "mcc_generated"),
                Way::Scored => ("acc", "f1", "mcc"),
                Way::Calibrated => ("acc_norm", "f1_norm", "mcc_norm"),
            };
            let n = rows.len() as f64;
            for (name, value) in
                [(share, accuracy(&confusion)), (f1, macro_f1(&confusion)), (mcc, matthews(&confusion))]
            {
                figures.insert(format!("{name},none"), json!(value));
                // The harness gives the standard error of a mean with n − 1.
                let error = value.filter(|_| name == share && n > 1.0).map(|p| (p * (1.0 - p) / (n - 1.0)).sqrt());
                figures.insert(format!("{name}_stderr,none"), error.map_or(json!("N/A"), |e| json!(e)));
            }
        }
        figures
    }

    fn task(&self, task: &str) -> Value {
        let template = self.questions.iter().find(|q| task.ends_with(q.language.as_str())).map(Question::template);
        json!({
            "task": task,
            "output_type": "multiple_choice",
            "doc_to_text": template.map(|t| t.replace('…', "{{text}}")),
            "doc_to_choice": chat::prompts::LABELS,
            "num_fewshot": 0,
            "metric_list": [{ "metric": "acc" }, { "metric": "f1", "average": "macro" }, { "metric": "mcc" }],
            "metadata": { "version": TASK_VERSION, "prompt_version": chat::prompts::VERSION },
        })
    }

    fn samples(&self, rows: &[usize]) -> Vec<u8> {
        let mut lines = Vec::new();
        for &row in rows {
            let (Some(question), Some(reply)) = (self.questions.get(row), self.replies.get(row)) else { continue };
            let said =
                question.messages.iter().map(|m| format!("{}: {}", m.role, m.content)).collect::<Vec<_>>().join("\n");
            let arguments: Vec<Value> = Sentiment::ALL.iter().map(|l| json!([said, l.as_str()])).collect();
            let scored: Vec<Value> = Sentiment::ALL
                .iter()
                .zip(reply.logs)
                .map(|(label, log)| json!([log, reply.greedy == Some(*label)]))
                .collect();
            let hit = |way: Way| {
                let track = self.tracks.iter().find(|t| t.way == way);
                let answer = track.and_then(|t| t.answers.get(row)).copied().flatten();
                u8::from(answer == Some(question.label))
            };
            let line = json!({
                "doc_id": row,
                "doc": {
                    "id": question.id, "text": question.text, "label": question.label, "language": question.language,
                    "source": question.source,
                },
                "target": question.label as usize,
                "arguments": arguments,
                "resps": scored.iter().map(|s| json!([s])).collect::<Vec<_>>(),
                "filtered_resps": scored,
                "generated": reply.response,
                "prior": reply.prior,
                "tokens": reply.tokens,
                "acc": hit(Way::Scored),
                "acc_norm": hit(Way::Calibrated),
                "exact_match": hit(Way::Generated),
            });
            lines.extend(serde_json::to_vec(&line).unwrap_or_default());
            lines.push(b'\n');
        }
        lines
    }
}
