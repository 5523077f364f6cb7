use artifacts::rows::Step;
use report::plot::{LinePlot, Series, XAxis, line};

/// The loss of every update, its running mean, and what held-out rows said, as an SVG file.
pub(crate) fn loss(steps: &[Step]) -> String {
    let (mut mean, mut smooth) = (None, Vec::new());
    for step in steps {
        let next = mean.map_or(step.loss, |m: f64| 0.95 * m + 0.05 * step.loss);
        mean = Some(next);
        smooth.push((step.step as f64, next));
    }
    let every = steps.iter().map(|s| (s.step as f64, s.loss)).collect();
    let mut series = vec![
        Series { name: "each update".into(), points: every },
        Series { name: "running mean".into(), points: smooth },
    ];
    let judged: Vec<_> = steps.iter().filter_map(|s| Some((s.step as f64, s.dev_loss?))).collect();
    if !judged.is_empty() {
        series.push(Series { name: "held-out rows".into(), points: judged });
    }
    let plot = LinePlot {
        title: "Training loss".into(),
        x: XAxis::Number("update".into()),
        y_label: "cross-entropy of supervised tokens, nats".into(),
        series,
    };
    line(&plot).standalone()
}
