/// Names of stock exchanges before a ticker: `(NASDAQ: AAPL)`.
const EXCHANGES: [&str; 14] =
    ["NYSE", "NASDAQ", "AMEX", "NYSEARCA", "OTC", "OTCQB", "LSE", "TSX", "TSXV", "ASX", "HOSE", "HNX", "UPCOM", "HEL"];

/// The ticker symbols a text names as such, in capitals, each once, in order: `$AAPL` (but not `$10`) and a symbol after the
/// name of an exchange and a colon (`NYSE: IBM`). Words in capitals alone are no tickers: `CEO`, `EUR`.
///
/// ```
/// assert_eq!(text::tickers("$aapl and $BRK.B up 5 %, $10 m for CEO of (NYSE: IBM)"), ["AAPL", "BRK.B", "IBM"]);
/// ```
pub fn tickers(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |symbol: Option<String>| {
        if let Some(symbol) = symbol.filter(|s| !found.contains(s)) {
            found.push(symbol);
        }
    };
    for (at, sign) in text.match_indices(['$', ':']) {
        let after = &text[at + 1..];
        let before = &text[..at];
        if sign == "$" {
            // In `US$` and `A$5` the sign is a currency's.
            if !before.ends_with(char::is_alphanumeric) {
                add(symbol(after));
            }
        } else {
            let exchange = before.trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            if EXCHANGES.contains(&exchange.to_ascii_uppercase().as_str()) {
                add(symbol(after.trim_start()));
            }
        }
    }
    found
}

/// One to six letters at the front, with a class of shares (`.B`) where there is one; nothing if a longer word begins here.
fn symbol(text: &str) -> Option<String> {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    if !(1..=6).contains(&letters) {
        return None;
    }
    let (name, rest) = text.split_at(letters);
    if rest.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let mut after = rest.chars();
    let class = match (after.next(), after.next(), after.next()) {
        (Some('.' | '-'), Some(class), next)
            if class.is_ascii_alphabetic() && !next.is_some_and(char::is_alphanumeric) =>
        {
            format!(".{class}")
        }
        _ => String::new(),
    };
    Some(format!("{name}{class}").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_currencies_and_words_are_no_tickers() {
        assert!(tickers("US$5 bn, A$ 3, $1.2bn, $, $toolongname, Reuters: IBM said at 10:30").is_empty());
    }

    #[test]
    fn each_ticker_is_named_once_in_its_first_place() {
        assert_eq!(tickers("$TSLA $tsla: hold $AMZN's (hose:VNM) 5$"), ["TSLA", "AMZN", "VNM"]);
    }
}
