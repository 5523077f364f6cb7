use super::Counts;
use artifacts::rows::{Bar, Rejected};
use artifacts::{Checks, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Written bars that are kept to compare duplicates with.
const REMEMBERED: usize = 4096;

/// Puts finished bars in order.
///
/// The clock is the stream's own: the latest moment that a message spoke of. A bar is final as soon as all before it are; a missing one
/// is waited for until its end lies `lateness` seconds before the clock, then fetched, then given up.
#[derive(Debug)]
pub(super) struct Assembler {
    symbol: String,
    interval: i64,
    lateness: i64,
    clock: Timestamp,
    /// Where the next bar belongs; nothing before the first.
    next: Option<Timestamp>,
    first: Option<Timestamp>,
    pending: BTreeMap<Timestamp, Bar>,
    ready: Vec<Bar>,
    recent: VecDeque<Bar>,
    /// From (included) and until (not included), in order.
    holes: Vec<(Timestamp, Timestamp)>,
    /// The latest state of candles that are not finished.
    forming: BTreeMap<Timestamp, (Option<Timestamp>, Bar)>,
    rejected: Vec<Rejected>,
    arrived: u64,
    /// The stream never says that a candle is finished.
    settles: bool,
    pub(super) counts: Counts,
}

/// Whence a finished bar comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Stream,
    Rest,
}

impl Assembler {
    pub(super) fn new(symbol: &str, interval: i64, lateness: i64, start: Option<Timestamp>) -> Self {
        Self {
            symbol: symbol.to_owned(),
            interval,
            lateness,
            clock: Timestamp::from_micros(i64::MIN),
            next: start,
            first: start,
            pending: BTreeMap::new(),
            ready: Vec::new(),
            recent: VecDeque::new(),
            holes: Vec::new(),
            forming: BTreeMap::new(),
            rejected: Vec::new(),
            arrived: 0,
            settles: false,
            counts: Counts::default(),
        }
    }

    /// Goes on after the bars of a log.
    pub(super) fn resume(&mut self, logged: &[Bar]) {
        for bar in logged {
            if let Some(next) = self.next.filter(|n| bar.event_at > *n) {
                self.holes.push((next, bar.event_at));
            }
            self.first = Some(self.first.map_or(bar.event_at, |f| f.min(bar.event_at)));
            self.next = Some(bar.event_at.plus_seconds(self.interval));
        }
        if let Some(next) = self.next {
            self.tick(next);
        }
        let kept = logged.len().saturating_sub(REMEMBERED);
        self.recent.extend(logged.iter().skip(kept).cloned());
    }

    /// The stream spoke of this moment.
    pub(super) fn tick(&mut self, at: Timestamp) {
        self.clock = self.clock.max(at);
    }

    /// Where the next bar belongs.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Whether anything told a time yet.
    pub(super) fn knows_time(&self) -> bool {
        self.clock.micros() != i64::MIN
    }

    pub(super) fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Bars that wait for an earlier one.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// A bar whose interval is over.
    pub(super) fn finished(&mut self, bar: Bar, from: From) {
        self.arrived += 1;
        let at = bar.event_at;
        self.tick(at.plus_seconds(self.interval));
        if let Err(message) = bar.check() {
            return self.reject(&bar, "bad-bar", &message);
        }
        let origin = self.next.or_else(|| self.pending.keys().next().copied()).unwrap_or(at);
        if at.micros().saturating_sub(origin.micros()) % self.interval.saturating_mul(1_000_000) != 0 {
            let message = format!("bars begin at {origin} and every {} s from there", self.interval);
            return self.reject(&bar, "off-grid", &message);
        }
        self.forming.remove(&at);
        if self.next.is_some_and(|next| at < next) {
            return self.behind(&bar, from);
        }
        if let Some(other) = self.pending.get(&at) {
            let same = *other == bar;
            return self.repeated(&bar, same, from);
        }
        match from {
            From::Rest => self.counts.backfilled += 1,
            From::Stream if self.pending.keys().next_back().is_some_and(|last| *last > at) => {
                self.counts.reordered += 1;
            }
            From::Stream => {}
        }
        self.pending.insert(at, bar);
        self.release();
    }

