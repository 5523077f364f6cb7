//! The one thread that asks the model. Requests wait in a queue; texts of all of them are scored together, and answers are
//! written together, a token each at a time, so that a long one holds nobody up.

use crate::{Config, Error, Metrics, error::Refused, sentiment, writer::Writer};
use chat::Message;
use chat::prompts::LABELS;
use providers::{Completion, Draft, LocalModel, Prefix, Shape};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// One text's probabilities of the labels, or why it could not be read.
pub(crate) type Scored = Result<Vec<f64>, Refused>;

/// What a request wants of the model.
pub(crate) enum Job {
    Score { conversations: Vec<Vec<Message>>, answer: oneshot::Sender<Result<Vec<Scored>, Refused>> },
    Write(Box<Order>),
}

/// An answer that is to be written.
pub(crate) struct Order {
    pub(crate) messages: Vec<Message>,
    pub(crate) options: Completion,
    pub(crate) shape: Shape,
    pub(crate) stop: Vec<String>,
    /// How many alternatives to each token are told; none: no log-probabilities.
    pub(crate) alternatives: Option<usize>,
    /// Where each piece goes; a closed channel ends the writing.
    pub(crate) pieces: mpsc::UnboundedSender<Result<Piece, Refused>>,
}

/// A part of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Of each token since the last piece: the token that was taken, then the likeliest, each with its log-probability.
    pub(crate) tokens: Vec<Vec<(String, f64)>>,
    /// Set on the last piece.
    pub(crate) end: Option<End>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// False where the limit of tokens cut it.
    pub(crate) finished: bool,
    pub(crate) prompt_tokens: usize,
    pub(crate) answer_tokens: usize,
}

