/// Where long work reports to. Binaries draw a bar on a terminal and log lines elsewhere; libraries only tick.
pub trait Progress: Send + Sync {
    /// Begins a phase of `total` units (rows, steps); the ticker ends it when dropped.
    fn start(&self, label: &str, total: u64) -> Box<dyn Ticker>;
}

/// One running phase.
pub trait Ticker: Send + Sync {
    /// `done` units are finished; `note` says how it goes (loss, rate).
    fn at(&self, done: u64, note: &str);
}

/// Reports to nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _label: &str, _total: u64) -> Box<dyn Ticker> {
        Box::new(Self)
    }
}

impl Ticker for NoProgress {
    fn at(&self, _done: u64, _note: &str) {}
}
