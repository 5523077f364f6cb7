use crate::{Error, Message, python};
use minijinja::{Environment, Value, context};

const NAME: &str = "chat";

/// The built-in template of models that bring none: each turn is `### role`, a line break, the text and the end token.
/// Every turn ends in a special token, which no tokenizer merges with anything; the prompt ends in a line break, which
/// the usual pre-tokenizers keep apart from letters (the preflight checks that for every row).
const PLAIN: &str = "\
{{- bos_token }}
{%- for message in messages %}
{{- '### ' + message['role'] + '\\n' + message['content'] | trim + eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '### assistant\\n' }}
{%- endif %}";

/// A chat template and the date it is rendered with.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    env: Environment<'static>,
    date: String,
    special: Vec<(String, String)>,
}

impl ChatTemplate {
    /// Compiles a template. `date` is what the template takes for today; `special` are the variables such as
    /// `bos_token` and what they stand for.
    ///
    /// The environment is that of the reference library: `trim_blocks`, `lstrip_blocks`, one line break at the end of
    /// the template dropped, Python's string methods, `tojson` without ASCII escapes, `break` and `continue`.
    ///
    /// # Errors
    /// The template does not parse (with line number); the date is none.
    pub fn new(source: &str, date: &str, special: &[(String, String)]) -> Result<Self, Error> {
        let mut env = Environment::new();
        python::install(&mut env, python::date(date)?)
            .and_then(|()| env.add_template_owned(NAME, without_generation_tags(source)))
            .map_err(|e| Error::Template { message: describe(&e) })?;
        Ok(Self { env, date: date.to_owned(), special: special.to_vec() })
    }

    /// The built-in template, for models that bring none.
    ///
    /// # Errors
    /// The date is none.
    pub fn plain(date: &str, special: &[(String, String)]) -> Result<Self, Error> {
        Self::new(PLAIN, date, special)
    }

    /// The conversation as text, special tokens spelt out; with the header of the assistant's turn at the end if asked.
    ///
    /// # Errors
    /// The template refuses the conversation (`raise_exception`) or fails.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String, Error> {
        let turns: Vec<Value> = messages.iter().map(|m| context! { role => &m.role, content => &m.content }).collect();
        let special: Value = self
            .special
            .iter()
            .map(|(name, token)| (name.clone(), Value::from(token)))
            .collect::<std::collections::BTreeMap<String, Value>>()
            .into();
        let values = context! {
            messages => turns,
            tools => (),
            documents => (),
            add_generation_prompt,
            date_string => &self.date,
            ..special
        };
        let template = self.env.get_template(NAME).map_err(|e| Error::Template { message: describe(&e) })?;
        template.render(values).map_err(|e| Error::Template { message: describe(&e) })
    }
}

fn describe(error: &minijinja::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `{% generation %}` marks the assistant's part for the reference library's own mask; it prints nothing. Here it
/// becomes an `if` that always holds.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(length) = rest[start..].find("%}") else { break };
        let inside = &rest[start + 2..start + length];
        out.push_str(&rest[..start + 2]);
        match inside.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+') {
            "generation" => out.push_str(&inside.replace("generation", " if true ")),
            "endgeneration" => out.push_str(&inside.replace("endgeneration", " endif ")),
            _ => out.push_str(inside),
        }
        rest = &rest[start + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special() -> Vec<(String, String)> {
        vec![("bos_token".into(), "<s>".into()), ("eos_token".into(), "</s>".into())]
    }

    #[test]
    fn the_plain_template_ends_every_turn_and_opens_the_answer() {
        let template = ChatTemplate::plain("26 Jul 2024", &special()).unwrap();
        let turns = [Message::user(" up? \n"), Message::assistant("positive")];
        assert_eq!(template.render(&turns[..1], true).unwrap(), "<s>### user\nup?</s>### assistant\n");
        assert_eq!(template.render(&turns, false).unwrap(), "<s>### user\nup?</s>### assistant\npositive</s>");
    }

    #[test]
    fn blocks_are_trimmed_and_one_final_line_break_is_dropped() {
        let source = "{% for m in messages %}\n  {% if true %}\n{{ m.content }}\n  {% endif %}\n{% endfor %}\n.\n\n";
        let template = ChatTemplate::new(source, "26 Jul 2024", &[]).unwrap();
        assert_eq!(template.render(&[Message::user("a"), Message::user("b")], false).unwrap(), "a\nb\n.\n");
    }

    #[test]
    fn a_template_that_refuses_says_why() {
        let template = ChatTemplate::new("{{ raise_exception('roles must alternate') }}", "26 Jul 2024", &[]).unwrap();
        let error = template.render(&[], false).unwrap_err().to_string();
        assert!(error.contains("roles must alternate"), "{error}");
    }

    #[test]
    fn a_broken_template_is_refused_when_loaded() {
        let error = ChatTemplate::new("{% if %}", "26 Jul 2024", &[]).unwrap_err().to_string();
        assert!(error.starts_with("chat template: "), "{error}");
    }

    #[test]
    fn generation_marks_print_nothing() {
        let source = "{% for m in messages %}{%- generation -%} {{ m.content }} {%- endgeneration %}{% endfor %}";
        let template = ChatTemplate::new(source, "26 Jul 2024", &[]).unwrap();
        assert_eq!(template.render(&[Message::assistant("a")], false).unwrap(), "a");
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        let template = ChatTemplate::new(source, "26 Jul 2024", &[]).unwrap();
        assert!(template.render(&[], false).is_err());
    }
}
