use crate::cut::{Cut, first_sentence};
use crate::grid::{Point, point};
use crate::journal::{Entry, Journal};
use crate::judges::{JudgeCheck, Judgement, Judges, Panel, Rule, likeliest};
use crate::ladder::{Findings, Gate, Ladder};
use crate::prompts::{Request, ask, pools};
use crate::quality::label_quality;
use crate::{Config, Error, Strategy, Style};
use artifacts::rows::{Candidate, Example, Sentiment, Verdict};
use artifacts::{NoProgress, Progress, Seed};
use providers::{Completion, Provider, Sampling, Shape};
use rayon::prelude::*;

/// Candidates made at a time. Who is asked for what is decided once a batch, so this number is part of the result.
const BATCH: u64 = 32;
/// How often confident learning may send candidates back before what is left is the result.
const ROUNDS: usize = 6;

/// The real rows: the judges learn from them, and no candidate may copy them.
#[derive(Debug, Clone, Copy)]
pub struct RealRows<'a> {
    /// Training rows.
    pub train: &'a [Example],
    /// Evaluation rows.
    pub eval: &'a [Example],
}

/// All candidates, in order of generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthesis {
    /// The name of the model that wrote them.
    pub model: String,
    /// How good each judge is on held-out training rows, and how they decide.
    pub panel: Panel,
    /// How far to trust what they decide, on evaluation rows.
    pub judge: JudgeCheck,
    /// Kept and refused, with everything that is written to `candidates.parquet`.
    pub candidates: Vec<Candidate>,
}

