//! How a decision is made, for a reader who has not seen the code.

use crate::Run;
use artifacts::read_all;
use artifacts::rows::{Event, Trace};
use report::{Document, Severity, Table, format};
use std::collections::{BTreeMap, BTreeSet};
use trading_agent::agents::{AgentsConfig, ReasonerKind, Strategy};

const HYBRID_FLOW: &str = "\
texts ----> fine-tuned language model --> mood --+
bars  ----> trend over volatility ---------------+--> weighted average --> position
other numbers (fear and greed, ...) -------------+                         in [-1, 1]";

const AGENTS_FLOW: &str = "\
texts -------> news analyst -------+
texts --LM---> sentiment analyst --+
bars --------> technical analyst --+--> bull <-> bear --> trader --> (critic) --+
features ----> market analyst -----+                                            |
                                                                                |
texts, bars, other numbers --> weighted average, no agent (the hybrid) ---------+
                                                                                |
                       position in [-1, 1] <-- risk manager, hard limits <------+";

pub(super) fn architecture(run: &Run, document: &mut Document) -> anyhow::Result<()> {
    let config = &run.config.agent;
    let agents = &config.agents;
    document.heading("How a decision is made");
    let team = config.strategy == Strategy::Agents;
    document.pre(if team { AGENTS_FLOW } else { HYBRID_FLOW });
    document.subheading("Why a hybrid");
    document.paragraph(
        "Language models read well and calculate badly; indicators calculate well and cannot read. So the fine-tuned language model only says how \
         good each text is for the price, a number from the probabilities of its labels; features are computed by code; and the two meet in a \
         weighted average that needs no model to be reproduced. That average is a complete strategy by itself, and the yardstick for everything \
         added on top of it.",
    );
    let weights = config.observations.iter().map(|(name, gauge)| format!("{name} {}", gauge.weight));
    let weights: Vec<String> =
        [format!("mood {}", config.sentiment_weight), format!("trend {}", config.technical_weight)]
            .into_iter()
            .chain(weights)
            .collect();
    document.paragraph(format!(
        "Weights of the average here: {}. Texts older than {} are forgotten, and after {} one counts half. A score s becomes the position \
         tanh({} s); below {} in size it becomes 0, not worth the costs.",
        weights.join(", "),
        span(config.news_window_seconds as f64),
        span(config.news_half_life_seconds),
        config.gain,
        config.dead_band,
    ));
    if team {
        roles(document, agents);
        reasoner(document, agents);
    } else {
        document.paragraph("These decisions weigh the parts by fixed weights; no agent was asked.");
    }
    document.subheading("Design decisions");
    document.table(decisions(team));
    document.subheading("How look-ahead is prevented");
    document.list([
        "Every row has the time it is about and the time from which anyone could know it. Rows go into a timeline and come out only as of a moment; \
         there is no call that returns a later one. Features, tools, retrieval, memory and fills all read this way.",
        "A decision is made when its bar has closed. It fills in the next bar at the earliest; filling in the same bar takes a setting that says \
         look-ahead in its name, and marks the report as such.",
        "A column that speaks of what comes next (next_news_prediction) is known one interval later, and the assessment's settings do not read it; a \
         column that may have been made from the next bar (Signal) is known only when that bar has closed.",
        "It is tested, not only designed: cutting all data at a moment, and poisoning all data after it, must leave every earlier decision and prompt \
         the same to the byte. `lookahead-audit` does this to any run folder and names the column that leaks.",
        "What a language model may remember from its training is another matter: the leakage report of Task 2 looks for it.",
    ]);
    steps(run, document)
}

fn span(seconds: f64) -> String {
    let (value, unit) =
        if seconds >= 2.0 * 86_400.0 { (seconds / 86_400.0, "days") } else { (seconds / 3600.0, "hours") };
    format!("{} {unit}", format::number(Some(value), usize::from(value.fract() != 0.0)))
}

fn roles(document: &mut Document, agents: &AgentsConfig) {
    document.subheading("The agents");
    let table = Table::new().text("role").text("looks up with").text("says");
    document.table(
        table
            .row(["news analyst", "get_news, search_news; with retrieval: similar past cases", "what the texts mean for the price"])
            .row(["sentiment analyst", "llm_sentiment: what the fine-tuned model said of each text", "how good the mood is"])
            .row(["technical analyst", "get_price_data, calculate_volatility", "what prices and trend say"])
            .row(["market analyst", "the features and other numbers (fear and greed, MVRV momentum, ...)", "what indicators and the chain say"])
            .row(["bull, bear", "all of the above and each other", "the case for and against"])
            .row(["trader", "all views; with memory: own past decisions and what followed", "the proposal: score and confidence"])
            .row(["critic", "the proposal; no model", "objects where score, words and facts contradict each other"])
            .row(["risk manager", "the account so far; no model", "hard limits on size, change, drawdown"])
            .caption("Every answer is one JSON object: a score in [-1, 1], a confidence, claims that each cite a numbered fact, and a rationale."),
    );
    document.paragraph(format!(
        "Order: {:?}; {} of debate. The trader's score and the hybrid's average are mixed {} to {}. Largest position {}, largest change at one \
         bar {}. An answer that cannot be read is asked for again {} and otherwise counts as no opinion; both are logged.",
        agents.coordination,
        if agents.debate_rounds == 1 { "one round".to_owned() } else { format!("{} rounds", agents.debate_rounds) },
        format::percent(Some(1.0 - agents.hybrid_weight), 0),
        format::percent(Some(agents.hybrid_weight), 0),
        agents.risk.max_position,
        agents.risk.max_change,
        if agents.repairs == 1 { "once".to_owned() } else { format!("{} times", agents.repairs) },
    ));
}

