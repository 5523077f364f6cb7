use crate::{Error, Strategy};
use artifacts::Seed;
use artifacts::rows::{Example, Language, Sentiment};
use chat::Message;
use providers::{Completion, Provider, Reply};
use rand::Rng;

/// Real rows shown to the model by [`Strategy::FewShot`].
const SHOTS: usize = 3;

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

/// The request to a model that follows instructions. It describes the label by what it means to an investor, so that the
/// label's own word is not put into the model's mouth.
const fn request(language: Language, label: Sentiment) -> &'static str {
    match (language, label) {
        (Language::English, Sentiment::Positive) => {
            "Write one realistic financial news headline that is good for the company's shareholders. Only the headline."
        }
        (Language::English, Sentiment::Negative) => {
            "Write one realistic financial news headline that is bad for the company's shareholders. Only the headline."
        }
        (Language::English, Sentiment::Neutral) => {
            "Write one realistic financial news headline that only states a fact, neither good nor bad for the company's shareholders. Only the headline."
        }
        (Language::Vietnamese, Sentiment::Positive) => {
            "Viết một tiêu đề tin tài chính thực tế, có lợi cho cổ đông của doanh nghiệp. Chỉ viết tiêu đề."
        }
        (Language::Vietnamese, Sentiment::Negative) => {
            "Viết một tiêu đề tin tài chính thực tế, bất lợi cho cổ đông của doanh nghiệp. Chỉ viết tiêu đề."
        }
        (Language::Vietnamese, Sentiment::Neutral) => {
            "Viết một tiêu đề tin tài chính thực tế, chỉ nêu sự việc, không có lợi cũng không bất lợi cho cổ đông. Chỉ viết tiêu đề."
        }
    }
}

/// Asks the model for one candidate. Returns the prompt as sent and the reply.
///
/// # Errors
/// The model fails, or not even one shot fits its context.
pub(crate) fn ask(
    provider: &dyn Provider,
    strategy: Strategy,
    language: Language,
    label: Sentiment,
    pool: &[&Example],
    seed: Seed,
    options: &Completion,
) -> Result<(String, Reply), providers::Error> {
    match strategy {
        Strategy::Heading => {
            let prompt = heading(language, label).to_owned();
            let reply = provider.continue_text(&prompt, options)?;
            Ok((prompt, reply))
        }
        Strategy::Instruct => {
            let prompt = request(language, label).to_owned();
            let reply = provider.complete(&[Message::user(&prompt)], options)?;
            Ok((prompt, reply))
        }
        Strategy::FewShot => {
            let options = Completion { stop_at_line_break: true, ..options.clone() };
            let mut shots = draw(pool, seed);
            loop {
                let prompt: String = shots.iter().flat_map(|shot| [shot.text.as_str(), "\n"]).collect();
                match provider.continue_text(&prompt, &options) {
                    // Long rows and small contexts: fewer shots are better than none.
                    Err(providers::Error::PromptTooLong { .. }) if shots.len() > 1 => {
                        shots.pop();
                    }
                    reply => return Ok((prompt, reply?)),
                }
            }
        }
    }
}

/// Different rows of the pool, in random order; all of it where it is smaller.
fn draw<'a>(pool: &[&'a Example], seed: Seed) -> Vec<&'a Example> {
    let mut rng = seed.rng();
    let mut left: Vec<&Example> = pool.to_vec();
    let mut shots = Vec::with_capacity(SHOTS);
    while shots.len() < SHOTS && !left.is_empty() {
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
