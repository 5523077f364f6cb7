use crate::answering::{Answered, Subject};
use crate::baselines::{Baseline, majority};
use crate::calibrate::Calibration;
use crate::compare::{Comparison, compare};
use crate::figures::Figures;
use crate::forms::Form;
use crate::leakage::{Leakage, leakage};
use crate::slices::{Slice, slices};
use crate::track::{Track, Way};
use crate::unread::{Unread, unread};
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::{Example, Sentiment};
use rayon::prelude::*;

/// Everything that the report, the metrics and the export say.
pub(crate) struct Results {
    pub(crate) truth: Vec<Sentiment>,
    pub(crate) slices: Vec<Slice>,
    /// Majority, classifier, base, tuned; each way.
    pub(crate) tracks: Vec<Track>,
    /// For each slice, for each track.
    pub(crate) figures: Vec<Vec<Figures>>,
    pub(crate) comparisons: Vec<Compared>,
    /// Each with the number of its track.
    pub(crate) calibrations: Vec<(usize, Calibration)>,
    pub(crate) unread: Vec<(&'static str, Unread)>,
    pub(crate) forms: Vec<FormFigures>,
    pub(crate) leakage: Option<Leakage>,
}

/// Two tracks on the rows of a slice.
pub(crate) struct Compared {
    /// `tuned_minus_base`.
    pub(crate) name: String,
    pub(crate) slice: String,
    /// The prefix of its metrics.
    pub(crate) way: String,
    pub(crate) found: Comparison,
}

/// One way's answers to rows in another form.
pub(crate) struct FormFigures {
    pub(crate) form: Form,
    pub(crate) way: Way,
    pub(crate) rows: usize,
    pub(crate) changed: usize,
    pub(crate) left_out: usize,
    /// The same rows in plain form.
    pub(crate) plain: Figures,
    pub(crate) figures: Figures,
    pub(crate) change: Comparison,
}

impl Results {
    pub(crate) fn track(&self, subject: &str, way: Way) -> Option<usize> {
        self.tracks.iter().position(|t| t.key() == (t.subject, way) && t.subject == subject)
    }

