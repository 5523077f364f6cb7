//! Instructions for tasks besides sentiment, by task, language and name. A name carries its version: a wording never changes
//! under a name, so that rows formatted months apart compare.
//!
//! Train on one and evaluate on another: a model that has learned the task answers both, one that has learned a string
//! answers one. (The wordings of the sentiment task are in [`crate::prompts`].)

use crate::Message;

/// One wording of one task in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Its name and version, such as `direct-v1`.
    pub name: &'static str,
    /// The task: `classification`, `extraction`, `question-answering`, `summarisation`.
    pub task: &'static str,
    /// The language (ISO 639-1).
    pub language: &'static str,
    /// What the user says, with `{input}` and, where the task has one, `{question}`.
    pub wording: &'static str,
}

const fn template(name: &'static str, task: &'static str, language: &'static str, wording: &'static str) -> Template {
    Template { name, task, language, wording }
}

/// All of them.
pub const TEMPLATES: [Template; 24] = [
    template("direct-v1", "classification", "en", "Classify this text.\n{input}"),
    template("direct-v1", "classification", "vi", "Phân loại văn bản này.\n{input}"),
    template("paraphrase-v1", "classification", "en", "Which category does the following text belong to?\n{input}"),
    template("paraphrase-v1", "classification", "vi", "Văn bản sau thuộc loại nào?\n{input}"),
    template("after-v1", "classification", "en", "{input}\n\nName the class of the text above."),
    template("after-v1", "classification", "vi", "{input}\n\nCho biết loại của văn bản trên."),
    template("direct-v1", "extraction", "en", "List the entities in this text.\n{input}"),
    template("direct-v1", "extraction", "vi", "Liệt kê các thực thể trong văn bản này.\n{input}"),
    template("paraphrase-v1", "extraction", "en", "Which people, companies and places does the text name?\n{input}"),
    template("paraphrase-v1", "extraction", "vi", "Văn bản nhắc đến những người, công ty và địa điểm nào?\n{input}"),
    template("after-v1", "extraction", "en", "{input}\n\nExtract every entity from the text above."),
    template("after-v1", "extraction", "vi", "{input}\n\nTrích xuất mọi thực thể trong văn bản trên."),
    template("direct-v1", "question-answering", "en", "Answer from the text.\nText: {input}\nQuestion: {question}"),
    template("direct-v1", "question-answering", "vi", "Trả lời theo văn bản.\nVăn bản: {input}\nCâu hỏi: {question}"),
    template("paraphrase-v1", "question-answering", "en", "{question}\nThe answer stands in this passage:\n{input}"),
    template("paraphrase-v1", "question-answering", "vi", "{question}\nCâu trả lời nằm trong đoạn này:\n{input}"),
    template("after-v1", "question-answering", "en", "{input}\n\nGiven the text above: {question}"),
    template("after-v1", "question-answering", "vi", "{input}\n\nDựa vào văn bản trên: {question}"),
    template("direct-v1", "summarisation", "en", "Summarise this text.\n{input}"),
    template("direct-v1", "summarisation", "vi", "Tóm tắt văn bản này.\n{input}"),
    template("paraphrase-v1", "summarisation", "en", "What does the following say, in brief?\n{input}"),
    template("paraphrase-v1", "summarisation", "vi", "Nói ngắn gọn, đoạn sau viết gì?\n{input}"),
    template("after-v1", "summarisation", "en", "{input}\n\nGive a short summary of the text above."),
    template("after-v1", "summarisation", "vi", "{input}\n\nHãy viết một bản tóm tắt ngắn của văn bản trên."),
];

impl Template {
    /// The wording of a task in a language under a name.
    ///
    /// ```
    /// use chat::templates::Template;
    /// let template = Template::find("summarisation", "en", "direct-v1").unwrap();
    /// assert_eq!(template.messages("Oil fell.", None)[0].content, "Summarise this text.\nOil fell.");
    /// ```
    pub fn find(task: &str, language: &str, name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|t| (t.task, t.language, t.name) == (task, language, name))
    }

    /// The names there are, for messages.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<&str> = TEMPLATES.iter().map(|t| t.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The conversation that sets the task.
    pub fn messages(&self, input: &str, question: Option<&str>) -> Vec<Message> {
        messages(self.wording, input, question)
    }
}

/// The conversation that sets a task in any wording, with `{input}` and `{question}` filled in. Whatever stands in braces inside
/// these two is text like any other.
pub fn messages(wording: &str, input: &str, question: Option<&str>) -> Vec<Message> {
    let mut content = String::with_capacity(wording.len() + input.len());
    let mut rest = wording;
    while let Some(at) = rest.find('{') {
        content.push_str(&rest[..at]);
        rest = &rest[at..];
        let slot = [("{input}", input), ("{question}", question.unwrap_or_default())];
        let filled = slot.into_iter().find_map(|(name, text)| Some((text, rest.strip_prefix(name)?)));
        let (text, after) = filled.unwrap_or(("{", &rest[1..]));
        content.push_str(text);
        rest = after;
    }
    content.push_str(rest);
    vec![Message::user(&content)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_task_has_every_wording_in_both_languages_and_no_two_are_equal() {
        let tasks: BTreeSet<&str> = TEMPLATES.iter().map(|t| t.task).collect();
        for task in tasks {
            for name in Template::names() {
                for language in ["en", "vi"] {
                    assert!(Template::find(task, language, name).is_some(), "{task} {language} {name}");
                }
            }
        }
        let wordings: BTreeSet<&str> = TEMPLATES.iter().map(|t| t.wording).collect();
        assert_eq!(wordings.len(), TEMPLATES.len());
    }

    #[test]
    fn a_wording_asks_for_what_its_task_has() {
        for t in TEMPLATES {
            assert_eq!(t.wording.matches("{input}").count(), 1, "{t:?}");
            assert_eq!(t.wording.contains("{question}"), t.task == "question-answering", "{t:?}");
        }
    }

    #[test]
    fn braces_in_a_text_are_text() {
        let t = Template::find("question-answering", "en", "paraphrase-v1").unwrap();
        let content = &t.messages("{question} {x", Some("{input}?"))[0].content;
        assert_eq!(content, "{input}?\nThe answer stands in this passage:\n{question} {x");
    }
}