    /// A bar whose place is behind what is written.
    fn behind(&mut self, bar: &Bar, from: From) {
        let at = bar.event_at;
        if self.first.is_some_and(|first| at < first) {
            return self.reject(bar, "before-start", "the log begins later");
        }
        if self.holes.iter().any(|(a, b)| (*a..*b).contains(&at)) {
            let message = format!("more than {} s late: the bars after it are written", self.lateness);
            return self.reject(bar, "late", &message);
        }
        // Bars too far back to compare were written, because there is no hole at their place.
        let same = self.recent.iter().rev().find(|b| b.event_at <= at).is_none_or(|b| b.event_at != at || b == bar);
        self.repeated(bar, same, from);
    }

    fn repeated(&mut self, bar: &Bar, same: bool, from: From) {
        if same || from == From::Rest {
            self.counts.duplicates += 1;
        } else {
            self.reject(bar, "conflict", "another bar of this time came first");
        }
    }

    /// A candle that may still change: the state told last counts.
    pub(super) fn forming(&mut self, bar: Bar, told_at: Option<Timestamp>) {
        self.counts.unfinished += 1;
        self.tick(told_at.unwrap_or(bar.event_at));
        let newer = self.forming.get(&bar.event_at).is_none_or(|(before, _)| told_at >= *before);
        if newer && self.next.is_none_or(|next| bar.event_at >= next) {
            self.forming.insert(bar.event_at, (told_at, bar));
        }
    }

    /// The stream has no word for "finished".
    pub(super) fn settles(&mut self) {
        self.settles = true;
    }

    /// Takes candles of a stream without a word for "finished" as finished where their time is over, at the end of a stream (`all`)
    /// without waiting for later states.
    pub(super) fn settle(&mut self, all: bool) {
        if !self.settles {
            return;
        }
        let over = if all { self.clock } else { self.clock.plus_seconds(-self.lateness) };
        while let Some((at, _)) = self.forming.first_key_value() {
            if at.plus_seconds(self.interval) > over {
                break;
            }
            if let Some((_, (_, bar))) = self.forming.pop_first() {
                self.finished(bar, From::Stream);
            }
        }
    }

    /// Messages were lost: what is known of unfinished candles may not be the last word on them.
    pub(super) fn distrust(&mut self) {
        if self.settles {
            self.forming.clear();
        }
    }

    /// How many finished bars came.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// What is missing and should be fetched: the first hole, if it is overdue (or `now`, because a connection broke).
    pub(super) fn missing(&mut self, now: bool) -> Option<(Timestamp, Timestamp)> {
        self.release();
        let next = self.next?;
        let until = *self.pending.keys().next()?;
        (until > next && (now || self.overdue(next))).then_some((next, until))
    }

    fn overdue(&self, at: Timestamp) -> bool {
        at.plus_seconds(self.interval).plus_seconds(self.lateness) <= self.clock
    }

    /// Nobody has the bars missing before `before`: those overdue (or all, where `all`) become a hole, and what comes of them later is
    /// rejected.
    pub(super) fn give_up(&mut self, before: Timestamp, all: bool) {
        let (Some(next), Some(waiting)) = (self.next, self.pending.keys().next().copied()) else { return };
        let until = waiting.min(before);
        let mut at = next;
        while at < until && (all || self.overdue(at)) {
            self.counts.holes += 1;
            if let Some((_, bar)) = self.forming.remove(&at) {
                self.reject(&bar, "never-finished", "its last state came, but not the word that it is finished");
            }
            at = at.plus_seconds(self.interval);
        }
        if at > next {
            self.holes.push((next, at));
            self.next = Some(at);
            self.release();
        }
    }

    /// The first bar is known only after `lateness` seconds, or when nothing more comes.
    pub(super) fn begin(&mut self, now: bool) {
        if let (None, Some(first)) = (self.next, self.pending.keys().next().copied())
            && (now || self.overdue(first))
        {
            self.next = Some(first);
            self.first = Some(first);
            self.release();
        }
    }

