use super::config::{AgentsConfig, ReasonerKind};
use super::context::select;
use super::desk::{Call, Desk};
use super::ledger::estimate;
use super::message::{CitedClaim, View};
use super::simulated::Simulated;
use super::stance::stance;
use super::{Role, grammar};
use crate::prompts::{Prompts, Slots};
use crate::tools::moment;
use crate::{AgentConfig, Error};
use artifacts::Seed;
use artifacts::rows::{CheckedClaim, Event, Fact, Opinion};
use chat::Message;
use grounding::{Answer, Injected, Reader, Verdict};
use providers::{Completion, Form, Prompt, Provider, Sampling, Shape, Usage};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Someone to ask, under the name that traces and the price table use.
pub struct Voice {
    /// Who answers.
    pub provider: Box<dyn Provider>,
    /// Its name; the same when recording and when replaying.
    pub name: String,
}

/// Puts questions to the reasoning model and reads its answers.
pub struct Reasoner {
    voice: Voice,
    simulation: Option<Arc<Simulated>>,
    prompts: Prompts,
    config: AgentConfig,
    form: Option<Form>,
    seed: Seed,
    /// Most facts stand in several prompts.
    reader: Reader,
}

/// What one agent is asked at one bar.
#[derive(Debug)]
pub struct Question<'a> {
    /// Who is asked.
    pub role: Role,
    /// The name in opinions: the role's, with the round of a debate.
    pub agent: String,
    /// Ids of the facts that the agent may see.
    pub facts: Vec<String>,
    /// What the critic objects to; empty where nothing.
    pub objections: &'a str,
}

/// One prompt: the facts in it by their numbers, and its text.
struct Sheet {
    numbers: Vec<(String, String)>,
    prompt: String,
}

impl Reasoner {
    /// A reasoner that asks `voice`; `simulation` is the one behind it, if it is one.
    ///
    /// # Errors
    /// An embedded prompt is damaged.
    pub fn new(
        voice: Voice,
        simulation: Option<Arc<Simulated>>,
        config: &AgentConfig,
        seed: Seed,
    ) -> Result<Self, Error> {
        let form = match config.agents.reasoner {
            ReasonerKind::Simulation => None,
            ReasonerKind::Local => Some(Form::Lark(grammar::fitting(&config.agents))),
            ReasonerKind::Endpoint => Some(Form::JsonSchema(Answer::SCHEMA.to_owned())),
        };
        Ok(Self {
            voice,
            simulation,
            prompts: Prompts::load()?,
            config: config.clone(),
            form,
            seed,
            reader: Reader::default(),
        })
    }

    /// Every prompt's version.
    pub fn prompt_versions(&self) -> impl Iterator<Item = &str> {
        self.prompts.versions()
    }

    fn agents(&self) -> &AgentsConfig {
        &self.config.agents
    }

    /// Asks an agent and logs its opinion with the verdicts on its claims. None where it has no facts to judge from. An answer
    /// that cannot be read is asked for again; in the end the opinion is neutral and weighs nothing.
    ///
    /// # Errors
    /// The budget is spent, or the provider fails for good.
    pub fn ask(&self, desk: &mut Desk<'_>, question: &Question<'_>) -> Result<Option<View>, Error> {
        if question.facts.is_empty() {
            return Ok(None);
        }
        let mut repair = String::new();
        let mut tokens = self.agents().context_tokens.saturating_sub(self.agents().answer_tokens);
        for attempt in 1..=self.agents().repairs + 1 {
            let Some((sheet, text, finished)) = self.write(desk, question, &repair, &mut tokens, attempt)? else {
                return Ok(Some(neutral(desk, question, "no prompt could be put to the model")));
            };
            match Answer::parse(&text) {
                Ok(answer) => return Ok(Some(self.accept(desk, question, &sheet, &answer))),
                Err(error) => {
                    repair = if finished { error.to_string() } else { format!("it was cut off; be shorter ({error})") };
                    if !finished {
                        tokens = tokens * 3 / 4;
                    }
                    let agent = question.agent.as_str();
                    desk.trace(agent, Event::Repair, repair.clone(), text, Vec::new());
                }
            }
        }
        let why = format!("no readable answer: {repair}");
        Ok(Some(neutral(desk, question, &why)))
    }