    pub(crate) fn of(answered: &Answered, train: &[Example], config: &Config, seed: Seed) -> Result<Self, Error> {
        let questions = &answered.questions;
        let truth: Vec<Sentiment> = questions.iter().map(|q| q.label).collect();
        let slices = slices(questions, config);
        let baseline = Baseline::fit(train, questions);
        let mut tracks = vec![majority(train, questions)];
        tracks.extend(baseline.as_ref().map(|b| b.track(questions)));
        for subject in &answered.subjects {
            tracks.extend(Track::of_replies(subject.name, &subject.replies));
        }
        let seed_of = |what: &str, slice: &str| seed.derive("bootstrap").derive(what).derive(slice);
        let figures = slices
            .par_iter()
            .map(|slice| {
                let of = |track: &Track| {
                    Figures::of(track, &truth, &slice.rows, config, seed_of(&track.name(), &slice.name))
                };
                tracks.par_iter().map(of).collect::<Result<Vec<_>, _>>()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let unread = answered
            .subjects
            .iter()
            .map(|s| {
                let failed = s.replies.iter().filter(|r| r.predicted.is_none()).map(|r| r.response.as_str());
                (s.name, unread(s.replies.len(), failed))
            })
            .collect();
        let forms = match answered.subjects.last() {
            Some(subject) => forms(subject, &truth, config, seed)?,
            None => Vec::new(),
        };
        Ok(Self {
            comparisons: comparisons(&tracks, &truth, &slices, config, seed)?,
            calibrations: calibrations(&tracks, &truth, answered, baseline.as_ref(), config, seed)?,
            leakage: leakage(questions, train, config),
            truth,
            slices,
            tracks,
            figures,
            unread,
            forms,
        })
    }
}

/// Tuned against base and against the classifier, and choosing against writing.
fn comparisons(
    tracks: &[Track],
    truth: &[Sentiment],
    slices: &[Slice],
    config: &Config,
    seed: Seed,
) -> Result<Vec<Compared>, Error> {
    let find = |subject: &str, way| tracks.iter().find(|t| t.subject == subject && t.way == way);
    let last = if find("tuned", Way::Scored).is_some() { "tuned" } else { "base" };
    let mut pairs = Vec::new();
    if last == "tuned" {
        for way in Way::ALL {
            pairs.extend(
                find("base", way)
                    .zip(find(last, way))
                    .map(|pair| ("tuned_minus_base".to_owned(), way.name().to_owned(), pair)),
            );
        }
    }
    for way in Way::ALL {
        let pair = find("tfidf", Way::Scored).zip(find(last, way));
        pairs.extend(pair.map(|pair| (format!("{last}_minus_tfidf"), way.name().to_owned(), pair)));
    }
    for subject in ["base", "tuned"] {
        for way in [Way::Scored, Way::Calibrated] {
            let pair = find(subject, Way::Generated).zip(find(subject, way));
            pairs.extend(pair.map(|pair| (subject.to_owned(), format!("{}_minus_generated", way.name()), pair)));
        }
    }
    let wanted: Vec<_> = slices
        .iter()
        .filter(|s| matches!(s.kind, "all" | "language"))
        .flat_map(|slice| pairs.iter().map(move |pair| (slice, pair)))
        .collect();
    let compared = |(slice, (name, way, pair)): &(&Slice, &(String, String, (&Track, &Track)))| {
        let seed = seed.derive("compare").derive(name).derive(way).derive(&slice.name);
        let found = compare(*pair, truth, &slice.rows, config, seed)?;
        Ok(Compared { name: name.clone(), slice: slice.name.clone(), way: way.clone(), found })
    };
    wanted.par_iter().map(compared).collect()
}

fn calibrations(
    tracks: &[Track],
    truth: &[Sentiment],
    answered: &Answered,
    baseline: Option<&Baseline>,
    config: &Config,
    seed: Seed,
) -> Result<Vec<(usize, Calibration)>, Error> {
    let dev_truth: Vec<Sentiment> = answered.dev.iter().map(|q| q.label).collect();
    let mut found = Vec::new();
    for (number, track) in tracks.iter().enumerate() {
        let subject = answered.subjects.iter().find(|s| s.name == track.subject);
        let dev: Vec<[f64; 3]> = match (subject, baseline) {
            (Some(subject), _) if track.way == Way::Scored => {
                subject.dev.iter().map(crate::replies::Reply::scores).collect()
            }
            (Some(subject), _) => subject.dev.iter().map(crate::replies::Reply::calibrated).collect(),
            (None, Some(baseline)) => baseline.scores(answered.dev.iter().map(|q| q.text.as_str())),
            (None, None) => Vec::new(),
        };
        let held_out = (!dev.is_empty()).then_some((dev.as_slice(), dev_truth.as_slice()));
        let seed = seed.derive("parts");
        found.extend(Calibration::of(track, truth, held_out, config, seed)?.map(|c| (number, c)));
    }
    Ok(found)
}

/// Each form against the same rows in plain form.
fn forms(subject: &Subject, truth: &[Sentiment], config: &Config, seed: Seed) -> Result<Vec<FormFigures>, Error> {
    let mut wanted = Vec::new();
    for form in subject.forms.iter().filter(|f| !f.replies.is_empty()) {
        let rows: Vec<usize> = form.replies.iter().map(|(row, ..)| *row).collect();
        let truth: Vec<Sentiment> = rows.iter().filter_map(|&row| truth.get(row).copied()).collect();
        let plain: Vec<_> = rows.iter().filter_map(|&row| subject.replies.get(row).cloned()).collect();
        let other: Vec<_> = form.replies.iter().map(|(.., reply)| reply.clone()).collect();
        let pairs = Track::of_replies(subject.name, &plain).into_iter().zip(Track::of_replies(subject.name, &other));
        wanted.extend(pairs.map(|(plain, other)| (form, truth.clone(), plain, other)));
    }
    let figures = |(form, truth, plain, other): &(&crate::answering::FormReplies, Vec<Sentiment>, Track, Track)| {
        let seed = seed.derive("forms").derive(form.form.name()).derive(other.way.name());
        let rows: Vec<usize> = (0..truth.len()).collect();
        Ok(FormFigures {
            form: form.form,
            way: other.way,
            rows: rows.len(),
            changed: form.changed,
            left_out: form.left_out,
            plain: Figures::of(plain, truth, &rows, config, seed)?,
            figures: Figures::of(other, truth, &rows, config, seed)?,
            change: compare((plain, other), truth, &rows, config, seed)?,
        })
    };
    wanted.par_iter().map(figures).collect()
}
