use crate::Verifier;
use crate::evidence::Content;
use artifacts::rows::Fact;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// So many facts are remembered; then it begins anew.
const MOST: usize = 4096;

/// Makes verifiers for prompt after prompt and reads each fact once, however many prompts show it.
#[derive(Debug, Default)]
pub struct Reader {
    read: Mutex<HashMap<String, Arc<Content>>>,
}

impl Reader {
    /// A verifier for the facts of one prompt; the same as [`Verifier::new`] makes.
    pub fn verifier<'a>(&self, facts: &'a BTreeMap<String, &'a Fact>) -> Verifier<'a> {
        Verifier::with(facts, |fact| self.read(fact))
    }

    fn read(&self, fact: &Fact) -> Arc<Content> {
        let Fact { kind, name, symbol, text, .. } = fact;
        let key = format!("{kind}\0{name}\0{symbol}\0{text}");
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(&key) {
            return content.clone();
        }
        if read.len() >= MOST {
            read.clear();
        }
        let content = Arc::new(Content::of(fact));
        read.insert(key, content.clone());
        content
    }
}
