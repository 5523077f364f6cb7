//! Draws a valid row of every row type: any value in each column, then made to keep the rules of its type.
//!
//! Every column of every type is named here, so that a new column does not compile until it is drawn.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

use artifacts::rows::*;
use artifacts::{Row, Seed, Timestamp};
use rand::RngCore;

pub struct Source(rand_chacha::ChaCha8Rng);

impl Source {
    pub fn new(seed: u64) -> Self {
        Self(Seed(seed).rng())
    }
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.bits() % n).unwrap_or(0)
    }
    /// In [0, 1], both ends included often enough.
    fn share(&mut self) -> f64 {
        match self.below(8) {
            0 => 0.0,
            1 => 1.0,
            _ => (self.bits() >> 11) as f64 / (1_u64 << 53) as f64,
        }
    }
    /// In [-1, 1].
    fn signed(&mut self) -> f64 {
        self.share() * if self.below(2) == 0 { 1.0 } else { -1.0 }
    }
    fn price(&mut self) -> f64 {
        self.share() * 1e6 + 1e-9
    }
}

pub trait Draw: Sized {
    fn draw(s: &mut Source) -> Self;
}

impl Draw for u64 {
    fn draw(s: &mut Source) -> Self {
        match s.below(6) {
            0 => 0,
            1 => Self::MAX,
            _ => s.bits(),
        }
    }
}
impl Draw for u32 {
    fn draw(s: &mut Source) -> Self {
        match s.below(6) {
            0 => 0,
            1 => Self::MAX,
            _ => (s.bits() >> 32) as Self,
        }
    }
}
impl Draw for bool {
    fn draw(s: &mut Source) -> Self {
        s.bits() & 1 == 1
    }
}
/// Finite: what a file of figures may hold.
impl Draw for f64 {
    fn draw(s: &mut Source) -> Self {
        let special = [0.0, -0.0, Self::MAX, Self::MIN, Self::MIN_POSITIVE, -5e-324, 1.0, -1.0];
        if s.below(4) == 0 {
            return special[s.below(8)];
        }
        let any = Self::from_bits(s.bits());
        if any.is_finite() { any } else { 0.5 }
    }
}
impl Draw for Timestamp {
    fn draw(s: &mut Source) -> Self {
        Self::from_micros(match s.below(6) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => 0,
            _ => s.bits().cast_signed(),
        })
    }
}
impl Draw for String {
    fn draw(s: &mut Source) -> Self {
        const PARTS: [&str; 12] = [
            "",
            "a",
            " ",
            "\0",
            "\u{feff}",
            "Lãi ròng tăng",
            "e\u{301}",
            "🦀",
            "\"a\",\n'b'",
            "PAR1",
            "â€œmojibakeâ€",
            "\u{10ffff}",
        ];
        let n = s.below(4);
        (0..n).map(|_| PARTS[s.below(12)]).collect()
    }
}
impl<T: Draw> Draw for Option<T> {
    fn draw(s: &mut Source) -> Self {
        if s.below(3) == 0 { None } else { Some(T::draw(s)) }
    }
}
impl<T: Draw> Draw for Vec<T> {
    fn draw(s: &mut Source) -> Self {
        let n = s.below(4);
        (0..n).map(|_| T::draw(s)).collect()
    }
}

macro_rules! draw_enums {
    ($($name:ident)+) => {$(impl Draw for $name {
        fn draw(s: &mut Source) -> Self { Self::ALL[s.below(Self::ALL.len() as u64)] }
    })+};
}
draw_enums! { AlertKind AlertLevel Event FactKind Language OrderStatus Outcome Sentiment TaskKind Verdict }

type Rule<R> = fn(&mut R, &mut Source);

macro_rules! draw_rows {
    ($($row:ident { $($field:ident),+ } $($rule:expr)?;)+) => {
        $(impl Draw for $row {
            fn draw(s: &mut Source) -> Self {
                #[allow(unused_mut, reason = "types without rules are left as drawn")]
                let mut row = Self { $($field: Draw::draw(s)),+ };
                $(let rule: Rule<Self> = $rule; rule(&mut row, s);)?
                row
            }
        })+
        /// Every type drawn here, with its name in files.
        pub const DRAWN: &[(&str, &str)] = &[$((stringify!($row), <$row as Row>::NAME)),+];
    };
}