    /// The prompt with as many facts as there is room for.
    fn sheet(&self, desk: &mut Desk<'_>, question: &Question<'_>, repair: &str, tokens: usize) -> Result<Sheet, Error> {
        let t = moment(desk.t());
        let render = |facts: &str| {
            let slots = Slots { symbol: &desk.symbol, t: &t, facts, repair, objections: question.objections };
            self.prompts.render(question.role.name(), &slots)
        };
        let room = (tokens as f64 * self.agents().characters_per_token) as usize;
        let characters = room.saturating_sub(render("")?.chars().count());
        let selection = select(desk, &question.facts, characters);
        let numbers: Vec<(String, String)> =
            selection.kept.iter().enumerate().map(|(i, id)| (format!("F{}", i + 1), id.clone())).collect();
        let line = |(number, id): &(String, String)| Some(format!("[{number}] {}", desk.line(id)?));
        let prompt = render(&numbers.iter().filter_map(line).collect::<Vec<_>>().join("\n"))?;
        if !selection.dropped.is_empty() {
            let (shown, all) = (selection.kept.len(), question.facts.len());
            let request = format!("room for {characters} characters of facts");
            let response = format!("{shown} of {all} facts shown; left out: {}", selection.dropped.join(", "));
            desk.trace(&question.agent, Event::Memory, request, response, selection.kept);
        }
        Ok(Sheet { numbers, prompt })
    }

    /// Puts the question to the model, with fewer facts where the model finds it too long. None where it cannot be put.
    fn write(
        &self,
        desk: &mut Desk<'_>,
        question: &Question<'_>,
        repair: &str,
        tokens: &mut usize,
        attempt: u32,
    ) -> Result<Option<(Sheet, String, bool)>, Error> {
        loop {
            let sheet = self.sheet(desk, question, repair, *tokens)?;
            if sheet.numbers.is_empty() {
                return Ok(None);
            }
            if let Some(simulation) = &self.simulation {
                let facts = facts_of(desk, &sheet);
                simulation.lay(&facts, stance(&self.config, question.role, &facts));
            }
            let answer_tokens = self.agents().answer_tokens;
            let needed = Usage { prompt_tokens: estimate(&sheet.prompt), answer_tokens: answer_tokens as u64 };
            desk.ledger.hold(&self.voice.name, needed)?;
            let messages = [Message::user(&sheet.prompt)];
            let options = Completion {
                max_tokens: answer_tokens,
                sampling: self.sampling(desk, question, attempt),
                stop_at_line_break: false,
            };
            let shape = Shape { form: self.form.clone(), ..Shape::default() };
            let written = match self.voice.provider.write(Prompt::Chat(&messages), &options, &shape) {
                Ok(written) => written,
                Err(providers::Error::PromptTooLong { .. }) => {
                    *tokens = *tokens * 3 / 4;
                    continue;
                }
                Err(refusal) if refusal.is_refusal() => {
                    desk.trace(&question.agent, Event::Failure, sheet.prompt, refusal.to_string(), Vec::new());
                    return Ok(None);
                }
                Err(other) => return Err(other.into()),
            };
            let text = written.reply.text;
            let fact_ids = Answer::parse(&text).map_or_else(|_| Vec::new(), |answer| cited(&sheet, &answer));
            let usage = if written.usage == Usage::default() {
                Usage { prompt_tokens: needed.prompt_tokens, answer_tokens: estimate(&text) }
            } else {
                written.usage
            };
            let call = Call {
                agent: &question.agent,
                provider: &self.voice.name,
                prompt: &sheet.prompt,
                answer: &text,
                prompt_version: self.prompts.version(question.role.name()),
                fact_ids,
                usage,
                attempt,
            };
            desk.model_call(Event::ModelCall, &call);
            return Ok(Some((sheet, text, written.reply.finished)));
        }
    }

    fn sampling(&self, desk: &Desk<'_>, question: &Question<'_>, attempt: u32) -> Sampling {
        let temperature = self.agents().temperature;
        if temperature == 0.0 {
            return Sampling::Greedy;
        }
        let place = format!("{}@{}/{}/{attempt}/{}", desk.symbol, desk.bar_at, question.agent, question.objections);
        Sampling::Sample { temperature, top_k: None, top_p: None, seed: self.seed.derive(&place).0 }
    }

