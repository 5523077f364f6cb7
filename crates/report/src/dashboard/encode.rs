//! The data as the page's script reads them: each text once, everything else refers to it by its number.

use super::data::{DashboardData, DecisionView, Instrument};
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Default)]
struct Texts<'a> {
    numbers: HashMap<std::borrow::Cow<'a, str>, usize>,
    texts: Vec<String>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: impl Into<std::borrow::Cow<'a, str>>) -> usize {
        let text = text.into();
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        self.texts.push(text.to_string());
        self.numbers.insert(text, self.texts.len() - 1);
        self.texts.len() - 1
    }
}

/// JSON that may stand inside a script element: nothing in it can end the element.
pub(super) fn json(data: &DashboardData) -> String {
    let mut texts = Texts::default();
    let instruments: Vec<Value> =
        data.instruments.iter().map(|i| instrument(i, data.longest_text, &mut texts)).collect();
    let value = json!({ "instruments": instruments, "texts": texts.texts });
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn instrument<'a>(instrument: &'a Instrument, longest: usize, texts: &mut Texts<'a>) -> Value {
    let (times, closes): (Vec<i64>, Vec<Value>) =
        instrument.closes.iter().map(|(at, close)| (*at, number(*close))).unzip();
    let account = &instrument.equity;
    json!({
        "symbol": instrument.symbol,
        "times": times,
        "closes": closes,
        "account": {
            "times": account.iter().map(|p| p.at_ms).collect::<Vec<_>>(),
            "equity": account.iter().map(|p| number(p.equity)).collect::<Vec<_>>(),
            "held": account.iter().map(|p| number(p.held)).collect::<Vec<_>>(),
        },
        "decisions": instrument.decisions.iter().map(|d| decision(d, longest, texts)).collect::<Vec<_>>(),
    })
}

fn decision<'a>(decision: &'a DecisionView, longest: usize, texts: &mut Texts<'a>) -> Value {
    let opinions: Vec<Value> = decision
        .opinions
        .iter()
        .map(|o| {
            let claims: Vec<[usize; 4]> = o
                .claims
                .iter()
                .map(|c| [&c.text, &c.cited, &c.verdict, &c.expected].map(|text| texts.number(text)))
                .collect();
            json!([texts.number(&o.agent), rounded(o.score), rounded(o.confidence), texts.number(&o.rationale), claims])
        })
        .collect();
    let facts: Vec<Value> = decision
        .facts
        .iter()
        .map(|f| {
            let [id, kind, name, text] = [&f.id, &f.kind, &f.name, &f.text].map(|text| texts.number(text));
            json!([id, kind, name, text, f.event_ms, f.available_ms])
        })
        .collect();
    let steps: Vec<Value> = decision
        .steps
        .iter()
        .map(|s| {
            let [agent, event, provider, prompt] =
                [&s.agent, &s.event, &s.provider, &s.prompt].map(|text| texts.number(text));
            let [request, response] = [&s.request, &s.response].map(|text| texts.number(cut(text, longest)));
            json!([agent, event, provider, prompt, request, response, s.prompt_tokens, s.answer_tokens])
        })
        .collect();
    json!([
        decision.bar_ms,
        decision.decided_ms,
        rounded(decision.position),
        decision.confidence.map(rounded),
        texts.number(&decision.reason),
        opinions,
        facts,
        steps,
        decision.cost.map(number),
    ])
}

/// A number; JSON has no NaN.
fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// Scores need no more digits than a page shows.
fn rounded(value: f64) -> Value {
    number((value * 1e4).round() / 1e4)
}

fn cut(text: &str, longest: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(longest) {
        None => text.into(),
        Some((at, _)) => {
            let left = text[at..].chars().count();
            format!("{}… [{left} more characters in traces.parquet]", &text[..at]).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("lãi suất", 8), "lãi suất");
        assert_eq!(cut("lãi suất", 2), "lã… [6 more characters in traces.parquet]");
    }

    #[test]
    fn a_text_is_stored_once() {
        let step =
            super::super::data::StepView { request: "same".into(), response: "same".into(), ..Default::default() };
        let decision = DecisionView { reason: "same".into(), steps: vec![step; 3], ..DecisionView::default() };
        let instrument = Instrument { decisions: vec![decision; 4], ..Instrument::default() };
        let data = DashboardData { instruments: vec![instrument], longest_text: 99, ..DashboardData::default() };
        assert_eq!(json(&data).matches("same").count(), 1);
    }
}
