//! The doctor: looks at every row before the first step, because what is wrong with rows spoils a training unnoticed.

use crate::{Error, Lesson};
use chat::ChatTokenizer;
use lm::Config;
use std::fmt::Write;
use std::path::Path;

/// What rows are held against: the model, and its tokenizer where it lies beside the model.
#[derive(Debug, Clone, Copy)]
pub struct Preflight<'a> {
    /// The model.
    pub config: &'a Config,
    /// Its tokenizer, to know special tokens better and to show rows as text.
    pub tokenizer: Option<&'a ChatTokenizer>,
}

/// How wide the lines of tokens may grow, in characters.
const WIDTH: usize = 110;

impl Preflight<'_> {
    /// Refuses the first row that cannot be trained on as it is.
    ///
    /// # Errors
    /// No rows; tokens that the model does not know; more tokens than it has positions; more or fewer than one
    /// begin-of-text (where the model has one), or not in front; nothing to learn; an answer that is cut, or whose end
    /// token is not learned (where it is known what ends a turn). Each names the row.
    pub fn check(&self, rows: &[Lesson], path: &Path) -> Result<(), Error> {
        for (number, row) in rows.iter().enumerate() {
            if let Some(problem) = self.problem(row) {
                return Err(Error::Preflight { path: path.into(), row: number, id: row.id.clone(), problem });
            }
        }
        if rows.is_empty() {
            let (row, id, problem) = (0, "none".into(), "does not exist: there is nothing to train on".into());
            return Err(Error::Preflight { path: path.into(), row, id, problem });
        }
        Ok(())
    }

    fn problem(&self, row: &Lesson) -> Option<String> {
        let (vocabulary, context) = (self.config.vocab_size, self.config.max_position_embeddings);
        if let Some(token) = row.ids.iter().find(|&&t| t as usize >= vocabulary) {
            return Some(format!("holds token {token}, but the model knows only {vocabulary}"));
        }
        if row.ids.len() > context {
            return Some(format!("has {} tokens, the model's context is {context}", row.ids.len()));
        }
        if row.ids.len() != row.supervised.len() {
            return Some(format!("has {} tokens but {} supervision flags", row.ids.len(), row.supervised.len()));
        }
        if let Some(bos) = self.bos() {
            let found = row.ids.iter().filter(|id| **id == bos).count();
            let first = row.ids.first() == Some(&bos);
            // Where begin and end of text are one token, it also ends turns: only its place can be checked.
            if !first || (found != 1 && !self.is_end(bos)) {
                let place = if first { "" } else { ", and not in front" };
                return Some(format!(
                    "has {found} begin-of-text tokens ({bos}){place}; it needs exactly one, in front"
                ));
            }
        }
        let Some(last) = row.supervised.iter().rposition(|s| *s) else {
            return Some("has no supervised token: nothing can be learned from it".into());
        };
        if row.supervised.first() == Some(&true) {
            return Some("supervises its first token, which nothing comes before".into());
        }
        let ends = |at: usize| row.ids.get(at).is_some_and(|id| self.is_end(*id));
        if self.knows_ends() && !ends(last) {
            return Some(match row.ids.get(last + 1) {
                Some(id) if ends(last + 1) => {
                    format!(
                        "does not supervise the end token ({id}) of its answer: the model would never learn to stop"
                    )
                }
                _ => "has an answer without an end token: it is cut".into(),
            });
        }
        None
    }

    fn bos(&self) -> Option<u32> {
        match self.tokenizer {
            Some(tokenizer) => tokenizer.bos().map(|(_, id)| id),
            None => self.config.bos_token_id,
        }
    }

    fn is_end(&self, id: u32) -> bool {
        self.config.eos_token_ids.contains(&id) || self.tokenizer.is_some_and(|t| t.is_end(id))
    }

    fn knows_ends(&self) -> bool {
        self.tokenizer.is_some() || !self.config.eos_token_ids.is_empty()
    }

    /// Three rows (the shortest, one of middle length, the longest) token by token; what is learned stands in `[[ ]]`.
    pub fn show(&self, rows: &[Lesson]) -> String {
        let mut order: Vec<&Lesson> = rows.iter().collect();
        order.sort_by_key(|r| r.ids.len());
        let last = order.len().saturating_sub(1);
        let mut places = vec![0, last / 2, last];
        places.dedup();
        let mut out = String::new();
        for row in places.into_iter().filter_map(|at| order.get(at)) {
            let learned = row.supervised.iter().filter(|s| **s).count();
            let _ = write!(out, "row {}: {} tokens, {learned} learned", row.id, row.ids.len());
            let names = self.tokenizer.map_or_else(|| vec![String::new(); row.ids.len()], |t| t.tokens(&row.ids));
            let mut column = WIDTH;
            for ((name, id), learned) in names.iter().zip(&row.ids).zip(&row.supervised) {
                let token = if name.is_empty() { id.to_string() } else { format!("{name}/{id}") };
                let token = if *learned { format!("[[{token}]]") } else { token };
                let width = token.chars().count() + 1;
                column += width;
                let newline = column > WIDTH;
                if newline {
                    column = width;
                }
                out.push_str(if newline { "\n  " } else { " " });
                out.push_str(&token);
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: &[u32], supervised: &[usize]) -> Lesson {
        Lesson {
            id: "r1".into(),
            label: None,
            ids: ids.to_vec(),
            supervised: (0..ids.len()).map(|i| supervised.contains(&i)).collect(),
            prompt_tokens: 1,
        }
    }

    fn check(row: Lesson) -> Result<(), Error> {
        let config = Config {
            bos_token_id: Some(0),
            eos_token_ids: vec![1, 2],
            max_position_embeddings: 8,
            ..Config::small(16, 8, 1)
        };
        Preflight { config: &config, tokenizer: None }.check(&[row], Path::new("rows.parquet"))
    }

    #[test]
    fn a_sound_row_passes_and_each_fault_is_named_with_its_row() {
        check(row(&[0, 5, 6, 7, 1], &[3, 4])).unwrap();
        let cases = [
            (row(&[0, 5, 16, 1], &[3]), "holds token 16, but the model knows only 16"),
            (row(&[0, 5, 5, 5, 5, 5, 5, 5, 1], &[8]), "9 tokens, the model's context is 8"),
            (row(&[5, 6, 7, 1], &[3]), "0 begin-of-text tokens (0), and not in front"),
            (row(&[0, 0, 7, 1], &[3]), "2 begin-of-text tokens (0);"),
            (row(&[0, 5, 7, 1], &[]), "no supervised token"),
            (row(&[0, 5, 7, 1], &[2]), "does not supervise the end token (1)"),
            (row(&[0, 5, 7], &[2]), "it is cut"),
            (row(&[0, 5, 1], &[0, 1, 2]), "its first token"),
        ];
        for (row, expected) in cases {
            let message = check(row).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("row 0 (r1)"), "{message:?} lacks {expected:?}");
        }
    }

    #[test]
    fn three_rows_are_shown_token_by_token_with_what_is_learned() {
        let config = Config::small(16, 8, 1);
        let rows = [row(&[0, 5, 7, 1], &[2, 3]), row(&[0, 1], &[1]), row(&[0, 5, 5, 5, 5, 7, 1], &[6])];
        let shown = Preflight { config: &config, tokenizer: None }.show(&rows);
        assert!(shown.contains("row r1: 2 tokens, 1 learned\n  0 [[1]]\n"), "{shown}");
        assert!(shown.contains("0 5 [[7]] [[1]]"), "{shown}");
    }
}