    fn release(&mut self) {
        while let Some(next) = self.next
            && let Some(bar) = self.pending.remove(&next)
        {
            self.next = Some(next.plus_seconds(self.interval));
            if self.recent.len() >= REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back(bar.clone());
            self.ready.push(bar);
            self.counts.written += 1;
        }
    }

    /// Final bars, in order, that were not taken yet.
    pub(super) fn take(&mut self) -> Vec<Bar> {
        std::mem::take(&mut self.ready)
    }

    pub(super) fn reject(&mut self, bar: &Bar, reason: &'static str, detail: &str) {
        let text = format!(
            "open {:?} high {:?} low {:?} close {} volume {:?}",
            bar.open, bar.high, bar.low, bar.close, bar.volume
        );
        self.reject_text(bar.event_at, &text, reason, detail);
    }

    pub(super) fn reject_text(&mut self, at: Timestamp, text: &str, reason: &'static str, detail: &str) {
        self.counts.rejected += 1;
        let row = self.counts.messages;
        self.rejected.push(Rejected::new(&self.symbol, row, text, &at.to_string(), reason, detail));
    }

    /// What was refused and not taken yet.
    pub(super) fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bar(minute: i64, close: f64) -> Bar {
        let event_at = Timestamp::from_seconds(minute * 60);
        Bar {
            symbol: "X".into(),
            event_at,
            available_at: event_at.plus_seconds(60),
            open: Some(close),
            high: Some(close),
            low: Some(close),
            close,
            volume: Some(1.0),
        }
    }

    fn minutes(bars: &[Bar]) -> Vec<i64> {
        bars.iter().map(|b| b.event_at.micros() / 60_000_000).collect()
    }

    fn from_zero() -> Assembler {
        Assembler::new("X", 60, 180, Some(Timestamp::from_seconds(0)))
    }

    proptest! {
        /// Lateness of three minutes: every bar moved back by up to two places, some twice, some lost and fetched.
        #[test]
        fn any_order_within_the_window_gives_the_same_log(
            moves in prop::collection::vec((0_i64..=2, prop::bool::weighted(0.2), prop::bool::weighted(0.1)), 1..60),
        ) {
            let mut arrivals: Vec<(i64, i64)> = Vec::new();
            let mut lost = Vec::new();
            for (m, (late, twice, gone)) in (0..).zip(&moves) {
                if *gone && m > 0 {
                    lost.push(m);
                    continue;
                }
                arrivals.push((m + late, m));
                arrivals.extend(twice.then_some((m + 5, m)));
            }
            arrivals.sort_unstable();
            let mut a = from_zero();
            let mut out = Vec::new();
            let fetch = |a: &mut Assembler, now: bool| {
                while let Some((from, until)) = a.missing(now) {
                    let inside = |m: i64| (from..until).contains(&Timestamp::from_seconds(m * 60));
                    prop_assert!(lost.contains(&(from.micros() / 60_000_000)), "what may still come is not fetched");
                    (0..60).filter(|m| inside(*m)).for_each(|m| a.finished(bar(m, m as f64 + 1.0), From::Rest));
                }
                Ok(())
            };
            for (_, m) in &arrivals {
                a.finished(bar(*m, *m as f64 + 1.0), From::Stream);
                fetch(&mut a, false)?;
                out.extend(a.take());
            }
            fetch(&mut a, true)?;
            out.extend(a.take());
            let last = arrivals.iter().map(|(_, m)| *m).max().unwrap_or(0);
            let expected: Vec<Bar> = (0..=last).map(|m| bar(m, m as f64 + 1.0)).collect();
            prop_assert_eq!(out, expected);
            prop_assert_eq!((a.counts.holes, a.counts.rejected), (0, 0));
        }
    }

