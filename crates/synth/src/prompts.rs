use crate::grid::Point;
use crate::{Config, Error, Strategy};
use artifacts::Seed;
use artifacts::rows::{Example, Language, Sentiment};
use chat::Message;
use providers::{Completion, Form, Prompt, Provider, Shape, Written};
use rand::Rng;

/// Real rows shown to the model by [`Strategy::FewShot`].
const SHOTS: usize = 3;

/// The JSON that [`Strategy::Grid`] asks for. No escapes: a line of news needs none but quotes, which come as curly ones.
const JSON: &str = "start: \"{\\\"text\\\": \\\"\" TEXT \"\\\"}\"\nTEXT: /[^\"\\\\\\x00-\\x1f]{20,400}/\n";

/// The heading that a text of this label stands under in the news.
pub(crate) const fn heading(language: Language, label: Sentiment) -> &'static str {
    match (language, label) {
        (Language::English, Sentiment::Positive) => "Good news today:",
        (Language::English, Sentiment::Negative) => "Bad news today:",
        (Language::English, Sentiment::Neutral) => "No change:",
        (Language::Vietnamese, Sentiment::Positive) => "Tin tốt hôm nay:",
        (Language::Vietnamese, Sentiment::Negative) => "Tin xấu hôm nay:",
        (Language::Vietnamese, Sentiment::Neutral) => "Tin trung tính:",
    }
}

/// What a label means to an investor: so the label's own word is not put into the model's mouth.
const fn meaning(language: Language, label: Sentiment) -> &'static str {
    match (language, label) {
        (Language::English, Sentiment::Positive) => "good for the company's shareholders",
        (Language::English, Sentiment::Negative) => "bad for the company's shareholders",
        (Language::English, Sentiment::Neutral) => {
            "only stating a fact, neither good nor bad for the company's shareholders"
        }
        (Language::Vietnamese, Sentiment::Positive) => "có lợi cho cổ đông của doanh nghiệp",
        (Language::Vietnamese, Sentiment::Negative) => "bất lợi cho cổ đông của doanh nghiệp",
        (Language::Vietnamese, Sentiment::Neutral) => "chỉ nêu sự việc, không có lợi cũng không bất lợi cho cổ đông",
    }
}

/// The request of [`Strategy::Instruct`].
fn request(language: Language, label: Sentiment) -> String {
    let meaning = meaning(language, label);
    match language {
        Language::English => {
            format!("Write one realistic financial news headline that is {meaning}. Only the headline.")
        }
        Language::Vietnamese => {
            format!("Viết một tiêu đề tin tài chính thực tế, {meaning}. Chỉ viết tiêu đề.")
        }
    }
}

/// The request of [`Strategy::Grid`], without the rows of other labels.
fn grid_request(language: Language, label: Sentiment, point: &Point) -> String {
    let meaning = meaning(language, label);
    let [sector, event, region, register, length, difficulty] = point.map(|value| value.wording(language));
    match language {
        Language::English => format!(
            "Write one realistic piece of financial news, {meaning}.\nIndustry: {sector}. Subject: {event}. Place: {region}. Written as {register}, in {length}. {difficulty}\nAnswer with JSON and nothing else: {{\"text\": \"...\"}}"
        ),
        Language::Vietnamese => format!(
            "Viết một tin tài chính thực tế, {meaning}.\nNgành: {sector}. Chủ đề: {event}. Nơi: {region}. Văn phong: {register}, dài {length}. {difficulty}\nChỉ trả lời bằng JSON: {{\"text\": \"...\"}}"
        ),
    }
}

const fn other_kinds(language: Language) -> &'static str {
    match language {
        Language::English => "Texts of other kinds, to show the style only:",
        Language::Vietnamese => "Những tin thuộc loại khác, chỉ để tham khảo văn phong:",
    }
}

/// The fixed wordings of all prompts in a language: whatever of them turns up in a text was copied.
pub(crate) fn wordings(language: Language) -> Vec<String> {
    let mut all = vec![other_kinds(language).to_owned()];
    let point = crate::grid::point(0, Seed(0));
    for label in Sentiment::ALL {
        all.push(request(language, *label));
        let grid = grid_request(language, *label, &point);
        all.extend(grid.lines().filter(|line| !line.contains(": ") || line.contains("JSON")).map(str::to_owned));
    }
    all.extend(chat::prompts::Instruction::ALL.map(|i| i.wording(language.as_str()).to_owned()));
    all
}

/// One request to make.
pub(crate) struct Request<'a> {
    pub(crate) strategy: Strategy,
    pub(crate) label: Sentiment,
    pub(crate) point: Point,
    pub(crate) pools: &'a [Vec<&'a Example>; 3],
    /// For the rows that are shown.
    pub(crate) seed: Seed,
}

