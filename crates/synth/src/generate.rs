use crate::cut::first_sentence;
use crate::ladder::{JudgeCheck, Judges, Ladder, Opinion};
use crate::prompts::{ask, pools};
use crate::{Config, Error, Strategy};
use artifacts::rows::{Candidate, Example, Sentiment, Verdict};
use artifacts::{Progress, Seed};
use providers::{Completion, Provider, Sampling};
use rayon::prelude::*;

/// Candidates made at a time. Who is asked for what is decided once a batch, so this number is part of the result.
const BATCH: u64 = 32;

/// The real rows: the classifier learns from them, and no candidate may copy them.
#[derive(Debug, Clone, Copy)]
pub struct RealRows<'a> {
    /// Training rows.
    pub train: &'a [Example],
    /// Evaluation rows.
    pub eval: &'a [Example],
}

/// A candidate and how it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The way of asking.
    pub strategy: Strategy,
    /// Everything that is written to `candidates.parquet`.
    pub candidate: Candidate,
}

/// All candidates, in order of generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthesis {
    /// The name of the model that wrote them.
    pub model: String,
    /// How far the classifier is to be trusted.
    pub judge: JudgeCheck,
    /// Kept and refused.
    pub generated: Vec<Generated>,
}

impl Synthesis {
    /// Those with a verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Generated> {
        self.generated.iter().filter(move |g| g.candidate.verdict == verdict)
    }

    /// The kept candidates as rows to train on.
    pub fn examples(&self) -> Vec<Example> {
        let source = format!("synthetic:{}", self.model);
        self.of(Verdict::Kept)
            .map(|Generated { candidate, .. }| {
                let id = text::text_id(candidate.language.as_str(), &candidate.text);
                Example {
                    cluster: id.clone(),
                    id,
                    text: candidate.text.clone(),
                    label: candidate.intended,
                    raw_label: candidate.intended.as_str().to_owned(),
                    language: candidate.language,
                    source: source.clone(),
                    source_row: candidate.number,
                    instruction: None,
                    synthetic: true,
                }
            })
            .collect()
    }
}

/// One candidate to make.
#[derive(Clone, Copy)]
struct Order {
    number: u64,
    label: Sentiment,
    strategy: Strategy,
}

/// What came of it, before it is compared with others.
struct Draft {
    order: Order,
    prompt: String,
    response: String,
    text: String,
    opinion: Opinion,
}

/// Makes candidates until enough are kept of every label or `max_candidates` are made. Candidate `n` depends on its number, the
/// seed, and which labels were short when its batch began; so a rerun gives the same candidates, on any number of cores.
///
/// # Errors
/// A setting without meaning, a label without real rows, or a model that fails.
pub fn generate(
    config: &Config,
    provider: &dyn Provider,
    real: RealRows<'_>,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Synthesis, Error> {
    config.check()?;
    // Three shots and an answer must fit the smallest contexts.
    let pools = pools(real.train, config.language, config.max_words / 2)?;
    let judges = Judges::new(config, provider, real.train);
    let mut ladder = Ladder::new(config, real.train, real.eval);
    let ticker = progress.start("synthesising", config.max_candidates);
    let mut generated: Vec<Generated> = Vec::new();
    let mut number = 0;
    loop {
        let wanted = ladder.wanted();
        if wanted.is_empty() || number >= config.max_candidates {
            break;
        }
        let end = (number + BATCH).min(config.max_candidates);
        let orders: Vec<Order> = (number..end).filter_map(|n| order(n, &wanted, &config.strategies)).collect();
        let drafts: Vec<Result<Draft, Error>> = orders
            .par_iter()
            .map(|order| {
                let pool = pools.get(order.label as usize).map_or(&[][..], Vec::as_slice);
                draft(config, provider, &judges, *order, pool, seed)
                    .map_err(|source| Error::Candidate { number: order.number, source })
            })
            .collect();
        for draft in drafts {
            let draft = draft?;
            let (verdict, detail) = ladder.decide(draft.order.number, draft.order.label, &draft.opinion);
            generated.push(record(config, draft, verdict, &detail));
        }
        number = end;
        let kept: u64 = ladder.kept.iter().sum();
        ticker.at(number, &format!("kept {kept} of {}", config.rows));
    }
    Ok(Synthesis { model: provider.name().to_owned(), judge: judges.check(real.eval), generated })
}

/// Labels in turn, and within a round of labels the strategies in turn.
fn order(number: u64, wanted: &[Sentiment], strategies: &[Strategy]) -> Option<Order> {
    let labels = wanted.len() as u64;
    let label = *wanted.get((number % labels) as usize)?;
    let strategy = *strategies.get((number / labels % strategies.len() as u64) as usize)?;
    Some(Order { number, label, strategy })
}

fn draft(
    config: &Config,
    provider: &dyn Provider,
    judges: &Judges<'_>,
    order: Order,
    pool: &[&Example],
    seed: Seed,
) -> Result<Draft, providers::Error> {
    let seed = seed.derive(&format!("candidate/{}", order.number));
    let sampling = Sampling::Sample {
        temperature: config.temperature,
        top_k: None,
        top_p: Some(config.top_p),
        seed: seed.derive("sampling").0,
    };
    let options = Completion { max_tokens: config.max_tokens, sampling, stop_at_line_break: false };
    let (prompt, reply) =
        ask(provider, order.strategy, config.language, order.label, pool, seed.derive("shots"), &options)?;
    let mut cut = first_sentence(&reply.text, reply.finished);
    // Not `collapse_whitespace`: it would hide control characters from the format rung.
    cut.text = text::nfc(&cut.text).split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let opinion = judges.examine(&cut, order.label)?;
    Ok(Draft { order, prompt, response: reply.text, text: cut.text, opinion })
}

fn record(config: &Config, draft: Draft, verdict: Verdict, detail: &str) -> Generated {
    let Draft { order, prompt, response, text, opinion } = draft;
    let strategy = order.strategy;
    Generated {
        strategy,
        candidate: Candidate {
            number: order.number,
            language: config.language,
            intended: order.label,
            prompt,
            response,
            text,
            classifier_label: opinion.classifier.map(|j| j.0),
            classifier_probability: opinion.classifier.map(|j| j.1),
            model_label: opinion.model.map(|j| j.0),
            model_probability: opinion.model.map(|j| j.1),
            verdict,
            detail: if detail.is_empty() { strategy.name().into() } else { format!("{}: {detail}", strategy.name()) },
        },
    }
}