/// The way to the model's thread.
#[derive(Clone)]
pub(crate) struct Engine {
    jobs: Sender<(Job, OwnedSemaphorePermit)>,
    /// One place for each request that may be in hand.
    places: Arc<Semaphore>,
    limit: usize,
    thread: Arc<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread. It ends when no [`Engine`] is left.
    pub(crate) fn start(model: LocalModel, config: &Config, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let (jobs, arriving) = channel();
        let (texts, orders) = (VecDeque::new(), VecDeque::new());
        let worker = Worker { arriving, config: config.clone(), metrics, texts, orders, known: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("model".into())
            .spawn(move || worker.run(&model))
            .map_err(|source| Error::System { what: "the model's thread", source })?;
        let (limit, thread) = (config.max_requests, Arc::new(thread));
        Ok(Self { jobs, places: Arc::new(Semaphore::new(limit)), limit, thread })
    }

    /// Whether the thread still runs: only a fault of ours ends it while somebody can ask.
    pub(crate) fn runs(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Requests that wait for the model or are being answered by it.
    pub(crate) fn in_hand(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    /// Takes a request in hand.
    pub(crate) fn send(&self, job: Job) -> Result<(), Refused> {
        let full = |_| Refused::busy("as many requests are in hand as may be (max_requests); try again");
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        self.jobs.send((job, place)).map_err(|_| Refused::ended())
    }
}

/// A request of which some texts are still to be scored.
struct Scoring {
    left: VecDeque<Vec<Message>>,
    done: Result<Vec<Scored>, Refused>,
    answer: oneshot::Sender<Result<Vec<Scored>, Refused>>,
    _place: OwnedSemaphorePermit,
}

/// Whether further jobs may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrivals {
    Open,
    Over,
}

struct Worker {
    arriving: Receiver<(Job, OwnedSemaphorePermit)>,
    config: Config,
    metrics: Arc<Metrics>,
    texts: VecDeque<Scoring>,
    orders: VecDeque<(Box<Order>, OwnedSemaphorePermit)>,
    /// What sentiment questions begin with.
    known: Vec<Prefix>,
}

/// Read before the first request comes; where that fails, every question is read whole.
fn remembered(model: &LocalModel, alike: &[Vec<Message>]) -> Option<Prefix> {
    model.remember(alike).unwrap_or_else(|error| {
        tracing::warn!("what all questions begin with is not kept: {error}");
        None
    })
}

impl Worker {
    fn run(mut self, model: &LocalModel) {
        self.known = sentiment::frames().iter().filter_map(|alike| remembered(model, alike)).collect();
        let mut writers: Vec<(Writer<'_>, OwnedSemaphorePermit)> = Vec::new();
        loop {
            let idle = self.texts.is_empty() && self.orders.is_empty() && writers.is_empty();
            if self.take(idle) == Arrivals::Over && idle {
                return;
            }
            self.score(model);
            while writers.len() < self.config.writers
                && let Some((order, place)) = self.orders.pop_front()
            {
                writers.extend(Writer::begin(model, *order).map(|writer| (writer, place)));
            }
            self.write(&mut writers);
        }
    }

    /// Writes one token of each answer, and lets those go that have ended or that nobody waits for.
    fn write(&self, writers: &mut Vec<(Writer<'_>, OwnedSemaphorePermit)>) {
        writers.retain(|(writer, _)| writer.wanted() || self.let_go(writer));
        let mut drafts: Vec<_> = writers.iter_mut().map(|(writer, _)| writer.draft()).collect();
        match Draft::step_together(&mut drafts) {
            Ok(tokens) => {
                let mut tokens = tokens.into_iter();
                writers.retain_mut(|(writer, _)| {
                    tokens.next().is_some_and(|token| writer.take(token)) || self.let_go(writer)
                });
            }
            Err(error) => {
                let refused = Refused::from(error);
                tracing::error!("{}", refused.message());
                for (writer, _) in writers.drain(..) {
                    writer.fail(refused.clone());
                }
            }
        }
    }

    /// Counts what was written. False: it is not kept.
    fn let_go(&self, writer: &Writer<'_>) -> bool {
        self.metrics.written(writer.tokens());
        false
    }

    /// Takes all jobs that wait; where there is nothing else to do, waits for one.
    fn take(&mut self, idle: bool) -> Arrivals {
        let first =
            if idle { self.arriving.recv().map_err(|_| TryRecvError::Disconnected) } else { self.arriving.try_recv() };
        let mut next = first;
        loop {
            match next {
                Ok((Job::Score { conversations, answer }, place)) => {
                    let (left, done) = (conversations.into(), Ok(Vec::new()));
                    self.texts.push_back(Scoring { left, done, answer, _place: place });
                }
                Ok((Job::Write(order), place)) => self.orders.push_back((order, place)),
                Err(TryRecvError::Empty) => return Arrivals::Open,
                Err(TryRecvError::Disconnected) => return Arrivals::Over,
            }
            next = self.arriving.try_recv();
        }
    }

    /// The next texts, each with the place of its request: an even share for each request, so that a small one need not wait
    /// for a large one; then what room is left, the oldest first.
    fn batch(&mut self) -> (Vec<usize>, Vec<Vec<Message>>) {
        let mut room = self.config.texts_at_once;
        let share = room.div_ceil(self.texts.len().max(1));
        let (mut places, mut texts) = (Vec::new(), Vec::new());
        for most in [share, usize::MAX] {
            for (place, request) in self.texts.iter_mut().enumerate() {
                let count = request.left.len().min(most).min(room);
                room -= count;
                texts.extend(request.left.drain(..count));
                places.extend(std::iter::repeat_n(place, count));
            }
        }
        (places, texts)
    }

    /// Scores one batch and answers the requests that are done.
    fn score(&mut self, model: &LocalModel) {
        // Who has gone away wants no answer.
        self.texts.retain(|request| !request.answer.is_closed());
        let (places, texts) = self.batch();
        if texts.is_empty() {
            return;
        }
        self.metrics.batch(texts.len());
        match model.score_each(&texts, &LABELS, &self.known) {
            Ok(scores) => {
                for (place, score) in places.into_iter().zip(scores) {
                    if let Some(Ok(done)) = self.texts.get_mut(place).map(|request| &mut request.done) {
                        done.push(score.map_err(Refused::from));
                    }
                }
            }
            Err(error) => {
                let refused = Refused::from(error);
                tracing::error!("{}", refused.message());
                for place in places {
                    if let Some(request) = self.texts.get_mut(place) {
                        request.left.clear();
                        request.done = Err(refused.clone());
                    }
                }
            }
        }
        for request in std::mem::take(&mut self.texts) {
            if request.left.is_empty() {
                request.answer.send(request.done).ok();
            } else {
                self.texts.push_back(request);
            }
        }
    }
}
