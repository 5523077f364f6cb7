//! Held-out rows during training: how they are judged, which update was best, and when to stop.

use crate::Error;
use crate::Lesson;
use crate::train_loop::TrainRow;
use artifacts::rows::{Sentiment, Step};
use lm::{Llama, StepOptions};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stats::classification::{Confusion, macro_f1};
use std::collections::BTreeMap;

/// When held-out rows are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DevConfig {
    /// Updates between judgements; 0: at the end of each epoch. The last update is always judged.
    pub every: u64,
    /// At most so many rows, drawn once; 0: all.
    pub rows: usize,
    /// Stop after so many judgements in a row without a better one; 0: never.
    pub patience: u64,
}

impl Default for DevConfig {
    fn default() -> Self {
        Self { every: 0, rows: 500, patience: 0 }
    }
}

/// What held-out rows say about the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Mean cross-entropy of a supervised token, in nats.
    pub loss: f64,
    /// Macro-F1 of the label whose answer is the most likely; none where the rows have no common answers.
    pub macro_f1: Option<f64>,
}

/// Held-out rows, ready to be judged again and again.
#[derive(Debug)]
pub struct Judge {
    rows: Vec<TrainRow>,
    /// For rows that only choose among labels: each label's answer, and each row's prompt length and label.
    choice: Option<Choice>,
    options: StepOptions,
    settings: DevConfig,
}

#[derive(Debug)]
struct Choice {
    labels: Vec<Sentiment>,
    answers: Vec<Vec<u32>>,
    truth: Vec<(usize, usize)>,
}

impl Judge {
    /// `examples` are rows that show each label's answer, such as the training rows.
    pub fn new(rows: &[Lesson], examples: &[Lesson], options: StepOptions, settings: &DevConfig) -> Self {
        Self {
            choice: Choice::of(rows, examples),
            rows: rows.iter().map(TrainRow::from).collect(),
            options,
            settings: settings.clone(),
        }
    }

    /// Whether update `step` is judged.
    pub fn is_due(&self, step: u64, steps_per_epoch: u64, total: u64) -> bool {
        let every = if self.settings.every == 0 { steps_per_epoch } else { self.settings.every };
        step == total || step.is_multiple_of(every.max(1))
    }

    /// Whether the log says that further training is in vain.
    pub fn gives_up(&self, log: &[Step]) -> bool {
        let judged = log.iter().filter(|s| s.dev_loss.is_some());
        let best = best(log).map_or(0, |best| best.step);
        self.settings.patience > 0 && judged.filter(|s| s.step > best).count() as u64 >= self.settings.patience
    }

    /// Judges the model as it is.
    ///
    /// # Errors
    /// A row that the model cannot read, or logits that are not finite.
    pub fn judge(&self, model: &Llama) -> Result<Verdict, Error> {
        if let Some(choice) = &self.choice {
            return choice.judge(model, &self.rows);
        }
        let rows: Vec<_> = self.rows.iter().map(TrainRow::parts).collect();
        let (mut loss, mut supervised) = (0.0, 0);
        // As many rows at a time as a step has, so that a judgement needs no more memory than a step.
        for part in rows.chunks(16) {
            let (sum, tokens) = model.loss(part, &self.options)?;
            loss += sum;
            supervised += tokens;
        }
        Ok(Verdict { loss: loss / supervised.max(1) as f64, macro_f1: None })
    }
}

impl Choice {
    /// The answers, if every row is supervised on exactly one of at least two answers, one a label.
    fn of(rows: &[Lesson], examples: &[Lesson]) -> Option<Self> {
        let mut answers: BTreeMap<usize, &[u32]> = BTreeMap::new();
        for row in rows.iter().chain(examples) {
            let answer = answer(row)?;
            if *answers.entry(row.label? as usize).or_insert(answer) != answer {
                return None;
            }
        }
        let labels: Vec<Sentiment> =
            Sentiment::ALL.iter().copied().filter(|l| answers.contains_key(&(*l as usize))).collect();
        let answers: Vec<Vec<u32>> = answers.into_values().map(<[u32]>::to_vec).collect();
        let distinct = answers.iter().enumerate().all(|(i, a)| !answers.iter().skip(i + 1).any(|b| a == b));
        let place = |label| labels.iter().position(|l| *l == label);
        let truth = rows.iter().map(|r| Some((r.prompt_tokens, place(r.label?)?))).collect::<Option<_>>()?;
        (labels.len() > 1 && distinct).then_some(Self { labels, answers, truth })
    }

