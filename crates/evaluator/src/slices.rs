use crate::Config;
use crate::questions::Question;
use artifacts::rows::Language;
use std::collections::BTreeMap;

/// Rows that figures are given for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Its name in `metrics.parquet`.
    pub(crate) name: String,
    /// What it is of, for the report: `all`, `language`, `source`, `length`, `template`.
    pub(crate) kind: &'static str,
    /// Numbers of the rows.
    pub(crate) rows: Vec<usize>,
}

/// All rows, then each language, source, length and template. A kind that has one value only says nothing and is left out, as
/// are slices of fewer rows than the settings ask for and slices that are another one again.
pub(crate) fn slices(questions: &[Question], config: &Config) -> Vec<Slice> {
    let mut slices = vec![Slice { name: "all".into(), kind: "all", rows: (0..questions.len()).collect() }];
    for language in Language::ALL {
        let rows: Vec<usize> =
            questions.iter().enumerate().filter(|(_, q)| q.language == *language).map(|(i, _)| i).collect();
        if !rows.is_empty() {
            slices.push(Slice { name: language.to_string(), kind: "language", rows });
        }
    }
    let mut add = |kind, of: &dyn Fn(&Question) -> (usize, String)| {
        let mut groups: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
        for (row, question) in questions.iter().enumerate() {
            groups.entry(of(question)).or_default().push(row);
        }
        if groups.len() < 2 {
            return;
        }
        for ((_, name), rows) in groups {
            // Where each language has one source or template, its rows have their line already.
            let known = slices.iter().any(|s| s.rows == rows);
            if rows.len() >= config.least_rows && !known {
                slices.push(Slice { name: format!("{kind}:{name}"), kind, rows });
            }
        }
    };
    add("source", &|q| (0, if q.source.is_empty() { "unknown".into() } else { q.source.clone() }));
    add("length", &|q| length(q.text.split_whitespace().count(), &config.length_edges));
    add("template", &|q| (0, format!("{} {}", q.language, q.template())));
    slices
}

/// The slice of a text of so many words.
fn length(words: usize, edges: &[usize]) -> (usize, String) {
    let place = edges.partition_point(|edge| *edge < words);
    let from = place.checked_sub(1).and_then(|before| edges.get(before)).map_or(0, |edge| edge + 1);
    let name = edges.get(place).map_or_else(|| format!("{from}+ words"), |to| format!("{from}-{to} words"));
    (place, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_shorter_slice() {
        let name = |words| length(words, &[10, 25]).1;
        assert_eq!(
            [name(0), name(10), name(11), name(25), name(26)],
            ["0-10 words", "0-10 words", "11-25 words", "11-25 words", "26+ words"]
        );
        assert_eq!(length(7, &[]).1, "0+ words");
    }
}
