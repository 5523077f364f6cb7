#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

use artifacts::{Error, Seed, Timed, Timeline, Timestamp};
use proptest::prelude::*;
use rand::RngCore;

#[derive(Debug, Clone, PartialEq)]
struct Row {
    event_at: Timestamp,
    available_at: Timestamp,
    number: usize,
}

impl Timed for Row {
    fn event_at(&self) -> Timestamp {
        self.event_at
    }
    fn available_at(&self) -> Timestamp {
        self.available_at
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((-50..50_i64, 0..30_i64), 0..40).prop_map(|times| {
        let row = |(number, (event, delay)): (usize, (i64, i64))| {
            let event_at = Timestamp::from_seconds(event);
            Row { event_at, available_at: event_at.plus_seconds(delay), number }
        };
        times.into_iter().enumerate().map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_holds_every_known_row_and_never_a_later_one(rows in rows(), t in -70..100_i64, n in 0..50_usize, s in -5..60_i64) {
        let t = Timestamp::from_seconds(t);
        let timeline = Timeline::new(rows.clone()).unwrap();
        let view = timeline.as_of(t);
        let known = rows.iter().filter(|r| r.available_at <= t).count();
        prop_assert_eq!(view.len(), known);
        prop_assert_eq!(view.is_empty(), known == 0);
        prop_assert_eq!(view.t(), t);
        for part in [view.rows(), view.last(n), view.within(s)] {
            prop_assert!(part.iter().all(|r| r.available_at <= t));
            prop_assert!(part.windows(2).all(|p| (p[0].available_at, p[0].event_at) <= (p[1].available_at, p[1].event_at)));
        }
        prop_assert_eq!(view.last(n).len(), n.min(known));
        prop_assert_eq!(view.latest(), view.rows().last());
        let recent = rows.iter().filter(|r| r.available_at <= t && r.available_at > t.plus_seconds(-s)).count();
        prop_assert_eq!(view.within(s).len(), recent);
    }

    #[test]
    fn rows_known_at_the_same_time_keep_their_order(rows in rows()) {
        let end = Timestamp::from_seconds(1000);
        let timeline = Timeline::new(rows).unwrap();
        for pair in timeline.as_of(end).rows().windows(2) {
            if (pair[0].available_at, pair[0].event_at) == (pair[1].available_at, pair[1].event_at) {
                prop_assert!(pair[0].number < pair[1].number);
            }
        }
    }

    #[test]
    fn the_clock_ticks_once_for_each_moment_with_something_new(rows in rows()) {
        let timeline = Timeline::new(rows).unwrap();
        let clock = timeline.clock();
        prop_assert!(clock.windows(2).all(|p| p[0] < p[1]));
        let mut before = 0;
        for t in clock {
            let now = timeline.as_of(t).len();
            prop_assert!(now > before && timeline.as_of(Timestamp::from_micros(t.micros() - 1)).len() == before);
            before = now;
        }
        prop_assert_eq!(before, timeline.len());
    }

    #[test]
    fn a_printed_time_reads_back_as_itself(micros in -60_000_000_000_000_000..60_000_000_000_000_000_i64) {
        let t = Timestamp::from_micros(micros);
        prop_assert_eq!(t.to_string().parse::<Timestamp>().unwrap(), t);
        let json = serde_json::to_string(&t).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), t);
    }

    #[test]
    fn no_text_whatever_makes_the_time_parser_panic(text in prop::collection::vec(any::<char>(), 0..24).prop_map(String::from_iter)) {
        text.parse::<Timestamp>().ok();
        Timestamp::parse_with(&text, "%m/%d/%Y %H:%M").ok();
    }
}

#[test]
fn a_row_known_before_it_happened_is_refused() {
    let row = Row { event_at: Timestamp::from_seconds(10), available_at: Timestamp::from_seconds(9), number: 0 };
    let good = Row { available_at: row.event_at, ..row.clone() };
    assert!(matches!(Timeline::new(vec![good, row]), Err(Error::KnownTooEarly { row: 1, .. })));
}

#[test]
fn extreme_moments_saturate_instead_of_wrapping_around() {
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert_eq!(last.plus_seconds(1), last);
    assert_eq!(first.plus_seconds(-1), first);
    assert!(last.seconds_since(first) > 0.0);
    let timeline = Timeline::new(vec![Row { event_at: first, available_at: last, number: 0 }]).unwrap();
    assert_eq!(timeline.as_of(last).within(i64::MIN).len(), 0);
    assert_eq!(timeline.as_of(last).within(i64::MAX).len(), 1);
}

#[test]
fn times_of_many_spellings_are_the_same_moment() {
    let expected = Timestamp::from_seconds(1_740_355_800);
    for text in [
        "2025-02-24T00:10:00Z",
        "2025-02-24T00:10:00+00:00",
        "2025-02-24T07:10:00+07:00",
        "2025-02-24T00:10:00.000Z",
        "2025-02-24 00:10:00",
        "2025-02-24 00:10",
        "2025-02-24T00:10:00",
    ] {
        assert_eq!(text.parse::<Timestamp>().unwrap(), expected, "{text}");
    }
    assert_eq!(Timestamp::parse_with("2/24/2025 0:10", "%m/%d/%Y %H:%M").unwrap(), expected);
    assert_eq!("2025-02-24".parse::<Timestamp>().unwrap(), Timestamp::from_seconds(1_740_355_200));
    assert_eq!("1969-12-31T23:59:59.999999Z".parse::<Timestamp>().unwrap(), Timestamp::from_micros(-1));
}

#[test]
fn what_is_not_a_time_is_quoted_with_the_accepted_forms() {
    for text in ["", "yesterday", "2025-13-01", "2025-02-30 00:00", "24/02/2025", "2025-02-24 25:00", "1740355800"] {
        let message = text.parse::<Timestamp>().unwrap_err().to_string();
        assert!(message.contains(&format!("`{text}`")) && message.contains("2025-02-24T00:10:00Z"), "{message}");
    }
}

/// Golden numbers. The first two: the first 8 bytes, little-endian, of blake3(seed as 8 bytes, name), checked with
/// Python's blake3 1.x; the others: the ChaCha8 stream of rand_chacha 0.9. If they change, every recorded run changes:
/// that needs a new stage version, not a new number here.
#[test]
fn a_seed_derives_the_same_numbers_in_every_release() {
    let mut rng = Seed(42).rng();
    assert_eq!(
        [Seed(42).derive("synth/prompts").0, Seed(42).derive("").0, rng.next_u64(), rng.next_u64()],
        [
            15_613_857_185_183_461_886,
            10_712_617_392_223_348_474,
            12_578_764_544_318_200_737,
            17_529_487_244_874_322_312
        ]
    );
}

#[test]
fn seeds_of_different_uses_and_runs_differ() {
    let seeds = [Seed(1), Seed(2)].map(|s| ["a", "b", "a/b"].map(|name| s.derive(name).0));
    let mut all: Vec<u64> = seeds.into_iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}