fn in_time(event_at: &mut Timestamp, available_at: &mut Timestamp) {
    if *available_at < *event_at {
        std::mem::swap(event_at, available_at);
    }
}

/// Ids, flags and prompt length that fit each other.
fn answered(ids: &mut Vec<u32>, supervised: &mut Vec<bool>, prompt_tokens: &mut u32, s: &mut Source) {
    ids.extend([u32::draw(s), u32::draw(s)]);
    supervised.resize(ids.len() - 1, false);
    supervised.push(true);
    *prompt_tokens = 1 + s.below(ids.len() as u64 - 1) as u32;
}

draw_rows! {
    Fact { id, symbol, bar_at, kind, name, event_at, available_at, value, unit, text }
        |r, _| in_time(&mut r.event_at, &mut r.available_at);
    Trace { step, symbol, bar_at, at, agent, event, request, response, prompt_version, provider, fact_ids, prompt_tokens,
        answer_tokens, attempt } |r, _| in_time(&mut r.bar_at, &mut r.at);
    Opinion { symbol, bar_at, decided_at, agent, score, confidence, claims, cited, rationale }
        |r, s| {
            (r.score, r.confidence) = (s.signed(), s.share());
            r.cited.resize(r.claims.len(), String::new());
        };
    CheckedClaim { symbol, bar_at, agent, claim, text, cited, verdict, expected };
    Cost { symbol, bar_at, agent, provider, calls, prompt_tokens, answer_tokens, money }
        |r, s| r.money = s.price();
    Answer { example_id, subject, form, language, source, label, prompt_tokens, response, outcome, predicted,
        log_negative, log_neutral, log_positive, tokens_negative, tokens_neutral, tokens_positive, prior_negative,
        prior_neutral, prior_positive }
        |r, s| {
            r.outcome = if r.predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable };
            for log in [&mut r.log_negative, &mut r.log_neutral, &mut r.log_positive, &mut r.prior_negative,
                &mut r.prior_neutral, &mut r.prior_positive] {
                *log = -s.price();
            }
            for tokens in [&mut r.tokens_negative, &mut r.tokens_neutral, &mut r.tokens_positive] {
                *tokens = (*tokens).max(1);
            }
        };
    Generation { id, subject, task, template, language, reference, response, finished, exact_match, token_f1, rouge_l,
        entity_f1, judged }
        |r, s| {
            (r.token_f1, r.rouge_l) = (s.share(), s.share());
            (r.entity_f1, r.judged) = (r.entity_f1.map(|_| s.share()), r.judged.map(|_| s.share()));
        };
    Nearest { example_id, train_id, jaccard, same_key, text, train_text } |r, s| r.jaccard = s.share();
    Decision { symbol, bar_at, decided_at, position, sentiment, technical, news_ids, confidence, fact_ids, rationale }
        |r, s| {
            in_time(&mut r.bar_at, &mut r.decided_at);
            (r.position, r.confidence) = (s.signed(), r.confidence.map(|_| s.share()));
            (r.sentiment, r.technical) = (r.sentiment.map(|_| s.signed()), r.technical.map(|_| s.signed()));
        };
    Order { symbol, decided_at, bar_at, wanted, filled, status, reason };
    Trade { symbol, opened_at, closed_at, units, entry_price, exit_price, profit, cost, bars };
    PortfolioPoint { at, equity, market_equity, gross, net, cost };
    Fill { symbol, decided_at, bar_at, price, units, commission, slippage, held } |r, s| r.price = s.price();
    EquityPoint { event_at, close, equity, market_equity, position, cost };
    Prediction { example_id, model, language, label, response, outcome, predicted, scored, p_negative, p_neutral,
        p_positive }
        |r, s| {
            r.outcome = if r.predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable };
            (r.p_negative, r.p_neutral) = (s.share() / 2.0, s.share() / 2.0);
            r.p_positive = 1.0 - r.p_negative - r.p_neutral;
        };
    Metric { subject, slice, metric, value, n };
    FeatureDefinition { name, version, hash, inputs, parameters, warm_up, description };
    FeaturePartition { symbol, from, file, input_hash, values };
    Bar { symbol, event_at, available_at, open, high, low, close, volume }
        |r, s| {
            in_time(&mut r.event_at, &mut r.available_at);
            let (a, b) = (s.price(), s.price());
            let (low, high) = (a.min(b), a.max(b));
            r.close = low + (high - low) / 2.0;
            (r.low, r.high) = (r.low.map(|_| low), r.high.map(|_| high));
            (r.open, r.volume) = (r.open.map(|_| high), r.volume.map(|_| s.price()));
        };
    News { id, symbol, event_at, available_at, text, source } |r, _| in_time(&mut r.event_at, &mut r.available_at);
    Observation { symbol, name, event_at, available_at, value } |r, _| in_time(&mut r.event_at, &mut r.available_at);
    TaskExample { id, task, language, input, question, answer, source, source_row, cluster }
        |r, _| { r.input.push('x'); r.answer.push('y'); };
    FormattedTask { id, task, language, template, answer, messages, text, ids, supervised, prompt_tokens }
        |r, s| answered(&mut r.ids, &mut r.supervised, &mut r.prompt_tokens, s);
    Shortened { id, split, tokens_before, tokens_after, characters_before, characters_after };
    CleaningStep { number, step, rows_in, changed, refused };
    CleaningSample { step, source, source_row, before, after };
    Conflict { language, text, rows, votes, outcome, label };
    TickerMention { id, split, ticker };
    DataAlert { kind, level, subject, slice, count, total, value, limit, exact, message, remedy, examples };
    ProfileFigure { section, subject, slice, name, item, value, n };
    LabelScore { subject, split, row, text, label, likely, self_confidence, margin, suspicious }
        |r, s| r.self_confidence = s.share();
    QualityFinding { source, symbol, check_name, level, event_at, rows, value, threshold, message };
    SweepRow { variant, rule, parameters, first, second, total_return, sharpe_ratio, sharpe_per_bar, volatility,
        max_drawdown, trades, win_rate, profit_factor, exposure, cost, final_equity };
    WalkForwardRow { window, train_from, train_to, test_from, test_to, rule, parameters, variant, tried, train_score,
        train_return, test_score, test_return, test_rank, market_return }
        |r, _| {
            let mut times = [r.train_from, r.train_to, r.test_from, r.test_to];
            times.sort();
            [r.train_from, r.train_to, r.test_from, r.test_to] = times;
            if r.train_to >= r.test_from {
                r.train_to = Timestamp::from_micros(0);
                r.test_from = Timestamp::from_micros(1);
            }
        };
    Candidate { number, language, intended, strategy, sampling, sector, event, region, register, length, difficulty,
        prompt, response, text, classifier_label, classifier_probability, model_label, model_probability, vote_label,
        vote_share, label_quality, verdict, detail }
        |r, s| {
            for share in [&mut r.classifier_probability, &mut r.model_probability, &mut r.vote_share,
                &mut r.label_quality] {
                *share = share.map(|_| s.share());
            }
        };
    Recorded { request, call, text, finished, canonical, scores, prompt_tokens, answer_tokens };
    Example { id, text, label, raw_label, language, source, source_row, cluster, instruction, synthetic }
        |r, _| r.text.push('x');
    Rejected { source, row, text, raw_label, reason, detail };
    Formatted { id, language, label, messages, text, ids, supervised, prompt_tokens }
        |r, s| answered(&mut r.ids, &mut r.supervised, &mut r.prompt_tokens, s);
    Step { step, epoch, loss, learning_rate, gradient_norm, tokens, supervised_tokens, computed_tokens, dev_loss,
        dev_macro_f1 };
    Trial { key, market, origin, name, returns, sharpe_per_bar, total_return };
    PeriodReturn { subject, bar_at, value };
}

/// The first valid row of a seed.
pub fn one<R: Draw>(seed: u64) -> R {
    R::draw(&mut Source::new(seed))
}

/// Up to `n` valid rows in the order that their type demands: sorted, and without those that may not follow another.
pub fn many<R: Row + Draw>(seed: u64, n: usize) -> Vec<R> {
    let mut s = Source::new(seed);
    let mut rows: Vec<R> = (0..n).map(|_| R::draw(&mut s)).collect();
    rows.sort_by(|a, b| b.follows(a).is_ok().cmp(&a.follows(b).is_ok()).reverse());
    rows.dedup_by(|later, earlier| later.follows(earlier).is_err());
    rows
}
