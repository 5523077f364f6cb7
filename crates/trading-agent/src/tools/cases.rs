use super::{Draft, Known, Tool, clip};
use crate::{Error, Market};
use artifacts::Timestamp;
use artifacts::rows::FactKind;
use retrieval::{Case, Library};
use serde::Serialize;

/// Past news that resembles a question, with what the price did afterwards.
#[derive(Debug)]
pub struct SimilarCases<'a> {
    /// All cases; each search sees those known at its moment.
    pub library: &'a Library,
    /// Longest wording of one.
    pub characters: usize,
    /// Bars over which outcomes are counted.
    pub horizon_bars: usize,
}

/// Arguments of [`SimilarCases`].
#[derive(Debug, Clone, Serialize)]
pub struct SimilarCasesArguments {
    /// In words.
    pub query: String,
    /// How many at most.
    pub k: usize,
}

impl Tool for SimilarCases<'_> {
    type Arguments = SimilarCasesArguments;
    const NAME: &'static str = "similar_cases";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let t = known.t();
        let ended = |_: &retrieval::Past, outcome: Option<f64>| outcome.is_some();
        let found = self.library.similar_where(&arguments.query, t, arguments.k, ended)?;
        let ended = found.into_iter().filter_map(|f| Some((f.case, f.outcome?)));
        let drafts = ended.enumerate().flat_map(|(place, (case, outcome))| {
            let (percent, relevance) = (outcome * 100.0, 1.2 / (1.0 + place as f64));
            let of = |kind, name: &str, available_at, value, unit: &str, text| Draft {
                kind,
                name: name.to_owned(),
                event_at: case.event_at,
                available_at,
                value,
                unit: unit.to_owned(),
                text,
                relevance,
            };
            let what = clip(&case.text, self.characters);
            let then = format!("after the similar case: {percent:+.2} % over {} bars", self.horizon_bars);
            [
                of(FactKind::News, "similar_case_text", case.available_at, None, "", what),
                // With its outcome it was known later than the text; when exactly is the library's secret.
                of(FactKind::PastCase, "similar_case", t, Some(percent), "%", then),
            ]
        });
        Ok(drafts.collect())
    }
}

/// All news of a market as cases: the text, and the return from the first close at which it was known over the next
/// `horizon_bars` bars, known when the last of them is.
pub fn cases_of(market: &Market, horizon_bars: usize) -> Vec<Case> {
    let end = Timestamp::from_micros(i64::MAX);
    let (bars, news) = (market.bars.as_of(end).rows(), market.news.as_of(end).rows());
    let case = |item: &artifacts::rows::News| {
        let first = bars.partition_point(|b| b.available_at < item.available_at);
        let outcome = bars.get(first).zip(bars.get(first + horizon_bars));
        Case {
            id: item.id.clone(),
            event_at: item.event_at,
            available_at: item.available_at,
            text: item.text.clone(),
            outcome: outcome.map(|(from, to)| to.close / from.close - 1.0),
            outcome_known_at: outcome.map(|(_, to)| to.available_at),
        }
    };
    news.iter().map(case).collect()
}
