//! Figures of a trading report: what they draw for ordinary, few and hostile values.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use report::plot::*;

fn texts(svg: &str) -> Vec<&str> {
    svg.split("</text>").filter_map(|t| t.rsplit_once('>').map(|(_, text)| text)).collect()
}

#[test]
fn a_heat_map_has_a_cell_for_each_value_gains_and_losses_apart() {
    let plot = HeatMapPlot {
        title: "Returns".into(),
        note: "% by year and month".into(),
        columns: vec!["Jan".into(), "Feb".into(), "Mar".into()],
        rows: vec![
            ("2024".into(), vec![Some(1.0), None, Some(-4.0)]),
            ("2025".into(), vec![Some(-0.04), Some(f64::NAN), Some(2.0)]),
        ],
        digits: 1,
    };
    let svg = heat_map(&plot).standalone();
    assert_eq!(svg.matches("class=\"cell k2\"").count(), 2);
    assert_eq!(svg.matches("class=\"cell k1\"").count(), 2);
    // the strongest value has the strongest colour, and the others in proportion
    assert!(svg.contains("fill-opacity:0.7\"><title>2024 Mar: -4.0</title>"), "{svg}");
    assert!(svg.contains("fill-opacity:0.35\"><title>2025 Mar: 2.0</title>"));
    let texts = texts(&svg);
    for text in ["Jan", "2025", "1.0", "-4.0", "0.0"] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    assert!(!texts.contains(&"-0.0"));
}

#[test]
fn a_large_heat_map_keeps_its_texts_apart() {
    let rows = (0..120).map(|r| (format!("row {r}"), (0..60).map(|c| Some(f64::from(r * c) - 900.0)).collect()));
    let plot = HeatMapPlot {
        title: "Grid".into(),
        note: "Sharpe ratio".into(),
        columns: (0..60).map(|c| format!("{c}")).collect(),
        rows: rows.collect(),
        digits: 2,
    };
    let svg = heat_map(&plot).standalone();
    assert_eq!(svg.matches("class=\"cell").count(), 7200);
    assert!(texts(&svg).len() < 120, "{}", texts(&svg).len());
    assert!(svg.contains("strongest colour"));
}

#[test]
fn marks_lie_on_their_side_of_the_price_and_equal_ones_are_drawn_once() {
    let price: Vec<(f64, f64)> = (0..50).map(|i| (f64::from(i) * 3600.0, 100.0 + f64::from(i % 7))).collect();
    let mark = |i: u32, kind| Mark { at: f64::from(i) * 3600.0, price: 103.0, kind };
    let plot = MarksPlot {
        title: "Trades".into(),
        unit: "price".into(),
        price,
        marks: vec![
            mark(5, MarkKind::Long),
            mark(20, MarkKind::Exit),
            mark(20, MarkKind::Short),
            mark(20, MarkKind::Short),
        ],
    };
    let svg = marks(&plot).standalone();
    let ys = |class: &str| -> Vec<f64> {
        let begins = format!("<path class=\"bar {class}\" d=\"M");
        svg.split(&begins).skip(1).map(|p| p.split([' ', 'L']).nth(1).unwrap().parse().unwrap()).collect()
    };
    // one in the legend, one on the price
    let (up, down) = (ys("k2"), ys("k1"));
    let rings: Vec<f64> = svg.split("cy=\"").skip(1).map(|r| r.split('"').next().unwrap().parse().unwrap()).collect();
    assert_eq!((up.len(), down.len(), rings.len()), (2, 2, 2), "{svg}");
    assert!(up[1] > rings[1] && down[1] < rings[1], "{up:?} {down:?} {rings:?}");
}

#[test]
fn a_distribution_counts_what_is_too_far_to_draw_and_its_shares_are_percent() {
    let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i % 20) - 9.5).collect();
    values.extend([f64::NAN, 400.0, -400.0]);
    let svg = distribution(&DistributionPlot { title: "Returns".into(), x_label: "%".into(), values, bins: 41 });
    let svg = svg.standalone();
    assert!(svg.contains("2 beyond 5 standard deviations are not drawn"), "{svg}");
    assert!(svg.contains("normal distribution"));
    let constant =
        distribution(&DistributionPlot { title: "t".into(), x_label: "x".into(), values: vec![0.1; 7], bins: 10 });
    let constant = constant.standalone();
    assert_eq!(constant.matches("class=\"bar k0\"").count(), 1, "{constant}");
    assert!(!constant.contains("normal distribution"));
}

#[test]
fn steps_hold_until_the_next_value() {
    let series = vec![Series { name: "position".into(), points: vec![(0.0, 0.0), (1.0, 1.0), (2.0, -1.0)] }];
    let svg = steps(&StepsPlot { title: "Position".into(), y_label: "share".into(), series }).standalone();
    let path = svg.split("class=\"line k0\" d=\"M").nth(1).unwrap().split('"').next().unwrap();
    let points: Vec<(f64, f64)> = path
        .split('L')
        .map(|p| p.split_once(' ').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    assert_eq!(points.len(), 5);
    assert!(points.windows(2).all(|w| (w[0].0 - w[1].0).abs() < 0.01 || (w[0].1 - w[1].1).abs() < 0.01), "{points:?}");
}

proptest! {
    #[test]
    fn any_values_can_be_drawn(values in prop::collection::vec(prop_oneof![any::<f64>(), Just(0.0), Just(1.0), -10.0..10.0], 0..60)) {
        let points: Vec<(f64, f64)> = values.iter().zip(0..).map(|(v, i)| (f64::from(i) * 600.0, *v)).collect();
        let marked = points.iter().map(|(at, price)| Mark { at: *at, price: *price, kind: MarkKind::Short }).collect();
        let drawings = [
            heat_map(&HeatMapPlot { title: "t".into(), note: "n".into(), columns: vec!["c".into(); values.len()],
                rows: vec![("r".into(), values.iter().copied().map(Some).collect())], digits: 2 }),
            marks(&MarksPlot { title: "t".into(), unit: "u".into(), price: points.clone(), marks: marked }),
            distribution(&DistributionPlot { title: "t".into(), x_label: "x".into(), values: values.clone(), bins: 30 }),
            steps(&StepsPlot { title: "t".into(), y_label: "y".into(), series: vec![Series { name: "a".into(), points }] }),
        ];
        for svg in drawings {
            let text = svg.standalone();
            prop_assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
        }
    }

    #[test]
    fn no_text_becomes_a_tag(text in "[<>&\"'a-z/ ]{0,20}") {
        let svg = heat_map(&HeatMapPlot { title: text.clone(), note: text.clone(), columns: vec![text.clone()],
            rows: vec![(text.clone(), vec![Some(1.0)])], digits: 0 }).standalone();
        for tag in svg.split('<').skip(1).map(|t| t.split(['>', ' ', '\n']).next().unwrap().trim_start_matches('/')) {
            prop_assert!(["svg", "style", "text", "rect", "title", "line"].contains(&tag), "<{tag}>");
        }
    }
}
