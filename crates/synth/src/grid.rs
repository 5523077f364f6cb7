use artifacts::Seed;
use artifacts::rows::Language;
use rand::seq::SliceRandom;

/// One value of an attribute: its name in files, and how a prompt says it in English and Vietnamese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The name in files.
    pub name: &'static str,
    english: &'static str,
    vietnamese: &'static str,
}

impl Value {
    /// How a prompt says it.
    pub const fn wording(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Vietnamese => self.vietnamese,
        }
    }
}

const fn value(name: &'static str, english: &'static str, vietnamese: &'static str) -> Value {
    Value { name, english, vietnamese }
}

/// The attributes beside the label, in the order of [`Point`], each with its values. None of them says good or bad: every
/// event can turn out either way.
pub const ATTRIBUTES: [(&str, &[Value]); 6] = [
    (
        "sector",
        &[
            value("banking", "banking", "ngân hàng"),
            value("energy", "energy", "năng lượng"),
            value("technology", "technology", "công nghệ"),
            value("retail", "retail", "bán lẻ"),
            value("industry", "industrial goods", "hàng công nghiệp"),
            value("health", "health care", "y tế"),
            value("transport", "transport", "vận tải"),
            value("property", "real estate", "bất động sản"),
        ],
    ),
    (
        "event",
        &[
            value("results", "quarterly results", "kết quả kinh doanh quý"),
            value("guidance", "the forecast for the year", "dự báo cả năm"),
            value("order", "a large order", "một đơn hàng lớn"),
            value("deal", "a merger or sale", "một vụ sáp nhập hoặc bán lại"),
            value("management", "a change of management", "thay đổi ban lãnh đạo"),
            value("regulator", "a decision of the regulator", "quyết định của cơ quan quản lý"),
            value("court", "a court case", "một vụ kiện"),
            value("financing", "debt or new shares", "nợ vay hoặc phát hành cổ phiếu"),
            value("product", "a product", "một sản phẩm"),
            value("jobs", "jobs and plants", "việc làm và nhà máy"),
        ],
    ),
    (
        "region",
        &[
            value("north-america", "North America", "Bắc Mỹ"),
            value("europe", "Europe", "châu Âu"),
            value("vietnam", "Vietnam", "Việt Nam"),
            value("east-asia", "East Asia", "Đông Á"),
            value("latin-america", "Latin America", "Mỹ Latinh"),
            value("africa", "Africa", "châu Phi"),
        ],
    ),
    (
        "register",
        &[
            value("wire", "a sober news wire", "bản tin thông tấn"),
            value("headline", "a newspaper headline", "tiêu đề báo"),
            value("post", "a short post by an investor", "bài đăng ngắn của nhà đầu tư"),
            value("note", "an analyst's note", "ghi chú của nhà phân tích"),
            value("statement", "a company's own statement", "thông báo của chính công ty"),
        ],
    ),
    (
        "length",
        &[
            value("short", "8 to 12 words", "từ 8 đến 12 từ"),
            value("medium", "13 to 22 words", "từ 13 đến 22 từ"),
            value("long", "23 to 35 words", "từ 23 đến 35 từ"),
        ],
    ),
    (
        "difficulty",
        &[
            value("plain", "Make its meaning plain.", "Ý nghĩa phải rõ ràng."),
            value("figures", "Let only the figures tell what it means.", "Chỉ để các con số nói lên ý nghĩa."),
            value(
                "mixed",
                "Mention something of the opposite kind that matters less.",
                "Nhắc đến một điều trái ngược nhưng ít quan trọng hơn.",
            ),
            value("indirect", "Only hint at what it means.", "Chỉ gợi ý một cách gián tiếp."),
        ],
    ),
];

/// Points of a block: a multiple of every attribute's number of values, so that each value has the same share of it.
pub const BLOCK: usize = 240;

/// What one candidate is asked for beside its label: one value of each of [`ATTRIBUTES`].
pub type Point = [&'static Value; ATTRIBUTES.len()];

static NOTHING: Value = value("", "", "");

/// Point `number` of the grid, by Latin-hypercube sampling (McKay, Beckman and Conover, Technometrics 1979): in each block of
/// [`BLOCK`] points every value of an attribute occurs equally often, in an order drawn for each attribute by itself.
///
/// Every label goes through the same points, so after equally many candidates the label is independent of every
/// attribute, exactly and not only on average.
pub fn point(number: u64, seed: Seed) -> Point {
    let block = number / BLOCK as u64;
    let within = (number % BLOCK as u64) as usize;
    ATTRIBUTES.map(|(name, values)| {
        let mut order: Vec<usize> = (0..BLOCK).collect();
        order.shuffle(&mut seed.derive(&format!("grid/{name}/{block}")).rng());
        let place = order.get(within).copied().unwrap_or_default() * values.len() / BLOCK;
        values.get(place).unwrap_or(&NOTHING)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::distribution::cramers_v;

    fn column(attribute: usize, points: &[Point]) -> Vec<usize> {
        let values = ATTRIBUTES[attribute].1;
        points.iter().map(|p| values.iter().position(|v| v.name == p[attribute].name).unwrap()).collect()
    }

    #[test]
    fn every_value_has_the_same_share_of_a_block() {
        let points: Vec<Point> = (0..BLOCK as u64).map(|n| point(n, Seed(1))).collect();
        for (attribute, (name, values)) in ATTRIBUTES.iter().enumerate() {
            let column = column(attribute, &points);
            for value in 0..values.len() {
                assert_eq!(column.iter().filter(|v| **v == value).count() * values.len(), BLOCK, "{name}");
            }
        }
    }

    #[test]
    fn the_label_is_independent_of_every_attribute_and_the_attributes_nearly_of_each_other() {
        let points: Vec<Point> = (0..BLOCK as u64 + 17).map(|n| point(n, Seed(1))).collect();
        for (attribute, (name, values)) in ATTRIBUTES.iter().enumerate() {
            let column_of = column(attribute, &points);
            let mut with_label = vec![vec![0_u64; values.len()]; 3];
            for label in &mut with_label {
                for value in &column_of {
                    label[*value] += 1;
                }
            }
            let v = cramers_v(&with_label).unwrap().unwrap();
            assert!(v < 1e-9, "{name}: {v}");
            for (other, (other_name, other_values)) in ATTRIBUTES.iter().enumerate().skip(attribute + 1) {
                let mut table = vec![vec![0_u64; other_values.len()]; values.len()];
                for (a, b) in column_of.iter().zip(column(other, &points)) {
                    table[*a][b] += 1;
                }
                let v = cramers_v(&table).unwrap().unwrap();
                assert!(v < 0.3, "{name} and {other_name}: {v}");
            }
        }
    }

    #[test]
    fn blocks_differ_and_a_seed_repeats_its_points() {
        let points = |seed: u64, from: u64| (from..from + 40).map(|n| point(n, Seed(seed))).collect::<Vec<_>>();
        assert_eq!(points(1, 0), points(1, 0));
        assert_ne!(points(1, 0), points(1, BLOCK as u64));
        assert_ne!(points(1, 0), points(2, 0));
    }
}
