use super::{Findings, Found};
use artifacts::rows::{AlertLevel, News};
use std::collections::BTreeMap;

/// Written times against epoch stamps of the same rows: `offsets` is written minus epoch, in seconds.
pub(in super::super) fn shifts(offsets: &[i64], findings: &mut Findings<'_>) {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for offset in offsets {
        // Seconds lost to a coarser way of writing are no shift.
        *counts.entry((*offset as f64 / 60.0).round() as i64).or_default() += 1;
    }
    let total = offsets.len() as u64;
    let threshold = findings.config.shift_share;
    let mut found: Vec<Found> = Vec::new();
    for (minutes, rows) in counts.iter().filter(|(minutes, _)| **minutes != 0) {
        let share = *rows as f64 / total as f64;
        let (hours, way) = (minutes.abs() as f64 / 60.0, if *minutes > 0 { "late" } else { "early" });
        let zone = if share >= threshold { ": a wrong time zone" } else { "" };
        let same = format!("{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let message = format!(
            "the written time is {hours:.2} h ({same}) {way} against the epoch stamp in {rows} of {total} rows{zone}; \
             the epoch stamp is used, so nothing is left to repair"
        );
        found.push(Found {
            // repaired: the rows may be believed
            level: AlertLevel::Warning,
            event_at: None,
            rows: *rows,
            value: Some(*minutes as f64 / 60.0),
            threshold: Some(threshold),
            message,
        });
    }
    found.sort_by_key(|f| std::cmp::Reverse(f.rows));
    findings.add("time-shift", "", found);
}

/// The same name in several spellings: `spellings` counts each as found.
pub(in super::super) fn labels(column: &str, spellings: &BTreeMap<String, u64>, findings: &mut Findings<'_>) {
    let mut folded: BTreeMap<String, Vec<(&String, u64)>> = BTreeMap::new();
    for (spelling, count) in spellings {
        let key = spelling.trim().to_lowercase().replace(['_', '-'], " ");
        folded.entry(key).or_default().push((spelling, *count));
    }
    let found = folded
        .into_values()
        .filter(|spelled| spelled.len() > 1)
        .map(|spelled| {
            let rows: u64 = spelled.iter().map(|(_, n)| n).sum();
            let rare = spelled.iter().map(|(_, n)| n).max().map_or(0, |most| rows - most);
            let list = spelled.iter().map(|(s, n)| format!("`{s}` {n} times")).collect::<Vec<_>>().join(", ");
            Found {
                level: AlertLevel::Note,
                event_at: None,
                rows: rare,
                value: Some(spelled.len() as f64),
                threshold: Some(1.0),
                message: format!("{column} has one name in {} spellings: {list}; they are read as one", spelled.len()),
            }
        })
        .collect();
    findings.add("mixed-labels", "", found);
}

/// Texts that come more than once for the same symbol under different ids.
pub(in super::super) fn repeated_texts(news: &[News], findings: &mut Findings<'_>) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for item in news {
        *counts.entry((&item.symbol, &item.text)).or_default() += 1;
    }
    let mut by_symbol: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for ((symbol, _), n) in &counts {
        if *n > 1 {
            let entry = by_symbol.entry(symbol).or_default();
            *entry = (entry.0 + n - 1, entry.1 + 1);
        }
    }
    let rows: u64 = by_symbol.values().map(|(rows, _)| rows).sum();
    if rows == 0 {
        return;
    }
    let texts: u64 = by_symbol.values().map(|(_, texts)| texts).sum();
    let most = by_symbol.iter().max_by_key(|(_, (rows, _))| *rows).map_or("", |(symbol, _)| symbol);
    findings.add(
        "repeated-text",
        "",
        vec![Found {
            level: AlertLevel::Note,
            event_at: None,
            rows,
            value: Some(rows as f64 / news.len() as f64),
            threshold: None,
            message: format!("{texts} texts come {rows} more times for the same symbol, most for {most}; count each once where news are counted"),
        }],
    );
}

#[cfg(test)]
mod tests {
    use super::super::QualityConfig;
    use super::*;
    use artifacts::Timestamp;
    use artifacts::rows::QualityFinding;

    fn run(check: impl Fn(&mut Findings<'_>)) -> Vec<QualityFinding> {
        let config = QualityConfig::default();
        let mut findings = Findings::new(&config, "x");
        check(&mut findings);
        findings.rows
    }

    #[test]
    fn a_constant_offset_is_found_and_named_with_its_hours() {
        assert!(run(|f| shifts(&[0, 0, 20, -10], f)).is_empty());
        let eight = run(|f| shifts(&[28_800; 50], f));
        assert_eq!((eight.len(), eight[0].level, eight[0].value), (1, AlertLevel::Warning, Some(8.0)));
        assert!(eight[0].message.contains("8.00 h (08:00) late"), "{}", eight[0].message);
        let summer = run(|f| shifts(&[-18_000, -18_000, -14_400, 0], f));
        assert_eq!(summer.iter().map(|f| (f.value, f.rows)).collect::<Vec<_>>(), [(Some(-5.0), 2), (Some(-4.0), 1)]);
    }

    #[test]
    fn one_name_in_two_spellings_is_found_with_both() {
        let of = |pairs: &[(&str, u64)]| pairs.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect::<BTreeMap<_, _>>();
        assert!(run(|f| labels("mood", &of(&[("FEAR", 3), ("PANIC", 2)]), f)).is_empty());
        let found = run(|f| labels("mood", &of(&[("PANIC", 157), ("Panic", 1), ("FEAR", 3)]), f));
        assert_eq!((found.len(), found[0].rows), (1, 1));
        assert!(found[0].message.contains("`PANIC` 157 times, `Panic` 1 times"));
    }

    #[test]
    fn a_text_under_two_ids_is_found_once_per_symbol() {
        let item = |id: &str, symbol: &str, text: &str| News {
            id: id.into(),
            symbol: symbol.into(),
            event_at: Timestamp::default(),
            available_at: Timestamp::default(),
            text: text.into(),
            source: "x".into(),
        };
        let different = [item("1", "A", "up"), item("2", "B", "up"), item("3", "A", "down")];
        assert!(run(|f| repeated_texts(&different, f)).is_empty());
        let same = [item("1", "A", "up"), item("2", "A", "up"), item("3", "A", "up")];
        assert_eq!(run(|f| repeated_texts(&same, f))[0].rows, 2);
    }
}