fn reasoner(document: &mut Document, agents: &AgentsConfig) {
    match agents.reasoner {
        ReasonerKind::Simulation => {
            document.callout(
                Severity::Warning,
                "The agents' sentences in this run are made by a program",
                format!(
                    "The simulated reasoner is no language model. It takes the mean of what the numbered facts before it say, words some of those \
                     facts in varied sentences, and makes {} of its claims wrong on purpose and {} of its answers unreadable, drawn from the seed. It \
                     does not understand the texts: only the fine-tuned model reads them. It is the default because a run is then the same to the \
                     byte on every machine and costs nothing, and because the errors are known, so that the verifier, the repairs and the filter \
                     can be measured. Figures on the agents' reasoning show that the machinery works, not how well a language model reasons.",
                    format::percent(Some(agents.simulation.error_rate), 0),
                    format::percent(Some(agents.simulation.malformed_rate), 0),
                ),
            );
            document.paragraph(
                "To have a language model reason: the same command with the first line lets the local model answer under the answer's grammar; the second \
                 asks a server that speaks the chat-completions protocol. Prompts, roles, tools and checks stay the same, and each call is kept, so that \
                 a second run with --strict asks nobody.",
            );
            document.pre(
                "run-all ... --set 'agent.agents.reasoner=\"local\"'\n\
                 seafin-trading-agent run ... --set 'agents.reasoner=\"endpoint\"' --endpoint URL --endpoint-model NAME",
            );
        }
        ReasonerKind::Local => {
            document
                .paragraph("A language model on this machine reasons, held to the answer's grammar token by token.");
        }
        ReasonerKind::Endpoint => {
            document.paragraph("A server reasons, held to the answer's JSON schema; its answers are kept, so that a second run asks nobody.");
        }
    }
}

fn decisions(team: bool) -> Table {
    let mut table = Table::new().text("decision").text("why").text("its price");
    table.push([
        "two times on every row",
        "look-ahead becomes impossible instead of forbidden",
        "each source needs a stated rule for when it is known",
    ]);
    table.push([
        "the model reads one text at a time",
        "its answer depends on that text alone, can be cached and tested",
        "texts that only make sense together are read apart",
    ]);
    table.push([
        "a score from label probabilities, not from generated numbers",
        "always a number, never to be parsed",
        "one token's worth of judgement",
    ]);
    table.push([
        "dead band and smooth map to positions",
        "no trades that cannot pay for themselves",
        "weak signals are lost",
    ]);
    if team {
        table.push([
            "roles and order are code, prompts are files with versions",
            "each step can be replayed and compared",
            "less freedom than agents that plan for themselves",
        ]);
        table.push(["claims cite facts by number", "a program can check every one", "longer answers"]);
        table.push([
            "risk limits after all opinions, without a model",
            "no argument can lift them",
            "they also cap a right opinion",
        ]);
    }
    table
}

/// What one agent did, over the run.
#[derive(Default)]
struct Work {
    events: BTreeMap<Event, u64>,
    read: u64,
    written: u64,
    prompts: BTreeSet<String>,
    answered: BTreeSet<String>,
}

fn steps(run: &Run, document: &mut Document) -> anyhow::Result<()> {
    let path = run.file("trading-agent", "traces.parquet");
    if !path.exists() {
        return Ok(());
    }
    let mut agents: BTreeMap<String, Work> = BTreeMap::new();
    for trace in read_all::<Trace>(&path)? {
        let work = agents.entry(trace.agent).or_default();
        *work.events.entry(trace.event).or_default() += 1;
        work.read += trace.prompt_tokens;
        work.written += trace.answer_tokens;
        let some = |text: String| (!text.is_empty()).then_some(text);
        work.prompts.extend(some(trace.prompt_version));
        work.answered.extend(some(trace.provider));
    }
    document.subheading("What they did");
    let head =
        Table::new().text("who").number("model calls").number("tool calls").number("asked again").number("failed");
    let mut table = head.number("limits applied").number("tokens read").number("tokens written");
    for (agent, work) in &agents {
        let times = |event: Event| format::count(work.events.get(&event).copied().unwrap_or(0));
        table.push([
            agent.clone(),
            times(Event::ModelCall),
            times(Event::ToolCall),
            times(Event::Repair),
            times(Event::Failure),
            times(Event::Limit),
            format::count(work.read),
            format::count(work.written),
        ]);
    }
    document.table(
        table.caption("Steps of this run by agent; each step is a row of traces.parquet, with request and answer."),
    );
    let mut table = Table::new().text("who").text("answered by").text("prompts: name, version, hash");
    let list = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join("; ");
    for (agent, work) in agents.iter().filter(|(_, work)| !work.prompts.is_empty()) {
        table.push([agent.clone(), list(&work.answered), list(&work.prompts)]);
    }
    document.table(table.caption("Who answered, to which prompts."));
    Ok(())
}