/// Asks the model for one candidate. Returns the prompt as sent and what was written.
///
/// # Errors
/// The model fails, or not even one shot fits its context.
pub(crate) fn ask(
    provider: &dyn Provider,
    request_: &Request<'_>,
    config: &Config,
    options: &Completion,
    shape: &Shape,
) -> Result<(String, Written), providers::Error> {
    let Request { strategy, label, point, pools, seed } = request_;
    let language = config.language;
    match strategy {
        Strategy::Heading => {
            let prompt = heading(language, *label).to_owned();
            let written = provider.write(Prompt::Raw(&prompt), options, shape)?;
            Ok((prompt, written))
        }
        Strategy::Instruct => {
            let prompt = request(language, *label);
            let written = provider.write(Prompt::Chat(&[Message::user(&prompt)]), options, shape)?;
            Ok((prompt, written))
        }
        Strategy::FewShot => {
            let options = Completion { stop_at_line_break: true, ..options.clone() };
            let pool = pools.get(*label as usize).map_or(&[][..], Vec::as_slice);
            let mut shots = draw(pool, SHOTS, *seed);
            loop {
                let prompt: String = shots.iter().flat_map(|shot| [shot.text.as_str(), "\n"]).collect();
                match provider.write(Prompt::Raw(&prompt), &options, shape) {
                    // Long rows and small contexts: fewer shots are better than none.
                    Err(providers::Error::PromptTooLong { .. }) if shots.len() > 1 => {
                        shots.pop();
                    }
                    written => return Ok((prompt, written?)),
                }
            }
        }
        Strategy::Grid => {
            // One row of each other label: the style of real rows, and nothing to copy that would bear the wanted label.
            let others = Sentiment::ALL.iter().filter(|other| *other != label);
            let mut seeds: Vec<&Example> = others
                .filter_map(|other| {
                    let pool = pools.get(*other as usize).map_or(&[][..], Vec::as_slice);
                    draw(pool, 1, seed.derive(other.as_str())).pop()
                })
                .collect();
            let json = Shape { form: Some(Form::Lark(JSON.to_owned())), ..shape.clone() };
            loop {
                let mut prompt = grid_request(language, *label, point);
                if !seeds.is_empty() {
                    prompt.extend(["\n", other_kinds(language)]);
                    prompt.extend(seeds.iter().map(|s| format!("\n- {}", s.text)));
                }
                let messages = [Message::user(&prompt)];
                let forced = provider.write(Prompt::Chat(&messages), options, &json);
                let written = match forced {
                    // An endpoint is asked in words only; the format rung reads what comes.
                    Err(providers::Error::CannotShape { .. }) => {
                        provider.write(Prompt::Chat(&messages), options, shape)
                    }
                    forced => forced,
                };
                match written {
                    Err(providers::Error::PromptTooLong { .. }) if !seeds.is_empty() => {
                        seeds.pop();
                    }
                    written => return Ok((prompt, written?)),
                }
            }
        }
    }
}

/// Different rows of the pool, in random order; all of it where it is smaller.
fn draw<'a>(pool: &[&'a Example], n: usize, seed: Seed) -> Vec<&'a Example> {
    let mut rng = seed.rng();
    let mut left: Vec<&Example> = pool.to_vec();
    let mut shots = Vec::with_capacity(n);
    while shots.len() < n && !left.is_empty() {
        shots.push(left.swap_remove(rng.random_range(0..left.len())));
    }
    shots
}

/// For each label, the real rows that may be shown as examples: short ones first choice, because a prompt must fit.
///
/// # Errors
/// A label has no row in the language.
pub(crate) fn pools(train: &[Example], language: Language, max_words: usize) -> Result<[Vec<&Example>; 3], Error> {
    let mut pools = [Vec::new(), Vec::new(), Vec::new()];
    for (label, pool) in Sentiment::ALL.iter().zip(&mut pools) {
        let rows = || train.iter().filter(|e| e.language == language && e.label == *label && !e.synthetic);
        let short: Vec<&Example> = rows().filter(|e| e.text.split_whitespace().count() <= max_words).collect();
        *pool = if short.is_empty() { rows().collect() } else { short };
        if pool.is_empty() {
            return Err(Error::NoRealRows { language, label: *label });
        }
    }
    Ok(pools)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_request_says_every_attribute_and_never_the_label() {
        for language in Language::ALL {
            for label in Sentiment::ALL {
                for number in 0..40 {
                    let point = crate::grid::point(number, Seed(3));
                    let text = grid_request(*language, *label, &point);
                    for value in point {
                        assert!(text.contains(value.wording(*language)), "{text}");
                    }
                    assert_eq!(crate::leak::names_its_label(&text), None, "{text}");
                }
            }
        }
    }
}
