use artifacts::{Progress, Ticker};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A bar on a terminal; a log line every few seconds elsewhere.
pub fn progress() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() { Box::new(Bars) } else { Box::new(Lines) }
}

struct Bars;
struct Bar(ProgressBar);

impl Progress for Bars {
    fn start(&self, label: &str, total: u64) -> Box<dyn Ticker> {
        let bar = ProgressBar::new(total).with_message(label.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:30} {pos}/{len} {elapsed}<{eta} {prefix}") {
            bar.set_style(style);
        }
        Box::new(Bar(bar))
    }
}

impl Ticker for Bar {
    fn at(&self, done: u64, note: &str) {
        self.0.set_prefix(note.to_owned());
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

struct Lines;
struct Line {
    label: String,
    total: u64,
    started: Instant,
    last: Mutex<Instant>,
}

const EVERY: Duration = Duration::from_secs(10);

impl Progress for Lines {
    fn start(&self, label: &str, total: u64) -> Box<dyn Ticker> {
        let now = Instant::now();
        Box::new(Line { label: label.to_owned(), total, started: now, last: Mutex::new(now) })
    }
}

impl Ticker for Line {
    fn at(&self, done: u64, note: &str) {
        let Ok(mut last) = self.last.lock() else { return };
        if last.elapsed() < EVERY || done == 0 {
            return;
        }
        *last = Instant::now();
        let elapsed = self.started.elapsed().as_secs_f64();
        let left = elapsed / done as f64 * self.total.saturating_sub(done) as f64;
        tracing::info!("{}: {done}/{} in {elapsed:.0} s, {left:.0} s left {note}", self.label, self.total);
    }
}
