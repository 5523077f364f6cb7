//! How wide a text will be, without a font: close enough to keep texts apart.

/// Estimated width of a text at a font size, in units of the figure. A little too wide for most faces.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The text, shortened with an ellipsis to fit `room`.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = em('…') * size;
    for c in text.chars() {
        used += em(c) * size;
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

/// The text, shortened in the middle to fit `room`: names of files and columns differ at their ends.
pub(crate) fn fit_middle(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let half = (room - em('…') * size) / 2.0;
    let within = |c: &char, used: &mut f64| {
        *used += em(*c) * size;
        *used <= half
    };
    let (mut used_head, mut used_tail) = (0.0, 0.0);
    let head: String = text.chars().take_while(|c| within(c, &mut used_head)).collect();
    let tail: Vec<char> = text.chars().rev().take_while(|c| within(c, &mut used_tail)).collect();
    format!("{head}…{}", tail.into_iter().rev().collect::<String>())
}

/// Width of a character in em of a usual sans-serif face. Precomposed Vietnamese letters are as wide as their base.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' | 'f' | 't' | 'r'
        | '-' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' | '–' => 0.95,
        'A'..='Z' => 0.72,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' => 0.0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f000}'..='\u{1faff}' => 1.05,
        c if c.is_uppercase() => 0.75,
        _ => 0.64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_text_fits_and_says_so() {
        let short = fit("Ngân hàng Nhà nước Việt Nam", 12.0, 80.0);
        assert!(short.ends_with('…') && width(&short, 12.0) <= 80.0, "{short}");
        assert_eq!(fit("ok", 12.0, 80.0), "ok");
        let ends = fit_middle("uit_vsfc/default/train part 7", 12.0, 90.0);
        assert!(ends.starts_with("uit") && ends.ends_with('7') && width(&ends, 12.0) <= 90.0, "{ends}");
    }
}