impl Synthesis {
    /// Those with a verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(move |c| c.verdict == verdict)
    }

    /// The kept candidates as rows to train on.
    pub fn examples(&self) -> Vec<Example> {
        let source = format!("synthetic:{}", self.model);
        self.of(Verdict::Kept)
            .map(|candidate| {
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
    style: Style,
    point: Point,
}

impl Order {
    /// The `turn`-th candidate of a label. Every label goes through the same points of the grid, the same strategies and the
    /// same styles, in the same order: none of them says anything about the label.
    fn new(config: &Config, number: u64, label: Sentiment, turn: u64, seed: Seed) -> Option<Self> {
        let strategies = config.strategies.len().max(1) as u64;
        let styles = config.styles.len().max(1) as u64;
        Some(Self {
            number,
            label,
            strategy: *config.strategies.get((turn % strategies) as usize)?,
            style: *config.styles.get((turn / strategies % styles) as usize)?,
            point: point(turn, seed),
        })
    }
}

/// What came of it, before it is compared with other candidates.
struct Draft {
    order: Order,
    entry: Entry,
    text: String,
    findings: Findings,
}

/// What a synthesis needs beside its settings.
struct Maker<'a> {
    config: &'a Config,
    provider: &'a dyn Provider,
    gate: Gate<'a>,
    judges: Judges<'a>,
    pools: [Vec<&'a Example>; 3],
    seed: Seed,
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
    generate_from(config, provider, real, seed, progress, None)
}

/// [`generate`], which takes what a model has said from the journal and adds to it what it says now. Killed at any time
/// and called again, it makes the same candidates.
///
/// # Errors
/// As [`generate`], or the journal cannot be written.
pub fn generate_from(
    config: &Config,
    provider: &dyn Provider,
    real: RealRows<'_>,
    seed: Seed,
    progress: &dyn Progress,
    mut journal: Option<&mut Journal>,
) -> Result<Synthesis, Error> {
    config.check()?;
    // Three shots and an answer must fit the smallest contexts.
    let pools = pools(real.train, config.language, config.max_words / 2)?;
    let judges = Judges::new(config, provider, real.train, seed.derive("judges"), progress)?;
    let maker = Maker { config, provider, gate: Gate::new(config, real), judges, pools, seed };
    let mut ladder = Ladder::new(config, &maker.judges.panel);
    // What nobody can verify need not be written.
    let nobody = maker.judges.panel.rule == Rule::Nobody;
    let ticker = progress.start("synthesising", config.rows);
    let mut candidates: Vec<Candidate> = Vec::new();
    let (mut number, mut turns, mut round) = (0, [0_u64; 3], 0);
    loop {
        let wanted = if nobody { Vec::new() } else { ladder.wanted() };
        if wanted.is_empty() || number >= config.max_candidates {
            let sent_back = config.confident_learning > 0.0 && round < ROUNDS && {
                round += 1;
                send_back(config, real.train, &mut candidates, &mut ladder, seed.derive("quality"))
            };
            if sent_back && number < config.max_candidates {
                continue;
            }
            break;
        }
        let end = (number + BATCH).min(config.max_candidates);
        let orders = orders(config, number..end, &wanted, &mut turns, seed);
        let mut drafts = maker.drafts(&orders, &ladder, journal.as_deref())?;
        if let Some(journal) = journal.as_deref_mut() {
            let entries: Vec<Entry> = drafts.iter().map(|draft| draft.entry.clone()).collect();
            journal.add(&entries)?;
        }
        for draft in drafts.drain(..) {
            let Draft { order, entry, findings, .. } = &draft;
            let (verdict, detail) = ladder.decide(order.number, order.label, findings, entry.judgement.as_ref());
            candidates.push(record(config, draft, verdict, detail));
        }
        number = end;
        let kept: u64 = ladder.kept.iter().sum();
        // Whichever of the two limits is nearer ends the work.
        let by_candidates =
            (u128::from(config.rows) * u128::from(number) / u128::from(config.max_candidates.max(1))) as u64;
        ticker.at(kept.max(by_candidates), &format!("kept {kept} of {}, {number} candidates", config.rows));
    }
    drop(ticker);
    let judge = maker.judges.check(real, seed.derive("judges"))?;
    let panel = maker.judges.panel.clone();
    Ok(Synthesis { model: provider.name().to_owned(), panel, judge, candidates })
}

/// Puts texts that are there already through the ladder, as if a model had written them: planted faults, or the product of
/// another program. Labels have no shares: everything that passes is kept.
///
/// # Errors
/// As [`generate`].
pub fn verify(
    config: &Config,
    provider: &dyn Provider,
    real: RealRows<'_>,
    texts: &[(String, Sentiment)],
    seed: Seed,
) -> Result<Synthesis, Error> {
    let config = &Config { rows: 3 * texts.len() as u64, ..config.clone() };
    config.check()?;
    let pools = pools(real.train, config.language, config.max_words / 2)?;
    let judges = Judges::new(config, provider, real.train, seed.derive("judges"), &NoProgress)?;
    let maker = Maker { config, provider, gate: Gate::new(config, real), judges, pools, seed };
    let mut ladder = Ladder::new(config, &maker.judges.panel);
    let drafts: Result<Vec<Draft>, Error> = texts
        .par_iter()
        .enumerate()
        .filter_map(|(number, (text, label))| {
            let number = number as u64;
            let order = Order::new(config, number, *label, number, seed)?;
            let (prompt, response) = (String::new(), text.clone());
            let style = Style::Temperature;
            let entry = Entry { number, style, prompt, response, finished: true, canonical: true, judgement: None };
            let cut = Cut { text: entry.response.clone(), complete: true };
            Some(maker.judged(maker.gated(order, entry, cut, None), &ladder))
        })
        .collect();
    let mut candidates = Vec::new();
    for draft in drafts? {
        let judgement = draft.entry.judgement;
        let (verdict, detail) =
            ladder.decide(draft.order.number, draft.order.label, &draft.findings, judgement.as_ref());
        let mut candidate = record(config, draft, verdict, detail);
        (candidate.strategy, candidate.sampling) = ("given".into(), "given".into());
        candidates.push(candidate);
    }
    if config.confident_learning > 0.0 {
        send_back(config, real.train, &mut candidates, &mut ladder, seed.derive("quality"));
    }
    let judge = maker.judges.check(real, seed.derive("judges"))?;
    let panel = maker.judges.panel.clone();
    Ok(Synthesis { model: "given".into(), panel, judge, candidates })
}

/// Labels in turn, as far as they are wanted.
fn orders(
    config: &Config,
    numbers: std::ops::Range<u64>,
    wanted: &[Sentiment],
    turns: &mut [u64; 3],
    seed: Seed,
) -> Vec<Order> {
    numbers
        .filter_map(|number| {
            let label = *wanted.get((number % wanted.len().max(1) as u64) as usize)?;
            let turn = turns.get_mut(label as usize)?;
            *turn += 1;
            Order::new(config, number, label, *turn - 1, seed)
        })
        .collect()
}

/// Lets confident learning look at everything that is kept. Says whether it refused any.
fn send_back(
    config: &Config,
    train: &[Example],
    candidates: &mut [Candidate],
    ladder: &mut Ladder<'_>,
    seed: Seed,
) -> bool {
    let real: Vec<&Example> = train.iter().filter(|e| e.language == config.language && !e.synthetic).collect();
    let kept: Vec<usize> =
        candidates.iter().enumerate().filter(|(_, c)| c.verdict == Verdict::Kept).map(|(i, _)| i).collect();
    let texts: Vec<(&str, Sentiment)> =
        kept.iter().filter_map(|i| candidates.get(*i)).map(|c| (c.text.as_str(), c.intended)).collect();
    let quality = label_quality(&texts, &real, seed);
    let mut any = false;
    for (i, quality) in kept.into_iter().zip(quality) {
        let Some(candidate) = candidates.get_mut(i) else { continue };
        candidate.label_quality = Some(quality.self_confidence);
        if quality.suspicious && quality.self_confidence <= config.confident_learning {
            let likely = Sentiment::ALL.get(quality.likely).map_or("", |l| l.as_str());
            candidate.verdict = Verdict::Suspicious;
            candidate.detail =
                format!("looks {likely} among the others ({} {:.2})", candidate.intended, quality.self_confidence);
            ladder.take_back(candidate.intended);
            any = true;
        }
    }
    any
}

impl Maker<'_> {
    /// Drafts of all orders: written, cleaned, examined, and judged where no rung before the judges refuses them.
    fn drafts(&self, orders: &[Order], ladder: &Ladder<'_>, journal: Option<&Journal>) -> Result<Vec<Draft>, Error> {
        orders
            .par_iter()
            .map(|order| {
                let entry = match journal.and_then(|journal| journal.get(order.number)) {
                    Some(entry) => entry.clone(),
                    None => self.write(order).map_err(|source| Error::Candidate { number: order.number, source })?,
                };
                self.judged(self.examine(*order, entry), ladder)
            })
            .collect()
    }

    fn write(&self, order: &Order) -> Result<Entry, providers::Error> {
        let seed = self.seed.derive(&format!("candidate/{}", order.number));
        let config = self.config;
        let top_p = (order.style == Style::TopP).then_some(config.top_p);
        let temperature = config.temperature;
        let sampling = Sampling::Sample { temperature, top_k: None, top_p, seed: seed.derive("sampling").0 };
        let options = Completion { max_tokens: config.max_tokens, sampling, stop_at_line_break: false };
        let shape = Shape {
            form: None,
            min_p: (order.style == Style::MinP).then_some(config.min_p),
            greedy_after: (order.style == Style::GreedyAfterDraw).then_some(config.drawn_tokens),
            one_sentence: order.strategy != Strategy::Grid,
        };
        let request = Request {
            strategy: order.strategy,
            label: order.label,
            point: order.point,
            pools: &self.pools,
            seed: seed.derive("shots"),
        };
        let mut style = order.style;
        let asked = match ask(self.provider, &request, config, &options, &shape) {
            // Not every provider can draw in every way.
            Err(providers::Error::CannotShape { .. }) => {
                style = Style::Temperature;
                ask(self.provider, &request, config, &options, &Shape::default())
            }
            asked => asked,
        };
        let (prompt, written) = asked?;
        Ok(Entry {
            number: order.number,
            style,
            prompt,
            response: written.reply.text,
            finished: written.reply.finished,
            canonical: written.canonical,
            judgement: None,
        })
    }

    fn examine(&self, order: Order, entry: Entry) -> Draft {
        let mut problem = None;
        let cut = if order.strategy == Strategy::Grid {
            let text = json_text(&entry.response);
            problem = text.is_none().then(|| "not the JSON asked for".to_owned());
            Cut { text: text.unwrap_or_default(), complete: true }
        } else {
            first_sentence(&entry.response, entry.finished)
        };
        if problem.is_none() && !entry.canonical && order.strategy == Strategy::Grid {
            problem = Some("the grammar forced tokens that the tokenizer would not choose".into());
        }
        self.gated(order, entry, cut, problem)
    }

    /// Puts the text of an answer through the rungs before the judges.
    fn gated(&self, order: Order, entry: Entry, mut cut: Cut, problem: Option<String>) -> Draft {
        // Not `collapse_whitespace`: it would hide control characters from the format rung.
        cut.text = text::nfc(&cut.text).split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        let findings = self.gate.examine(&cut, problem);
        Draft { order, entry, text: cut.text, findings }
    }

    /// Asks the judges about a draft that nothing else refuses so far.
    fn judged(&self, mut draft: Draft, ladder: &Ladder<'_>) -> Result<Draft, Error> {
        let number = draft.order.number;
        let settled = draft.findings.refused.is_some() || ladder.copy(&draft.findings.print).is_some();
        if !settled && draft.entry.judgement.is_none() {
            let seed = self.seed.derive(&format!("candidate/{number}"));
            let judgement = self.judges.judge(&draft.text, seed.derive("judges"));
            draft.entry.judgement = Some(judgement.map_err(|source| Error::Candidate { number, source })?);
        }
        Ok(draft)
    }
}

/// The text in an answer that is `{"text": "..."}` and nothing else.
fn json_text(response: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answer {
        text: String,
    }
    serde_json::from_str::<Answer>(response.trim()).ok().map(|answer| answer.text)
}

fn record(config: &Config, draft: Draft, verdict: Verdict, detail: String) -> Candidate {
    let Draft { order, entry, text, .. } = draft;
    let judgement: Judgement = entry.judgement.unwrap_or(Judgement { classifier: None, score: None, vote: None });
    let share = |shares: Option<[f64; 3]>| shares.and_then(|s| s.get(order.label as usize).copied());
    let label = |shares: Option<[f64; 3]>| shares.and_then(|s| likeliest(&s));
    // Only the grid's prompts speak of these.
    let wish = |i: usize| order.point.get(i).filter(|_| order.strategy == Strategy::Grid).map(|v| v.name.to_owned());
    Candidate {
        number: order.number,
        language: config.language,
        intended: order.label,
        strategy: order.strategy.name().to_owned(),
        sampling: entry.style.name().to_owned(),
        sector: wish(0),
        event: wish(1),
        region: wish(2),
        register: wish(3),
        length: wish(4),
        difficulty: wish(5),
        prompt: entry.prompt,
        response: entry.response,
        text,
        classifier_label: label(judgement.classifier),
        classifier_probability: share(judgement.classifier),
        model_label: label(judgement.score),
        model_probability: share(judgement.score),
        vote_label: label(judgement.vote),
        vote_share: share(judgement.vote),
        label_quality: None,
        verdict,
        detail,
    }
}