    /// Verifies the claims, drops what the filter refuses, and logs all of it.
    fn accept(&self, desk: &mut Desk<'_>, question: &Question<'_>, sheet: &Sheet, answer: &Answer) -> View {
        let numbers = facts_of(desk, sheet);
        let facts: BTreeMap<String, &Fact> = numbers.iter().map(|(number, fact)| (number.clone(), *fact)).collect();
        let id = |number: &str| facts.get(number).map(|fact| fact.id.clone()).unwrap_or_default();
        let row = |claim: usize, text: &str, cited: String, verdict: Verdict, expected: String| CheckedClaim {
            symbol: desk.symbol.clone(),
            bar_at: desk.bar_at,
            agent: question.agent.clone(),
            claim: claim as u32,
            text: text.to_owned(),
            cited,
            verdict: verdict.as_str().to_owned(),
            expected,
        };
        let verifier = self.reader.verifier(&facts);
        let verdicts: Vec<_> = answer.claims.iter().map(|claim| verifier.verify(claim)).collect();
        let supported = verdicts.iter().filter(|v| v.verdict == Verdict::Supported).count();
        let mut checked = Vec::new();
        for (place, (claim, verdict)) in answer.claims.iter().zip(&verdicts).enumerate() {
            // A number that was not given has no id; it is shown as the agent wrote it.
            let cited = Some(id(&claim.fact)).filter(|id| !id.is_empty()).unwrap_or_else(|| claim.fact.clone());
            checked.push(row(place, &claim.text, cited, verdict.verdict, verdict.expected.clone()));
        }
        let injected = self.injected(sheet, answer);
        let injected = injected
            .into_iter()
            .filter_map(|error| {
                let claim = answer.claims.get(error.claim)?;
                Some(row(error.claim, &claim.text, id(&claim.fact), error.kind, String::new()))
            })
            .collect();
        let filter = &self.agents().grounding_filter;
        let keep = |verdict: Verdict| !filter.on || verdict == Verdict::Supported;
        let kept = answer.claims.iter().zip(&verdicts).filter(|(_, v)| keep(v.verdict));
        let claims = kept.map(|(c, _)| CitedClaim { text: c.text.clone(), fact: id(&c.fact) }).collect();
        let share = if answer.claims.is_empty() { 0.0 } else { supported as f64 / answer.claims.len() as f64 };
        let weight = if filter.on && share < filter.min_supported { share } else { 1.0 };
        let view = View {
            from: question.role,
            score: answer.score,
            confidence: answer.confidence,
            claims,
            rationale: answer.rationale.clone(),
            weight,
        };
        desk.set_opinion(opinion(desk, &question.agent, &view), checked, injected);
        view
    }

    /// The errors that the simulation put into this answer.
    fn injected(&self, sheet: &Sheet, answer: &Answer) -> Vec<Injected> {
        let Some(simulation) = &self.simulation else { return Vec::new() };
        let (written, injected) = simulation.answer(&sheet.prompt);
        if written.claims == answer.claims { injected } else { Vec::new() }
    }

    /// Lets the model choose among roles; returns the place of the likeliest.
    ///
    /// # Errors
    /// The budget is spent, or the provider gives no probabilities.
    pub fn choose(&self, desk: &mut Desk<'_>, so_far: &str, roles: &[Role]) -> Result<usize, Error> {
        let t = moment(desk.t());
        let slots = Slots { symbol: &desk.symbol, t: &t, facts: so_far, ..Slots::default() };
        let prompt = self.prompts.render("supervisor", &slots)?;
        let usage = Usage { prompt_tokens: estimate(&prompt), answer_tokens: 1 };
        desk.ledger.hold(&self.voice.name, usage)?;
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let scores = self.voice.provider.score(&[Message::user(&prompt)], &names)?;
        let best = (0..roles.len()).max_by(|a, b| {
            let of = |i: &usize| scores.get(*i).copied().unwrap_or(0.0);
            of(a).total_cmp(&of(b)).then(b.cmp(a))
        });
        let best = best.unwrap_or(0);
        let call = Call {
            agent: Role::Coordinator.name(),
            provider: &self.voice.name,
            prompt: &prompt,
            answer: names.get(best).copied().unwrap_or_default(),
            prompt_version: self.prompts.version("supervisor"),
            fact_ids: Vec::new(),
            usage,
            attempt: 1,
        };
        desk.model_call(Event::ModelCall, &call);
        Ok(best)
    }
}

/// Logs that an agent has said nothing that could be read.
fn neutral(desk: &mut Desk<'_>, question: &Question<'_>, why: &str) -> View {
    desk.trace(&question.agent, Event::Failure, String::new(), why.to_owned(), Vec::new());
    let view = View::neutral(question.role, why);
    desk.set_opinion(opinion(desk, &question.agent, &view), Vec::new(), Vec::new());
    view
}

fn facts_of<'d>(desk: &'d Desk<'_>, sheet: &Sheet) -> Vec<(String, &'d Fact)> {
    sheet.numbers.iter().filter_map(|(number, id)| Some((number.clone(), desk.fact(id)?))).collect()
}

/// Ids of the facts that an answer cites, each once, in order.
fn cited(sheet: &Sheet, answer: &Answer) -> Vec<String> {
    let mut ids = Vec::new();
    for claim in &answer.claims {
        let id = sheet.numbers.iter().find(|(number, _)| *number == claim.fact).map(|(_, id)| id.clone());
        ids.extend(id.filter(|id| !ids.contains(id)));
    }
    ids
}

fn opinion(desk: &Desk<'_>, agent: &str, view: &View) -> Opinion {
    Opinion {
        symbol: desk.symbol.clone(),
        bar_at: desk.bar_at,
        decided_at: desk.t(),
        agent: agent.to_owned(),
        score: view.score,
        confidence: view.confidence,
        claims: view.claims.iter().map(|c| c.text.clone()).collect(),
        cited: view.claims.iter().map(|c| c.fact.clone()).collect(),
        rationale: view.rationale.clone(),
    }
}
