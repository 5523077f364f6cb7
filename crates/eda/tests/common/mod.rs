//! A corpus in order, in both languages, for tests that spoil one thing in it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "each test file uses its part"
)]

use artifacts::rows::{AlertKind, DataAlert, Language};
use artifacts::{NoProgress, Seed};
use eda::{Analysis, Config, Profiler, Record, alerts, analyse};
use std::path::{Path, PathBuf};

pub const LABELS: [&str; 3] = ["negative", "neutral", "positive"];

/// A sentence of one class; no number occurs twice, else words would gather in one split.
pub fn sentence(language: Language, class: usize, i: usize) -> String {
    let [a, b] = [7919, 104_729].map(|prime| (3 * i + class) * prime);
    let of = |list: [&str; 5], i: usize| list[i % 5].to_owned();
    match language {
        Language::English => {
            let verb = ["fell to", "stayed flat at", "rose to"][class];
            let company = ["the bank", "our shipyard", "that brewery", "this airline", "a small telecom operator"];
            let when = ["in March", "after the strike", "before the merger", "by the end of the year", "at the fair"];
            format!("Sales of {} {verb} {a} {} with orders of {b}", of(company, i), of(when, i / 5))
        }
        Language::Vietnamese => {
            let verb = ["giảm xuống", "đi ngang ở", "tăng lên"][class];
            let company = ["ngân hàng này", "xưởng đóng tàu", "nhà máy bia", "hãng hàng không", "công ty viễn thông"];
            let when = ["trong tháng ba", "sau cuộc họp", "trước khi sáp nhập", "vào cuối năm", "tại hội chợ"];
            format!("Doanh thu của {} {verb} {a} {} với đơn hàng {b}", of(company, i), of(when, i / 5))
        }
    }
}

/// `each` rows of every class, of sentences from number `from` on.
pub fn rows(language: Language, from: usize, each: usize) -> Vec<Record> {
    let mut rows = Vec::new();
    for i in from..from + each {
        for (class, label) in LABELS.iter().enumerate() {
            rows.push(Record {
                row: rows.len() as u64,
                text: Some(sentence(language, class, i)),
                label: Some((*label).to_owned()),
                language: Some(language),
                source: Some("wire".to_owned()),
                synthetic: false,
                fault: None,
            });
        }
    }
    rows
}

/// Training and held-out rows of both languages with nothing wrong in them.
pub fn clean() -> Vec<(&'static str, Vec<Record>)> {
    let both = |from, each| {
        let mut all = rows(Language::English, from, each);
        all.extend(rows(Language::Vietnamese, from, each));
        all
    };
    vec![("train", both(0, 100)), ("eval", both(200, 40))]
}

pub fn look(splits: &[(&str, Vec<Record>)], config: &Config) -> Analysis {
    let mut profiler = Profiler::new(config);
    for (split, rows) in splits {
        for part in rows.chunks(64) {
            profiler.add(split, part);
        }
    }
    analyse(profiler.finish(), &[], None, config, Seed(3), &NoProgress).unwrap()
}

pub fn found(splits: &[(&str, Vec<Record>)]) -> Vec<DataAlert> {
    let config = Config::default();
    alerts(&look(splits, &config), &config)
}

/// The first alert of a kind.
pub fn alert(alerts: &[DataAlert], kind: AlertKind) -> &DataAlert {
    let kinds: Vec<&str> = alerts.iter().map(|a| a.kind.as_str()).collect();
    alerts.iter().find(|a| a.kind == kind).unwrap_or_else(|| panic!("no {kind} among {kinds:?}"))
}

/// Lines of a file, one for each item.
pub fn lines<T>(items: impl IntoIterator<Item = T>, line: impl Fn(T) -> String) -> String {
    items.into_iter().map(line).collect::<Vec<_>>().concat()
}

/// The data of the briefs, where they are.
pub fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|a| a.join("shared"))
        .find(|s| s.join("README.md").is_file());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}