    #[test]
    fn a_late_bar_is_put_in_its_place_within_the_window_and_rejected_beyond_it() {
        let mut a = from_zero();
        for m in [0, 1, 3, 4, 2] {
            a.finished(bar(m, 1.0), From::Stream);
        }
        assert_eq!((minutes(&a.take()), a.counts.reordered), (vec![0, 1, 2, 3, 4], 1));

        for m in [6, 7] {
            a.finished(bar(m, 1.0), From::Stream);
        }
        assert_eq!(a.missing(false), None, "minute 5 ended 180 s ago only when minute 8 has ended");
        assert!(a.take().is_empty());
        a.finished(bar(8, 1.0), From::Stream);
        let minute = |m: i64| Timestamp::from_seconds(m * 60);
        assert_eq!(a.missing(false), Some((minute(5), minute(6))));
        a.give_up(minute(6), false);
        assert_eq!(minutes(&a.take()), [6, 7, 8]);
        a.finished(bar(5, 1.0), From::Stream);
        assert!(a.take().is_empty());
        let rejected = a.take_rejected();
        assert_eq!((rejected.len(), rejected[0].reason.as_str(), a.counts.holes), (1, "late", 1));
    }

    #[test]
    fn a_missing_bar_from_rest_fills_its_place_and_its_late_twin_is_a_duplicate() {
        let mut a = from_zero();
        for m in [0, 2] {
            a.finished(bar(m, 1.0), From::Stream);
        }
        assert!(a.missing(true).is_some(), "after a break nobody waits");
        a.finished(bar(1, 1.0), From::Rest);
        a.finished(bar(1, 1.0), From::Stream);
        a.finished(bar(2, 1.0), From::Stream);
        assert_eq!(minutes(&a.take()), [0, 1, 2]);
        assert_eq!((a.counts.backfilled, a.counts.duplicates, a.counts.rejected), (1, 2, 0));
    }

    #[test]
    fn a_second_version_of_a_bar_is_rejected_and_never_overwrites_the_first() {
        let mut a = from_zero();
        a.finished(bar(0, 1.0), From::Stream);
        a.finished(bar(0, 2.0), From::Stream);
        a.finished(bar(-1, 2.0), From::Stream);
        let odd = Bar { event_at: Timestamp::from_seconds(90), ..bar(2, 1.0) };
        a.finished(odd, From::Stream);
        a.finished(Bar { close: -1.0, ..bar(1, 1.0) }, From::Stream);
        assert_eq!(a.take().iter().map(|b| b.close).collect::<Vec<_>>(), [1.0]);
        let reasons: Vec<String> = a.take_rejected().into_iter().map(|r| r.reason).collect();
        assert_eq!(reasons, ["conflict", "before-start", "off-grid", "bad-bar"]);
    }

    #[test]
    fn the_first_bar_waits_for_those_that_may_come_before_it() {
        let mut a = Assembler::new("X", 60, 120, None);
        for m in [5, 4] {
            a.finished(bar(m, 1.0), From::Stream);
            a.begin(false);
        }
        assert!(a.take().is_empty());
        a.finished(bar(6, 1.0), From::Stream);
        a.begin(false);
        assert_eq!(minutes(&a.take()), [4, 5, 6]);
    }

    #[test]
    fn a_candle_that_nobody_calls_finished_settles_after_the_window() {
        let mut a = from_zero();
        let told = |s: i64| Some(Timestamp::from_seconds(s));
        a.forming(bar(0, 1.0), told(30));
        a.forming(bar(0, 2.0), told(59));
        a.forming(bar(0, 1.5), told(40));
        a.forming(bar(1, 3.0), told(70));
        a.settles();
        a.settle(false);
        assert!(a.take().is_empty());
        a.tick(Timestamp::from_seconds(240));
        a.settle(false);
        assert_eq!(
            a.take().iter().map(|b| b.close).collect::<Vec<_>>(),
            [2.0],
            "the state told last, not that read last"
        );
    }

    #[test]
    fn a_log_goes_on_where_it_ended_and_knows_its_holes() {
        let mut a = Assembler::new("X", 60, 0, None);
        a.resume(&[bar(0, 1.0), bar(1, 1.0), bar(4, 1.0)]);
        for m in [4, 2, 1, 5] {
            a.finished(bar(m, 1.0), From::Stream);
        }
        assert_eq!(minutes(&a.take()), [5]);
        assert_eq!((a.counts.duplicates, a.counts.rejected), (2, 1));
    }
}
