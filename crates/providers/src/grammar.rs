use crate::{Error, Form};
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory, token_bytes_from_tokenizer_json};
use lm::{Constraint, FORBIDDEN};
use std::path::Path;
use std::sync::Arc;

/// A model's tokens as bytes, ready to be matched against grammars. Built once a model: it reads the whole vocabulary.
pub(crate) struct Grammars {
    factory: ParserFactory,
}

impl Grammars {
    /// Reads the tokens of `tokenizer.json` in `folder`. `ends` are the tokens that end a turn.
    pub(crate) fn new(folder: &Path, vocabulary: usize, ends: &[u32]) -> Result<Self, String> {
        let bytes = std::fs::read(folder.join("tokenizer.json")).map_err(|e| e.to_string())?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
        let mut tokens = token_bytes_from_tokenizer_json(&json).map_err(|e| e.to_string())?;
        // A model may have more outputs than its tokenizer has tokens: those mean nothing and are never allowed.
        tokens.resize(vocabulary, Vec::new());
        let end = ends.first().copied().ok_or("the tokenizer has no token that ends a text")?;
        let trie = TokTrie::from(&TokRxInfo::new(tokens.len() as u32, end), &tokens).with_eos_tokens(ends);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&environment).map_err(|e| e.to_string())?;
        factory.quiet();
        Ok(Self { factory })
    }

    /// A constraint that follows one answer of the form.
    pub(crate) fn constraint(&self, form: &Form) -> Result<GrammarConstraint, Error> {
        let bad = |message: String| Error::BadGrammar { grammar: format!("{form:?}"), message };
        let grammar = match form {
            Form::Choice(answers) => {
                let quoted: Vec<String> =
                    answers.iter().map(|a| serde_json::Value::from(a.as_str()).to_string()).collect();
                TopLevelGrammar::from_lark(format!("start: {}", quoted.join(" | ")))
            }
            Form::Regex(pattern) => TopLevelGrammar::from_regex(pattern),
            Form::Lark(text) => TopLevelGrammar::from_lark(text.clone()),
            Form::JsonSchema(text) => {
                TopLevelGrammar::from_json_schema(serde_json::from_str(text).map_err(|e| bad(e.to_string()))?)
            }
        };
        let matcher = Matcher::new(self.factory.create_parser(grammar));
        match matcher.get_error() {
            Some(message) => Err(bad(message)),
            None => Ok(GrammarConstraint { matcher }),
        }
    }
}

/// Allows only tokens with which the text can still become one of the grammar; the end, only where it is one.
pub(crate) struct GrammarConstraint {
    matcher: Matcher,
}

impl GrammarConstraint {
    fn fail(error: impl std::fmt::Display) -> lm::Error {
        lm::Error::Constraint { message: error.to_string() }
    }
}

impl Constraint for GrammarConstraint {
    fn restrict(&mut self, logits: &mut [f32]) -> lm::Result<bool> {
        if let Some(error) = self.matcher.get_error() {
            return Err(Self::fail(error));
        }
        if self.matcher.is_stopped() {
            return Ok(false);
        }
        let mask = self.matcher.compute_mask().map_err(Self::fail)?;
        for (id, logit) in logits.iter_mut().enumerate() {
            if id >= mask.len() || !mask.get(id) {
                *logit = FORBIDDEN;
            }
        }
        Ok(true)
    }

    fn accept(&mut self, token: u32) -> lm::Result<()> {
        self.matcher.consume_token(token).map_err(Self::fail)
    }
}
