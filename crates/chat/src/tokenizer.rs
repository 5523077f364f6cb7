use crate::files::{Files, NAMES};
use crate::visible::{is_byte_level, visible};
use crate::{ChatTemplate, Error, Message};
use std::path::{Path, PathBuf};
use tokenizers::Tokenizer;

/// A model's tokenizer together with its chat template.
#[derive(Debug, Clone)]
pub struct ChatTokenizer {
    tokenizer: Tokenizer,
    template: ChatTemplate,
    own_template: bool,
    byte_level: bool,
    bos: Option<(String, u32)>,
    eos: Option<u32>,
    end_ids: Vec<u32>,
    added: Vec<(u32, String)>,
    context: Option<usize>,
}

impl ChatTokenizer {
    /// Reads tokenizer.json and, where present, the template and the special tokens beside it. `date` is what
    /// templates take for today, such as `26 Jul 2024`.
    ///
    /// A model without a template gets the built-in one, with a warning.
    ///
    /// # Errors
    /// A file is missing or malformed; the files contradict each other; nothing says which token ends a turn.
    pub fn load(folder: &Path, date: &str) -> Result<Self, Error> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let bad = |message: String| Error::Tokenizer { path: path.clone(), message };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| bad(e.to_string()))?;
        // A tokenizer.json may carry the settings of whoever saved it; rows must be neither cut nor filled up.
        tokenizer.with_truncation(None).map_err(|e| bad(e.to_string()))?;
        tokenizer.with_padding(None);

        let files = Files::read(folder)?;
        let special = files.special();
        let id_of = |name: &'static str| {
            let Some((_, token)) = special.iter().find(|(n, _)| n == name) else { return Ok(None) };
            let id = tokenizer.token_to_id(token).ok_or_else(|| Error::UnknownSpecial {
                path: folder.join("tokenizer_config.json"),
                name,
                token: token.clone(),
            })?;
            Ok(Some((token.clone(), id)))
        };
        let bos = id_of("bos_token")?;
        let mut end_ids = files.end_ids();
        let eos = id_of("eos_token")?.map(|(_, id)| id);
        end_ids.extend(eos);
        end_ids.sort_unstable();
        end_ids.dedup();
        if end_ids.is_empty() {
            return Err(Error::NoEnd { folder: folder.to_owned() });
        }

        let source = files.template()?;
        let template = if let Some(source) = &source {
            ChatTemplate::new(source, date, &special)?
        } else {
            tracing::warn!("{}: the model brings no chat template; using the plain one", folder.display());
            let mut special = special.clone();
            if !special.iter().any(|(name, _)| name == "eos_token") {
                let end = end_ids.first().and_then(|id| tokenizer.id_to_token(*id));
                special.push(("eos_token".into(), end.ok_or_else(|| Error::NoEnd { folder: folder.to_owned() })?));
            }
            ChatTemplate::plain(date, &special)?
        };
        let mut added: Vec<(u32, String)> =
            tokenizer.get_added_tokens_decoder().into_iter().map(|(id, token)| (id, token.content)).collect();
        added.sort();
        let byte_level = is_byte_level(tokenizer.get_decoder());
        let context = files.context();
        Ok(Self { tokenizer, template, own_template: source.is_some(), byte_level, bos, eos, end_ids, added, context })
    }

    /// The files of a folder that [`ChatTokenizer::load`] reads: the inputs of whoever uses it.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        NAMES.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
    }

    /// Whether the template is the model's own (and not the built-in one).
    pub fn has_own_template(&self) -> bool {
        self.own_template
    }

    /// How many positions the model has, where the config.json beside the tokenizer says so.
    pub fn context(&self) -> Option<usize> {
        self.context
    }

    /// The conversation as text. Control tokens inside messages become control tokens, as in the reference library:
    /// refuse untrusted text first ([`ChatTokenizer::smuggled`]) or use [`ChatTokenizer::prompt`].
    ///
    /// # Errors
    /// The template refuses the conversation or fails.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String, Error> {
        self.template.render(messages, add_generation_prompt)
    }

    /// The tokens of a text. No special token is added: the template has written them.
    ///
    /// # Errors
    /// The tokenizer cannot represent the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|e| Error::Encode { message: e.to_string() })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some tokens, special tokens included.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer.decode(ids, false).map_err(|e| Error::Encode { message: e.to_string() })
    }

    /// The text of a generated answer: up to the first token that ends the turn. Other special tokens stay visible,
    /// so that a strict parser refuses them.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn decode_answer(&self, ids: &[u32]) -> Result<String, Error> {
        self.decode(ids.split(|id| self.is_end(*id)).next().unwrap_or_default())
    }

    /// Each token so that it can be read: a space is `·`, a line break `↵`, a part of a character `<0xE1>`.
    pub fn tokens(&self, ids: &[u32]) -> Vec<String> {
        ids.iter()
            .map(|id| match self.tokenizer.id_to_token(*id) {
                Some(token) if self.is_added(*id) => token,
                Some(token) => visible(&token, self.byte_level),
                None => format!("<unknown id {id}>"),
            })
            .collect()
    }

    /// The ids that end a turn, ascending: eos_token, and eos_token_id of the generation settings.
    pub fn end_ids(&self) -> &[u32] {
        &self.end_ids
    }

    /// Whether this id ends a turn.
    pub fn is_end(&self, id: u32) -> bool {
        self.end_ids.binary_search(&id).is_ok()
    }

    /// Whether this id stands outside the learned vocabulary (a control token).
    pub fn is_added(&self, id: u32) -> bool {
        self.added.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }

    /// Begin-of-text: its spelling and id, where the model has one.
    pub fn bos(&self) -> Option<(&str, u32)> {
        self.bos.as_ref().map(|(token, id)| (token.as_str(), *id))
    }

    /// The id of eos_token, where the model has one; [`ChatTokenizer::end_ids`] has it and more.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// How many ids there are, added tokens included.
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The first control token spelt out inside a text. Added tokens of white space only (some tokenizers have one
    /// for each run of spaces) are harmless.
    pub fn smuggled(&self, text: &str) -> Option<&str> {
        self.added.iter().map(|(_, token)| token.as_str()).find(|t| !t.trim().is_empty() && text.contains(t))
    }
}
