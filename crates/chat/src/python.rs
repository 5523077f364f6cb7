//! What published chat templates expect of Python: its strip, its JSON, its spelling of numbers, its strftime.

use crate::Error;
use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveTime};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, StringInput, ValueKind};
use minijinja::{Environment, ErrorKind, Output, State, Value, escape_formatter};
use std::fmt::Write;

type Result<T> = std::result::Result<T, minijinja::Error>;

/// Python's `str.isspace` for one character: White_Space, and the four separators U+001C to U+001F besides.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `str.strip()`: NBSP and U+3000 go, U+200B stays.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Makes an environment behave as Jinja2 does in the reference library.
pub(crate) fn install(env: &mut Environment<'static>, date: NaiveDate) -> Result<()> {
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    env.set_fuel(Some(20_000_000));
    env.set_unknown_method_callback(method);
    env.set_formatter(print);
    env.add_filter("trim", trim);
    env.add_filter("tojson", to_json);
    env.add_function("raise_exception", |message: String| -> Result<Value> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
    });
    env.add_function("strftime_now", move |format: String| strftime(date, &format));
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of a filter")]
fn trim(value: StringInput<'_>, characters: Option<String>) -> Value {
    let text = value.as_str();
    Value::from(match characters {
        Some(set) => text.trim_matches(|c| set.contains(c)),
        None => strip(text),
    })
}

fn method(state: &mut State, value: &Value, name: &str, arguments: &[Value]) -> Result<Value> {
    let no_set = arguments.is_empty() || (arguments.len() == 1 && arguments.iter().all(Value::is_none));
    match (value.as_str(), name) {
        (Some(text), "strip") if no_set => Ok(Value::from(strip(text))),
        (Some(text), "lstrip") if no_set => Ok(Value::from(text.trim_start_matches(is_space))),
        (Some(text), "rstrip") if no_set => Ok(Value::from(text.trim_end_matches(is_space))),
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<()> {
    match value.kind() {
        ValueKind::None => escape_formatter(out, state, &Value::from("None")),
        ValueKind::Bool => escape_formatter(out, state, &Value::from(if value.is_true() { "True" } else { "False" })),
        _ => escape_formatter(out, state, value),
    }
}

fn strftime(date: NaiveDate, format: &str) -> Result<String> {
    let items: Vec<_> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, format!("strftime_now: bad format `{format}`")));
    }
    let mut text = String::new();
    write!(text, "{}", date.and_time(NaiveTime::MIN).format_with_items(items.iter()))
        .map_err(|_| minijinja::Error::new(ErrorKind::InvalidOperation, "strftime_now: the format asks for a zone"))?;
    Ok(text)
}

/// Reads `26 Jul 2024` or `2024-07-26`.
pub(crate) fn date(value: &str) -> std::result::Result<NaiveDate, Error> {
    NaiveDate::parse_from_str(value, "%d %b %Y")
        .or_else(|_| NaiveDate::parse_from_str(value, "%Y-%m-%d"))
        .map_err(|_| Error::Date { value: value.to_owned() })
}

/// `json.dumps(value, ensure_ascii=False, indent=indent)`.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a filter")]
fn to_json(value: &Value, indent: Option<usize>, keywords: Kwargs) -> Result<Value> {
    let indent = match indent {
        Some(n) => Some(n),
        None => keywords.get::<Option<usize>>("indent")?,
    };
    for ignored in ["ensure_ascii", "sort_keys", "separators"] {
        keywords.get::<Option<Value>>(ignored)?;
    }
    keywords.assert_all_used()?;
    let mut out = String::new();
    write_json(&mut out, value, indent, 0)?;
    Ok(Value::from(out))
}

fn write_json(out: &mut String, value: &Value, indent: Option<usize>, depth: usize) -> Result<()> {
    let line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    let comma = if indent.is_some() { "," } else { ", " };
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => out.push_str(&float(f64::try_from(value.clone())?)),
        ValueKind::String => out.push_str(&quoted(value.as_str().unwrap_or_default())),
        kind @ (ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) => {
            let map = kind == ValueKind::Map;
            let items: Vec<Value> = value.try_iter()?.collect();
            out.push(if map { '{' } else { '[' });
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(comma);
                }
                line(out, depth + 1);
                if map {
                    out.push_str(&quoted(item.as_str().unwrap_or(&item.to_string())));
                    out.push_str(": ");
                    write_json(out, &value.get_item(item)?, indent, depth + 1)?;
                } else {
                    write_json(out, item, indent, depth + 1)?;
                }
            }
            if !items.is_empty() {
                line(out, depth);
            }
            out.push(if map { '}' } else { ']' });
        }
        other => {
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, format!("tojson: {other} is not JSON")));
        }
    }
    Ok(())
}

/// A JSON string; both languages escape the same characters when non-ASCII stays.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Python's `repr` of a float: the shortest digits, an exponent below 1e-4 and from 1e16 on, two digits in it at least.
fn float(x: f64) -> String {
    if !x.is_finite() {
        let sign = if x < 0.0 { "-" } else { "" };
        return if x.is_nan() { "NaN".into() } else { format!("{sign}Infinity") };
    }
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, number) = exponent.strip_prefix('-').map_or(("+", exponent), |n| ("-", n));
    format!("{digits}e{sign}{number:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> String {
        let mut env = Environment::new();
        install(&mut env, date("26 Jul 2024").unwrap()).unwrap();
        env.render_str(source, ()).unwrap()
    }

    #[test]
    fn strip_takes_what_python_takes_and_no_more() {
        let edges = "\u{a0}\u{3000}\u{1c}\u{1f}\u{85}\u{2028}\t\n ";
        assert_eq!(strip(&format!("{edges}a b{edges}")), "a b");
        assert_eq!(strip("\u{200b}a\u{feff}"), "\u{200b}a\u{feff}");
    }

    #[test]
    fn json_is_spelt_as_python_spells_it() {
        assert_eq!(
            render(r#"{{ {"b": [1, 2.0, none, true], "a": {"é": "x\n\"<"}} | tojson }}"#),
            r#"{"b": [1, 2.0, null, true], "a": {"é": "x\n\"<"}}"#
        );
        assert_eq!(
            render(r#"{{ {"a": [1], "b": []} | tojson(indent=2) }}"#),
            "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}"
        );
        assert_eq!([1e-5, 1e16, 0.1, 1e15].map(float), ["1e-05", "1e+16", "0.1", "1000000000000000.0"]);
    }

    #[test]
    fn the_pinned_date_is_what_now_means() {
        assert_eq!(render("{{ strftime_now('%d %b %Y') }}"), "26 Jul 2024");
        assert_eq!(date("2024-07-26").unwrap(), date("26 Jul 2024").unwrap());
        assert!(date("tomorrow").unwrap_err().to_string().contains("tomorrow"));
    }

    #[test]
    fn none_and_booleans_print_as_in_python() {
        assert_eq!(render("{{ none }} {{ true }} {{ ' x\u{1c}'.strip() }}|{{ 'xay'.strip('xy') }}"), "None True x|a");
    }
}
