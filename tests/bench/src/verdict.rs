//! What a measure must reach, what it should, and whether it did.

use serde::Serialize;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
}

/// How far a measure came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Verdict {
    /// What was aimed at.
    Aim,
    /// What it must reach, and not the aim.
    Must,
    /// Not even that.
    Missed,
    /// This part was not run.
    NotRun,
}

/// Bounds of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Bounds {
    /// Which way is better.
    pub(crate) better: Better,
    /// What it must reach.
    pub(crate) must: f64,
    /// What it should.
    pub(crate) aim: f64,
}

impl Verdict {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Aim => "aim",
            Self::Must => "must",
            Self::Missed => "missed",
            Self::NotRun => "not run",
        }
    }
}

impl Bounds {
    /// More than this.
    pub(crate) const fn at_least(must: f64, aim: f64) -> Self {
        let better = Better::Higher;
        Self { better, must, aim }
    }

    /// Less than this.
    pub(crate) const fn at_most(must: f64, aim: f64) -> Self {
        let better = Better::Lower;
        Self { better, must, aim }
    }

    /// How far a value came; what is no number has missed.
    pub(crate) fn judge(&self, value: Option<f64>) -> Verdict {
        let Some(value) = value else {
            return Verdict::NotRun;
        };
        let reaches = |bound: f64| match self.better {
            Better::Higher => value >= bound,
            Better::Lower => value <= bound,
        };
        match (reaches(self.aim), reaches(self.must)) {
            (true, _) => Verdict::Aim,
            (false, true) => Verdict::Must,
            (false, false) => Verdict::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_better_where_at_least_is_asked() {
        let bounds = Bounds::at_least(0.4, 0.5);
        let verdicts = [0.3, 0.4, 0.49, 0.5, 0.9].map(|value| bounds.judge(Some(value)));
        let expected = [
            Verdict::Missed,
            Verdict::Must,
            Verdict::Must,
            Verdict::Aim,
            Verdict::Aim,
        ];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn less_is_better_where_at_most_is_asked() {
        let bounds = Bounds::at_most(24.0, 15.0);
        let verdicts = [25.0, 24.0, 15.0, 0.0].map(|value| bounds.judge(Some(value)));
        assert_eq!(
            verdicts,
            [Verdict::Missed, Verdict::Must, Verdict::Aim, Verdict::Aim]
        );
    }

    #[test]
    fn what_was_not_measured_was_not_run_and_what_is_no_number_has_missed() {
        let bounds = Bounds::at_most(2.0, 1.0);
        assert_eq!(bounds.judge(None), Verdict::NotRun);
        assert_eq!(bounds.judge(Some(f64::NAN)), Verdict::Missed);
    }
}
