use super::config::{Balance, Choice, Conflicts, SentimentConfig};
use super::diverse::Space;
use super::journal::Step;
use super::proof::Leak;
use super::select::{Placed, Selection, Stratum};
use artifacts::Seed;
use artifacts::rows::{CleaningSample, CleaningStep, Conflict, Language, Sentiment, TickerMention};
use report::format::{count, number, percent};
use report::plot::{BarPlot, bars};
use report::{Document, Severity, Table, Tile};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a table at most; all of them are in the Parquet file beside it.
const LISTED: usize = 30;
/// Characters of a text in a table.
const SHORT: usize = 240;

/// Everything the report tells.
pub(super) struct Facts<'a> {
    pub(super) config: &'a SentimentConfig,
    pub(super) read: u64,
    pub(super) kept: usize,
    pub(super) steps: &'a [CleaningStep],
    pub(super) samples: &'a [CleaningSample],
    pub(super) conflicts: &'a [Conflict],
    pub(super) clusters: &'a [LargeCluster],
    pub(super) leaks: &'a [Leak],
    pub(super) tickers: &'a [TickerMention],
    pub(super) result: &'a Selection,
    pub(super) seed: Seed,
}

/// A cluster of near duplicates with its first texts.
#[derive(Debug, Clone)]
pub(super) struct LargeCluster {
    language: Language,
    rows: usize,
    texts: Vec<String>,
}

/// The three largest clusters of a language.
pub(super) fn largest_clusters(rows: &[Placed], language: Language) -> Vec<LargeCluster> {
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for placed in rows {
        members.entry(&placed.cluster).or_default().push(&placed.row.raw.text);
    }
    let mut large: Vec<Vec<&str>> = members.into_values().filter(|m| m.len() > 1).collect();
    large.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let shown = |texts: &Vec<&str>| texts.iter().take(3).map(|t| (*t).to_owned()).collect();
    large.iter().take(3).map(|texts| LargeCluster { language, rows: texts.len(), texts: shown(texts) }).collect()
}

pub(super) fn page(facts: &Facts<'_>) -> Document {
    let mut doc = Document::new("From raw rows to training and evaluation rows");
    let names: Vec<&str> = facts.config.sources.iter().map(|s| s.name.as_str()).collect();
    doc.subtitle(format!("Sources: {}.", names.join(", ")));
    let r = facts.result;
    let of = |rows: &[Placed]| {
        let part = |l: &Language| rows.iter().filter(|p| p.row.raw.language == *l).count();
        let parts: Vec<String> = Language::ALL.iter().map(|l| format!("{l} {}", count(part(l) as u64))).collect();
        Tile::new("", count(rows.len() as u64), parts.join(", "))
    };
    let refused = facts.read - facts.kept as u64;
    let mut tiles =
        vec![Tile::new("rows read", count(facts.read), format!("{} refused, with reasons", count(refused)))];
    for (label, rows) in [
        ("train", &r.train),
        ("eval, natural", &r.eval),
        ("eval, balanced", &r.eval_balanced),
        ("official test", &r.test),
        ("pool, not needed", &r.pool),
    ] {
        tiles.push(Tile { label: label.to_owned(), ..of(rows) });
    }
    doc.tiles(tiles);
    leakage(&mut doc, facts);
    cleaning(&mut doc, facts);
    conflicts(&mut doc, facts);
    clusters(&mut doc, facts);
    selection(&mut doc, facts);
    tickers(&mut doc, facts);
    samples(&mut doc, facts);
    doc
}

fn leakage(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Leakage");
    let threshold = facts.config.near_duplicate_threshold;
    let bad: usize = facts.leaks.iter().map(|l| l.equal + l.similar).sum();
    if bad > 0 {
        let text = format!("{bad} held-out rows equal or resemble rows that are or may be trained on.");
        doc.callout(Severity::Critical, "Leakage", text);
    }
    let mut table = Table::new()
        .text("rows of")
        .text("looked up in")
        .number("rows")
        .number("equal by key")
        .number(format!("Jaccard ≥ {threshold}"))
        .number("highest Jaccard")
        .caption("Every held-out row against every row that is trained on (train) or may be (pool), after the split.");
    for leak in facts.leaks {
        table.push([
            leak.asked.to_owned(),
            leak.against.to_owned(),
            count(leak.rows as u64),
            leak.equal.to_string(),
            leak.similar.to_string(),
            leak.highest.map_or_else(|| "below 0.5".to_owned(), |h| number(Some(h), 3)),
        ]);
    }
    doc.table(table);
    doc.paragraph(
        "Similarity is that of the sets of character 5-grams of the comparison keys. Near duplicates are found by an exact \
         join, not by signatures, and whole clusters stay on one side, so both counts are 0 by construction; here they are \
         counted again.",
    );
}

fn cleaning(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Cleaning, step by step");
    let mut table =
        Table::new().text("step").text("what it does").number("rows in").number("changed").number("refused");
    for (step, row) in Step::ALL.iter().zip(facts.steps) {
        let (rows, changed, refused) = (count(row.rows_in), count(row.changed), count(row.refused));
        table.push([step.name().to_owned(), step.about().to_owned(), rows, changed, refused]);
    }
    doc.table(table);
}

