use artifacts::rows::{Language, Sentiment};

/// Remarks that a model may make on a text, in the order of the labels. The first set is what the label score reads; the
/// other four are the wordings of the vote.
pub(crate) const fn remarks(language: Language) -> [[&'static str; 3]; 5] {
    match language {
        Language::English => [
            ["Bad news today.", "No change today.", "Good news today."],
            ["Bad news.", "No change.", "Good news."],
            ["Bad for the shares.", "Neither good nor bad.", "Good for the shares."],
            ["Bad news for the shares.", "No news for the shares.", "Good news for the shares."],
            ["This is bad.", "This changes nothing.", "This is good."],
        ],
        Language::Vietnamese => [
            ["Tin xấu hôm nay.", "Không đổi hôm nay.", "Tin tốt hôm nay."],
            ["Tin xấu.", "Tin trung tính.", "Tin tốt."],
            ["Bất lợi cho cổ phiếu.", "Không tốt cũng không xấu.", "Có lợi cho cổ phiếu."],
            ["Tin xấu cho cổ phiếu.", "Không đổi.", "Tin tốt cho cổ phiếu."],
            ["Thật là xấu.", "Không có gì thay đổi.", "Thật là tốt."],
        ],
    }
}

/// Wordings of the vote's question.
pub(crate) const WORDINGS: usize = 4;

/// The vote's question in one of its wordings, with the answers named in the given order.
pub(crate) fn question(language: Language, wording: usize, order: [&str; 3], text: &str) -> String {
    let [a, b, c] = order;
    match (language, wording % WORDINGS) {
        (Language::English, 0) => format!("Is this text {a}, {b} or {c}?\n{text}"),
        (Language::English, 1) => format!("Classify the sentiment as {a}, {b} or {c}.\n{text}"),
        (Language::English, 2) => format!("{text}\nFor shareholders, is this {a}, {b} or {c}?"),
        (Language::English, _) => format!("{text}\nWhich word fits this news: {a}, {b} or {c}?"),
        (Language::Vietnamese, 0) => format!("Câu này là {a}, {b} hay {c}?\n{text}"),
        (Language::Vietnamese, 1) => format!("Phân loại cảm xúc là {a}, {b} hoặc {c}.\n{text}"),
        (Language::Vietnamese, 2) => format!("{text}\nVới cổ đông, tin này là {a}, {b} hay {c}?"),
        (Language::Vietnamese, _) => format!("{text}\nTừ nào hợp với tin này: {a}, {b} hay {c}?"),
    }
}

/// The labels in one of their six orders.
pub(crate) fn order(number: usize) -> [&'static str; 3] {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1]];
    let places = ORDERS.get(number % ORDERS.len()).copied().unwrap_or_default();
    places.map(|i| Sentiment::ALL.get(i).map_or("", |label| label.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_samples_see_every_wording_twice_in_two_orders_and_each_label_comes_first() {
        let seen: Vec<(usize, [&str; 3])> = (0..8).map(|k| (k % WORDINGS, order(k))).collect();
        for wording in 0..WORDINGS {
            let orders: Vec<_> = seen.iter().filter(|(w, _)| *w == wording).map(|(_, o)| *o).collect();
            assert!(orders.len() == 2 && orders[0] != orders[1], "{orders:?}");
        }
        for label in Sentiment::ALL {
            assert!(seen.iter().filter(|(_, order)| order[0] == label.as_str()).count() >= 2);
        }
    }
}
