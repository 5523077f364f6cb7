use crate::Tile;

/// What a [`dashboard`](crate::dashboard()) shows: a run of agents over one or more instruments.
///
/// All times are milliseconds since 1970-01-01T00:00:00Z; the page shows them in UTC.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DashboardData {
    /// Title of the page.
    pub title: String,
    /// Under the title, such as the run's name and settings.
    pub subtitle: String,
    /// The figures at the top.
    pub tiles: Vec<Tile>,
    /// One for each instrument, in the order in which they are offered.
    pub instruments: Vec<Instrument>,
    /// Longest text of a request or an answer, in characters; longer ones are cut, and say so. 0 leaves them out.
    pub longest_text: usize,
}

/// One instrument: its prices, the account, and the decisions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Instrument {
    /// Such as `BTC`.
    pub symbol: String,
    /// Time and close of each bar, oldest first.
    pub closes: Vec<(i64, f64)>,
    /// The account, oldest first.
    pub equity: Vec<AccountPoint>,
    /// The decisions, oldest first.
    pub decisions: Vec<DecisionView>,
}

/// The account at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AccountPoint {
    /// When.
    pub at_ms: i64,
    /// The strategy's equity.
    pub equity: f64,
    /// The same capital held in the instrument.
    pub held: f64,
}

/// One decision with everything that led to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecisionView {
    /// The bar it is about.
    pub bar_ms: i64,
    /// When it was made.
    pub decided_ms: i64,
    /// Wanted position, from -1 to 1.
    pub position: f64,
    /// How sure, from 0 to 1.
    pub confidence: Option<f64>,
    /// In words.
    pub reason: String,
    /// What each agent said.
    pub opinions: Vec<OpinionView>,
    /// What the agents were given: prices, news, observations, past cases.
    pub facts: Vec<FactView>,
    /// What happened, in order: model calls, tools, memory, limits.
    pub steps: Vec<StepView>,
    /// What the models cost, in the currency of the price table.
    pub cost: Option<f64>,
}

/// One agent's view.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpinionView {
    /// Whose.
    pub agent: String,
    /// From -1 (sell) to 1 (buy).
    pub score: f64,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// In words.
    pub rationale: String,
    /// The statements it rests on.
    pub claims: Vec<ClaimView>,
}

/// One statement of an agent, and what the verifier said of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClaimView {
    /// In the agent's words.
    pub text: String,
    /// Id of the fact it cites; empty where it cites none.
    pub cited: String,
    /// `supported` or the kind of error; empty where it was not checked.
    pub verdict: String,
    /// What the fact says where the claim says otherwise.
    pub expected: String,
}

/// Something an agent could cite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactView {
    /// What claims cite it by.
    pub id: String,
    /// Such as `price`, `news`, `past-case`.
    pub kind: String,
    /// What it is about.
    pub name: String,
    /// As the prompt worded it.
    pub text: String,
    /// When it happened.
    pub event_ms: i64,
    /// When it could be known.
    pub available_ms: i64,
}

/// One step of the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepView {
    /// Who acted.
    pub agent: String,
    /// Such as `model-call`, `tool-call`, `memory`.
    pub event: String,
    /// Who answered; empty where no model was asked.
    pub provider: String,
    /// Name and version of the prompt.
    pub prompt: String,
    /// What was asked.
    pub request: String,
    /// What came back.
    pub response: String,
    /// Tokens read by the model.
    pub prompt_tokens: u64,
    /// Tokens written by the model.
    pub answer_tokens: u64,
}
