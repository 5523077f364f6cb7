use crate::short_words::Lists;

/// Frequent English function words. Negations are left out on purpose: they carry sentiment.
pub const ENGLISH_STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before", "between",
    "both", "but", "by", "can", "could", "did", "do", "does", "during", "each", "for", "from", "had", "has", "have",
    "he", "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "may", "more", "most", "of", "on", "one",
    "or", "other", "our", "over", "said", "says", "she", "should", "so", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "through", "to", "under", "until", "up", "was",
    "we", "were", "what", "when", "where", "which", "while", "who", "will", "with", "would", "you", "your",
];

/// Frequent Vietnamese function words. Negations are left out on purpose: they carry sentiment.
pub const VIETNAMESE_STOP_WORDS: &[&str] = &[
    "ai", "anh", "bị", "bởi", "cho", "chị", "các", "cái", "còn", "có", "cô", "cùng", "cũng", "của", "do", "dù", "em",
    "gì", "hay", "hoặc", "hơn", "khi", "là", "lúc", "lại", "lên", "mà", "mình", "mỗi", "một", "nhưng", "những", "như",
    "này", "nên", "nếu", "nữa", "ra", "rồi", "sau", "sẽ", "sự", "theo", "thì", "thầy", "trong", "trên", "trước", "tại",
    "tới", "từ", "và", "vào", "vì", "vẫn", "về", "với", "ở", "ông", "đang", "đã", "đó", "đến", "để", "đều", "được",
];

/// Whether a lower-case word is a function word of English or Vietnamese.
pub fn is_stop_word(word: &str) -> bool {
    Lists::of(word).has(Lists::STOP_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_hold_no_negation() {
        assert!(ENGLISH_STOP_WORDS.is_sorted());
        for negation in ["not", "no", "without", "không", "chưa", "chẳng"] {
            assert!(!is_stop_word(negation), "{negation}");
        }
        assert!(is_stop_word("the") && is_stop_word("của"));
    }
}