    /// One pass over the prompts gives loss and choice: the loss of a row is that of its own answer.
    fn judge(&self, model: &Llama, rows: &[TrainRow]) -> Result<Verdict, Error> {
        let scored: Vec<Result<(f64, usize, usize), Error>> = rows
            .par_iter()
            .zip(&self.truth)
            .map(|(row, &(prompt, truth))| {
                let scores = lm::score(model, row.ids.get(..prompt).unwrap_or_default(), &self.answers)?;
                let mut chosen = 0;
                for (i, score) in scores.iter().enumerate() {
                    // The first of equals, so that a tie does not depend on anything else.
                    if *score > scores.get(chosen).copied().unwrap_or(f64::NEG_INFINITY) {
                        chosen = i;
                    }
                }
                Ok((scores.get(truth).copied().unwrap_or(f64::NAN), truth, chosen))
            })
            .collect();
        let (mut loss, mut tokens, mut pairs) = (0.0, 0, Vec::with_capacity(rows.len()));
        for one in scored {
            let (score, truth, chosen) = one?;
            loss -= score;
            tokens += self.answers.get(truth).map_or(0, Vec::len);
            pairs.push((truth, Some(chosen)));
        }
        let confusion = Confusion::of_pairs(self.labels.iter().map(|l| l.as_str()), pairs)?;
        Ok(Verdict { loss: loss / tokens.max(1) as f64, macro_f1: macro_f1(&confusion) })
    }
}

/// The supervised tokens, if they are one piece right after the prompt.
fn answer(row: &Lesson) -> Option<&[u32]> {
    let start = row.prompt_tokens;
    let learned = row.supervised.iter().skip(start).take_while(|s| **s).count();
    let all = row.supervised.iter().filter(|s| **s).count();
    if learned == 0 || learned != all { None } else { row.ids.get(start..start + learned) }
}

/// The best judged update of a log: the highest macro-F1, or the lowest loss among equals and where there is none. The
/// first of equals.
pub fn best(log: &[Step]) -> Option<&Step> {
    let mut best: Option<(&Step, f64)> = None;
    for step in log {
        let Some(loss) = step.dev_loss else { continue };
        let better = best.is_none_or(|(b, b_loss)| {
            let (f1, b_f1) = (step.dev_macro_f1.unwrap_or(0.0), b.dev_macro_f1.unwrap_or(0.0));
            f1 > b_f1 || (f1 >= b_f1 && loss < b_loss)
        });
        if better {
            best = Some((step, loss));
        }
    }
    best.map(|(step, _)| step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(step: u64, loss: f64, f1: Option<f64>) -> Step {
        Step {
            step,
            epoch: 0.0,
            loss: 1.0,
            learning_rate: 0.0,
            gradient_norm: 0.0,
            tokens: 1,
            supervised_tokens: 1,
            computed_tokens: 1,
            dev_loss: Some(loss),
            dev_macro_f1: f1,
        }
    }

    fn row(label: Sentiment, answer: &[u32]) -> Lesson {
        let ids = [&[0, 5, 6], answer].concat();
        Lesson {
            id: String::new(),
            label: Some(label),
            supervised: (0..ids.len()).map(|i| i >= 3).collect(),
            ids,
            prompt_tokens: 3,
        }
    }

    fn judge(patience: u64) -> Judge {
        let settings = DevConfig { patience, every: 4, rows: 0 };
        Judge::new(&[row(Sentiment::Neutral, &[7, 1])], &[], StepOptions::default(), &settings)
    }

    #[test]
    fn the_best_update_has_the_highest_f1_then_the_lowest_loss_then_the_lowest_number() {
        let log = [
            judged(1, 0.5, Some(0.6)),
            judged(2, 0.9, Some(0.7)),
            judged(3, 0.8, Some(0.7)),
            judged(4, 0.8, Some(0.7)),
        ];
        assert_eq!(best(&log).unwrap().step, 3);
        let log = [judged(1, 0.5, None), judged(2, 0.4, None), judged(3, 0.6, None)];
        assert_eq!(best(&log).unwrap().step, 2);
        assert!(best(&[]).is_none());
    }

    #[test]
    fn patience_counts_judgements_after_the_best_one() {
        let log = [judged(4, 0.5, None), judged(8, 0.6, None), judged(12, 0.7, None)];
        assert!(judge(2).gives_up(&log) && !judge(3).gives_up(&log) && !judge(0).gives_up(&log));
        assert!(!judge(2).gives_up(&log[..2]));
    }

    #[test]
    fn judgements_are_due_every_so_many_updates_and_at_the_end() {
        let due: Vec<u64> = (1..=10).filter(|&s| judge(0).is_due(s, 5, 10)).collect();
        assert_eq!(due, [4, 8, 10]);
    }

    #[test]
    fn labels_can_be_chosen_only_where_each_has_one_answer_of_its_own() {
        use Sentiment::{Negative, Positive};
        let rows = [row(Positive, &[7, 1])];
        let choice = Choice::of(&rows, &[row(Negative, &[8, 9, 1])]).unwrap();
        assert_eq!(
            (choice.labels.as_slice(), choice.truth.as_slice()),
            ([Negative, Positive].as_slice(), [(3, 1)].as_slice())
        );
        assert_eq!(choice.answers, [vec![8, 9, 1], vec![7, 1]]);
        assert!(Choice::of(&rows, &[]).is_none(), "one label alone");
        assert!(Choice::of(&rows, &[row(Negative, &[7, 1])]).is_none(), "the same answer for two labels");
        assert!(Choice::of(&rows, &[row(Positive, &[8, 1])]).is_none(), "two answers for one label");
    }
}
