//! A dashboard over invented data: `cargo run -p report --example dashboard -- OUT.html [DECISIONS]`.

use report::{
    AccountPoint, ClaimView, DashboardData, DecisionView, FactView, Instrument, OpinionView, StepView, Tile, dashboard,
};

/// Ten-minute bars from 2025-02-24 on, one decision each.
pub(crate) fn sample(decisions: usize) -> DashboardData {
    let start = 1_740_355_200_000i64;
    let mut draw = 7u64;
    let mut unit = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 40) as f64 / f64::from(1 << 24)
    };
    let (mut close, mut equity, mut position) = (96_000.0, 10_000.0, 0.0);
    let mut instrument = Instrument { symbol: "BTC".into(), ..Instrument::default() };
    for (i, at) in (0..decisions).zip((start..).step_by(600_000)) {
        let change = (unit() - 0.5) * 0.006;
        equity *= 1.0 + position * change;
        close *= 1.0 + change;
        instrument.closes.push((at, close));
        instrument.equity.push(AccountPoint { at_ms: at, equity, held: 10_000.0 * close / 96_000.0 });
        if i % 5 == 0 {
            position = (unit() * 4.0 - 2.0).round() / 2.0;
        }
        instrument.decisions.push(decision(i, at, close, position, &mut unit));
    }
    let tiles = vec![
        Tile::new("decisions", decisions.to_string(), "one a bar"),
        Tile::new("model calls", (5 * decisions).to_string(), "simulated"),
    ];
    DashboardData {
        title: "Invented run <b>not markup</b>".into(),
        subtitle: "All numbers are made up.".into(),
        tiles,
        instruments: vec![instrument, Instrument { symbol: "ETH".into(), ..Instrument::default() }],
        longest_text: 2_000,
    }
}

fn decision(i: usize, at: i64, close: f64, position: f64, unit: &mut impl FnMut() -> f64) -> DecisionView {
    let id = |what: &str| format!("BTC@{at}/{what}");
    let fact = |kind: &str, name: &str, text: String, before: i64| FactView {
        id: id(&format!("{kind}/0")),
        kind: kind.into(),
        name: name.into(),
        text,
        event_ms: at - before,
        available_ms: at,
    };
    let facts = vec![
        fact("price", "close", format!("BTC closed at {close:.2} USD"), 600_000),
        fact("news", "summary", format!("Exchange flows calm down </script> (bulletin {})", i / 7), 3_600_000),
        fact("past-case", "memory", "In a similar hour a fall of 1.2 % followed.".into(), 86_400_000),
    ];
    let mut opinions = Vec::new();
    let mut steps = Vec::new();
    for agent in ["news analyst", "technical analyst", "bull", "bear", "risk manager"] {
        let wrong = unit() < 0.08;
        let claim = |kind: &str, text: String, verdict: &str, expected: &str| ClaimView {
            text,
            cited: id(&format!("{kind}/0")),
            verdict: verdict.into(),
            expected: expected.into(),
        };
        let stated = if wrong { close * 1.1 } else { close };
        let claims = vec![
            claim(
                "price",
                format!("The price stands at {stated:.2} USD."),
                if wrong { "wrong-number" } else { "supported" },
                &if wrong { format!("{close:.2}") } else { String::new() },
            ),
            claim("news", "Flows calm down.".into(), "supported", ""),
        ];
        opinions.push(OpinionView {
            agent: agent.into(),
            score: unit() * 2.0 - 1.0,
            confidence: unit(),
            rationale: format!("The {agent} weighs price and news of bar {i}."),
            claims,
        });
        steps.push(StepView {
            agent: agent.into(),
            event: "model-call".into(),
            provider: "simulation".into(),
            prompt: "analyst-1".into(),
            request: format!("You are the {agent}.\n{}", "Facts follow. ".repeat(20)),
            response: "{\"score\": 0.2}".into(),
            prompt_tokens: 180,
            answer_tokens: 40,
        });
    }
    DecisionView {
        bar_ms: at,
        decided_ms: at + 600_000,
        position,
        confidence: Some(unit()),
        reason: format!("Positions follow the mean score of bar {i}."),
        opinions,
        facts,
        steps,
        cost: Some(0.0012),
    }
}

#[allow(dead_code, reason = "the tests take the sample alone")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = arguments.first().ok_or("give the file to write")?;
    let decisions = arguments.get(1).map_or(Ok(276), |n| n.parse())?;
    std::fs::write(out, dashboard(&sample(decisions)))?;
    Ok(())
}