fn conflicts(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Equal texts with different labels");
    let rule = match facts.config.conflicts {
        Conflicts::Vote => {
            "Each source has one vote for each label it gives; the label with most votes stays, a tie drops the text."
        }
        Conflicts::Drop => "All of them are dropped.",
    };
    doc.paragraph(format!("{} texts. {rule} All are in conflicts.parquet.", facts.conflicts.len()));
    if facts.conflicts.is_empty() {
        return;
    }
    let mut table = Table::new().text("text").text("rows").text("votes").text("outcome");
    for conflict in facts.conflicts.iter().take(LISTED) {
        let label = conflict.label.map(|l| format!(": {l}")).unwrap_or_default();
        let outcome = format!("{}{label}", conflict.outcome);
        table.push([short(&conflict.text), short(&conflict.rows), conflict.votes.clone(), outcome]);
    }
    doc.table(table);
}

fn clusters(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Near duplicates");
    let threshold = facts.config.near_duplicate_threshold;
    doc.paragraph(format!(
        "Texts of Jaccard similarity {threshold} or more are in one cluster, also through a chain of similar ones. The largest:"
    ));
    let mut table = Table::new().text("language").number("texts").text("three of them");
    for cluster in facts.clusters {
        let texts: Vec<String> = cluster.texts.iter().map(|t| short(t)).collect();
        table.push([cluster.language.to_string(), cluster.rows.to_string(), texts.join(" ¶ ")]);
    }
    doc.table(table);
}

fn selection(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Selection");
    let rule = match facts.config.selection {
        Choice::Diverse => {
            "diverse: one after the other, drawn with a probability that grows with the square of the distance to the nearest row already taken"
        }
        Choice::Farthest => "farthest: always the row farthest from all rows already taken",
        Choice::Random => "random: drawn evenly",
        Choice::First => "first: the first ones of the source",
    };
    let balance = |b| match b {
        Balance::Natural => "in their natural shares",
        Balance::LiftMinority => "in equal shares; a class with too few rows gives all it has and the others fill up",
    };
    doc.list([
        format!("Training rows, within each class and source: {rule}."),
        format!("Classes among the training rows: {}.", balance(facts.config.train_balance)),
        format!("Classes among the natural evaluation rows: {}; rows drawn evenly.", balance(facts.config.eval_balance)),
        "Balanced evaluation rows: as many of each class as the rarest one allows, drawn evenly from what neither trains nor \
         resembles what trains; rows of the natural set may be among them."
            .to_owned(),
        "Official test rows: all of them, in their order, used for neither.".to_owned(),
    ]);
    let mut table = Table::new().text("language").text("class").text("source").number("could train").number("train");
    for Stratum { language, label, source, available, chosen } in &facts.result.strata {
        let (available, chosen) = (count(*available as u64), count(*chosen as u64));
        table.push([language.to_string(), label.to_string(), source.clone(), available, chosen]);
    }
    doc.table(table);
    doc.figure(composition(facts.result), "Classes of each set.");
    if matches!(facts.config.selection, Choice::Diverse | Choice::Farthest) {
        yardstick(doc, facts);
    }
}

fn composition(result: &Selection) -> report::plot::Svg {
    let sets =
        [("train", &result.train), ("eval", &result.eval), ("balanced", &result.eval_balanced), ("test", &result.test)];
    let mut categories = Vec::new();
    let mut shares: Vec<(String, Vec<Option<f64>>)> =
        Sentiment::ALL.iter().map(|l| (l.to_string(), Vec::new())).collect();
    for (name, rows) in sets {
        for language in Language::ALL {
            let here: Vec<&Placed> = rows.iter().filter(|p| p.row.raw.language == *language).collect();
            if here.is_empty() {
                continue;
            }
            categories.push(format!("{name} {language}"));
            for (label, (_, values)) in Sentiment::ALL.iter().zip(&mut shares) {
                let n = here.iter().filter(|p| p.row.label == *label).count();
                values.push(Some(100.0 * n as f64 / here.len() as f64));
            }
        }
    }
    bars(&BarPlot { title: "Classes".into(), y_label: "share in %".into(), categories, series: shares })
}

