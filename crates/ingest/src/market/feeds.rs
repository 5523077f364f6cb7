use super::config::FeedSource;
use super::exchange::{Http, file_name, fingerprint};
use super::html::text_of;
use super::news::Feed;
use crate::Error;
use crate::error::unreadable;
use artifacts::{Seed, Timestamp, write_bytes};
use feed_rs::model::Entry;
use std::path::{Path, PathBuf};

/// Whether a feed is fetched.
pub(super) fn is_remote(source: &FeedSource) -> bool {
    source.path.starts_with("http://") || source.path.starts_with("https://")
}

/// The file that keeps a fetched feed; asks the server only where there is none. To ask again, delete the file.
pub(super) fn fetch(source: &FeedSource, folder: &Path) -> Result<PathBuf, Error> {
    let path = folder.join("cache").join(format!("{}-{}.xml", file_name(&source.name), fingerprint(&source.path)));
    if !path.is_file() {
        let read = |fetched: &super::exchange::Fetched| parse(&fetched.bytes).map(|_| fetched.bytes.clone());
        let (bytes, _) = Http::new(source.patience)?.get(&source.path, &read)?;
        write_bytes(&path, &bytes)?;
    }
    Ok(path)
}

fn parse(bytes: &[u8]) -> Result<feed_rs::model::Feed, String> {
    let parser = feed_rs::parser::Builder::new()
        // The library's own falls back to a random one.
        .id_generator(|links, title, _| {
            let link = links.first().map_or("", |l| l.href.as_str());
            let title = title.as_ref().map_or("", |t| t.content.as_str());
            format!("{:016x}", Seed(0).derive(&format!("{link} {title}")).0)
        })
        .build();
    parser.parse(bytes).map_err(|e| e.to_string())
}

/// Reads one feed; items that cannot be used are refused with their reason.
pub(super) fn read(source: &FeedSource, path: &Path, into: &mut Feed) -> Result<(), Error> {
    let remedy = "give an RSS, Atom or JSON feed";
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, &e, remedy))?;
    let feed = parse(&bytes).map_err(|e| unreadable(path, &e, remedy))?;
    if feed.entries.is_empty() {
        return Err(Error::Empty { path: path.to_owned(), name: source.name.clone() });
    }
    for (row, entry) in feed.entries.iter().enumerate() {
        into.read += 1;
        let text = text(entry);
        if let Err((reason, detail)) = add(source, entry, &text, into) {
            into.refuse(&source.name, row as u64, &text, reason, &detail);
        }
    }
    Ok(())
}

/// Title, summary and content; a part that another holds is left out.
fn text(entry: &Entry) -> String {
    let parts = [
        entry.title.as_ref().map(|t| t.content.as_str()),
        entry.summary.as_ref().map(|t| t.content.as_str()),
        entry.content.as_ref().and_then(|c| c.body.as_deref()),
    ];
    super::news::join(parts.into_iter().flatten().map(text_of))
}

fn add(source: &FeedSource, entry: &Entry, text: &str, into: &mut Feed) -> Result<(), (&'static str, String)> {
    if text.is_empty() {
        return Err(("empty-text", "neither title, summary nor content has text".into()));
    }
    let published = entry.published.map(|t| Timestamp::from_micros(t.timestamp_micros()));
    let updated = entry.updated.map(|t| Timestamp::from_micros(t.timestamp_micros()));
    let Some(event_at) = published.or(updated) else {
        return Err(("no-time", "it says nowhere when it was published".into()));
    };
    let read_from = updated.map_or(event_at, |u| u.max(event_at));
    let available_at = read_from.plus_seconds(source.news_delay_seconds.max(0));
    let symbols: Vec<String> = match &source.symbol {
        Some(symbol) => vec![symbol.clone()],
        None => source.keywords.iter().filter(|(_, words)| mentions(text, words)).map(|(s, _)| s.clone()).collect(),
    };
    if symbols.is_empty() {
        return Err(("no-symbol", "none of the keywords is in it".into()));
    }
    let many = source.symbol.is_none();
    into.push(&entry.id, symbols, many, event_at, available_at, text, &source.name)
}

/// Whether one of the words (or word sequences) is in the text, as a whole and in any case.
fn mentions(text: &str, words: &[String]) -> bool {
    let spaced = |t: &str| {
        let kept: String = t.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        format!(" {} ", kept.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let text = spaced(text);
    words.iter().any(|w| w.chars().any(char::is_alphanumeric) && text.contains(&spaced(w)))
}
