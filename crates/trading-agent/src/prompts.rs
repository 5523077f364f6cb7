//! The prompts: files with a name and a version, embedded into the program.
//!
//! What a trace calls a prompt's version is its name, the version in its head, and the beginning of the hash of everything
//! it is rendered from: an edit shows even where its author forgot to raise the version.

use crate::Error;
use minijinja::{Environment, context};
use std::collections::BTreeMap;

const FILES: [(&str, &str); 9] = [
    ("answer", include_str!("../prompts/answer.md.jinja")),
    ("bear", include_str!("../prompts/bear.md.jinja")),
    ("bull", include_str!("../prompts/bull.md.jinja")),
    ("market-analyst", include_str!("../prompts/market-analyst.md.jinja")),
    ("news-analyst", include_str!("../prompts/news-analyst.md.jinja")),
    ("sentiment-analyst", include_str!("../prompts/sentiment-analyst.md.jinja")),
    ("supervisor", include_str!("../prompts/supervisor.md.jinja")),
    ("technical-analyst", include_str!("../prompts/technical-analyst.md.jinja")),
    ("trader", include_str!("../prompts/trader.md.jinja")),
];

/// What a prompt is rendered with.
#[derive(Debug, Clone, Default)]
pub struct Slots<'a> {
    /// The instrument.
    pub symbol: &'a str,
    /// The moment, in words.
    pub t: &'a str,
    /// The facts, one a line.
    pub facts: &'a str,
    /// What was wrong with the last answer; empty at the first try.
    pub repair: &'a str,
    /// What the critic objects to; empty where nothing.
    pub objections: &'a str,
}

/// All prompts, parsed.
#[derive(Debug)]
pub struct Prompts {
    environment: Environment<'static>,
    versions: BTreeMap<&'static str, String>,
}

/// The head of a prompt file (`name`, `version`) and its body.
fn split(file: &'static str, text: &'static str) -> Result<(u32, &'static str), Error> {
    let bad = |message: String| Error::Prompt { name: file.to_owned(), message };
    let rest = text.strip_prefix("---\n").ok_or_else(|| bad("it does not begin with a line of ---".into()))?;
    let (head, body) = rest.split_once("\n---\n").ok_or_else(|| bad("its head does not end with ---".into()))?;
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name));
        line.map(|(_, value)| value).ok_or_else(|| bad(format!("its head has no {name}")))
    };
    if field("name")? != file {
        return Err(bad(format!("its head calls it {}", field("name")?)));
    }
    let version = field("version")?;
    let version = version.parse().map_err(|_| bad(format!("version {version:?} is no whole number")))?;
    Ok((version, body.trim_end()))
}

impl Prompts {
    /// Parses the embedded files.
    ///
    /// # Errors
    /// A file without its head or with a template that cannot be read.
    pub fn load() -> Result<Self, Error> {
        let mut environment = Environment::new();
        let mut versions = BTreeMap::new();
        let (_, shared) = split("answer", FILES[0].1)?;
        for (name, text) in FILES {
            let (version, body) = split(name, text)?;
            environment.add_template(name, body).map_err(|e| bad(name, &e))?;
            let whole = if body.contains("include \"answer\"") { format!("{body}\0{shared}") } else { body.to_owned() };
            let hash = blake3::hash(whole.as_bytes()).to_hex();
            versions.insert(name, format!("{name} v{version} {}", hash.get(..8).unwrap_or_default()));
        }
        Ok(Self { environment, versions })
    }

    /// What traces call this prompt.
    pub fn version(&self, name: &str) -> &str {
        self.versions.get(name).map_or("", String::as_str)
    }

    /// Every prompt's version, in order of their names.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.versions.values().map(String::as_str)
    }

    /// The prompt in words.
    ///
    /// # Errors
    /// There is no such prompt.
    pub fn render(&self, name: &str, slots: &Slots<'_>) -> Result<String, Error> {
        let template = self.environment.get_template(name).map_err(|e| bad(name, &e))?;
        let Slots { symbol, t, facts, repair, objections } = *slots;
        template.render(context! { symbol, t, facts, repair, objections }).map_err(|e| bad(name, &e))
    }
}

fn bad(name: &str, error: &minijinja::Error) -> Error {
    Error::Prompt { name: name.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_renders_and_its_version_names_its_content() {
        let prompts = Prompts::load().unwrap();
        for (name, _) in FILES {
            let slots = Slots { symbol: "BTC", t: "2025-02-24 05:10", facts: "[F1] It is so.", ..Slots::default() };
            let text = prompts.render(name, &slots).unwrap();
            assert!(name == "answer" || text.contains("BTC") && text.contains("[F1] It is so."), "{text}");
            assert!(!text.contains("could not be used"));
            assert!(prompts.version(name).starts_with(&format!("{name} v")));
        }
        let repair = Slots { repair: "score is 4", ..Slots::default() };
        assert!(prompts.render("bull", &repair).unwrap().ends_with("Your last answer could not be used: score is 4."));
    }

    #[test]
    fn facts_are_no_template() {
        let prompts = Prompts::load().unwrap();
        let slots = Slots { facts: "{{ symbol }} {% include \"answer\" %} <b>", ..Slots::default() };
        assert!(prompts.render("news-analyst", &slots).unwrap().contains("{{ symbol }} {% include \"answer\" %} <b>"));
    }

    #[test]
    fn a_file_without_a_head_says_what_is_missing() {
        let error = split("bull", "---\nname: bull\n---\nBuy.").unwrap_err().to_string();
        assert!(error.contains("bull") && error.contains("no version"), "{error}");
    }
}