/// How much the rule spreads the training rows: against rows drawn evenly from the same classes and sources.
fn yardstick(doc: &mut Document, facts: &Facts<'_>) {
    let mut table = Table::new()
        .text("language")
        .number("training rows")
        .number("nearest, chosen")
        .number("nearest, even")
        .number("word pairs, chosen")
        .number("word pairs, even")
        .caption(
            "Mean cosine similarity (TF-IDF of words and word pairs) of a training row to the most similar other one, and the \
             number of different word pairs: for the rows chosen and for as many rows of each class and source drawn evenly \
             from chosen and pool rows.",
        );
    for language in Language::ALL {
        let of = |rows: &'_ [Placed]| -> Vec<Placed> {
            rows.iter().filter(|p| p.row.raw.language == *language && may_train(p)).cloned().collect()
        };
        let (chosen, pool) = (of(&facts.result.train), of(&facts.result.pool));
        if chosen.is_empty() || pool.is_empty() {
            continue;
        }
        let all: Vec<&Placed> = chosen.iter().chain(&pool).collect();
        let texts: Vec<&str> = all.iter().map(|p| p.row.raw.text.as_str()).collect();
        let own: Vec<usize> = (0..chosen.len()).collect();
        let drawn = drawn_evenly(&all, chosen.len(), facts.seed);
        let space = Space::new(&texts);
        table.push([
            language.to_string(),
            count(chosen.len() as u64),
            number(Some(space.mean_nearest(&own)), 3),
            number(Some(space.mean_nearest(&drawn)), 3),
            count(word_pairs(&texts, &own)),
            count(word_pairs(&texts, &drawn)),
        ]);
    }
    if !table.rows.is_empty() {
        doc.subheading("What the rule changes");
        doc.table(table);
    }
}

fn may_train(placed: &Placed) -> bool {
    use super::raw::Split;
    matches!(placed.row.raw.split, Split::Train | Split::None)
}

/// As many rows of each class and source as the first `chosen` of them have, in an order drawn from the seed.
fn drawn_evenly(rows: &[&Placed], chosen: usize, seed: Seed) -> Vec<usize> {
    let stratum = |p: &Placed| (p.row.label, p.row.raw.source.clone());
    let mut wanted: BTreeMap<_, usize> = BTreeMap::new();
    for placed in rows.iter().take(chosen) {
        *wanted.entry(stratum(placed)).or_default() += 1;
    }
    let mut order: Vec<(u64, usize)> = rows.iter().enumerate().map(|(i, p)| (seed.derive(&p.id).0, i)).collect();
    order.sort_unstable();
    let mut take = |i: &usize| {
        let left = rows.get(*i).and_then(|p| wanted.get_mut(&stratum(p)));
        left.is_some_and(|left| {
            let some = *left > 0;
            *left -= usize::from(some);
            some
        })
    };
    order.into_iter().map(|(_, i)| i).filter(|i| take(i)).collect()
}

fn word_pairs(texts: &[&str], members: &[usize]) -> u64 {
    let mut pairs = BTreeSet::new();
    for text in members.iter().filter_map(|&i| texts.get(i)) {
        let words: Vec<String> = text::words(text).collect();
        pairs.extend(words.windows(2).map(|pair| pair.join(" ")));
    }
    pairs.len() as u64
}

fn tickers(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Tickers");
    let rows: BTreeSet<(&str, &str)> = facts.tickers.iter().map(|t| (t.split.as_str(), t.id.as_str())).collect();
    let sets = &facts.result;
    let all =
        [&sets.train, &sets.eval, &sets.eval_balanced, &sets.test, &sets.pool].iter().map(|r| r.len()).sum::<usize>();
    let share = percent(Some(rows.len() as f64 / all.max(1) as f64), 1);
    doc.paragraph(format!(
        "Ticker symbols stay in the texts: they say whom the news is about. {} rows ({share}) name one or more; all mentions are in \
         tickers.parquet.",
        count(rows.len() as u64)
    ));
    let mut by_ticker: BTreeMap<&str, u64> = BTreeMap::new();
    for mention in facts.tickers {
        *by_ticker.entry(&mention.ticker).or_default() += 1;
    }
    let mut most: Vec<(&str, u64)> = by_ticker.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    if !most.is_empty() {
        let named: Vec<String> = most.iter().take(20).map(|(ticker, n)| format!("{ticker} {n}")).collect();
        doc.paragraph(format!("Named most: {}.", named.join(", ")));
    }
}

fn samples(doc: &mut Document, facts: &Facts<'_>) {
    doc.heading("Rows before and after each step");
    doc.paragraph(
        "Ten rows of each step, drawn at random among those it changed or refused; as rows in samples.parquet.",
    );
    for step in Step::ALL {
        let of_step: Vec<_> = facts.samples.iter().filter(|s| s.step == step.name()).collect();
        if of_step.is_empty() {
            continue;
        }
        doc.subheading(step.name());
        let mut table = Table::new().text("row").text("before").text("after");
        for sample in of_step {
            let place = format!("{} {}", sample.source, sample.source_row);
            let before = if step == Step::WhiteSpace { visible(&sample.before) } else { sample.before.clone() };
            table.push([place, short(&before), short(&sample.after)]);
        }
        doc.table(table);
    }
}

/// The text with `␣` for every white space that a page would not show as such.
fn visible(text: &str) -> String {
    let mut previous = ' ';
    let mut mark = |c: char| {
        let hidden = (c.is_whitespace() && (c != ' ' || previous.is_whitespace())) || c.is_control();
        previous = c;
        if hidden { '␣' } else { c }
    };
    text.chars().map(&mut mark).collect()
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHORT {
        return text.to_owned();
    }
    text.chars().take(SHORT).chain(['…']).collect()
}
