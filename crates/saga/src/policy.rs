//! How patient a saga is with a step.

use std::time::Duration;

/// How patient a saga is with a step that sends a command. Data: may be tuned while sagas run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long the first answer may take, from the moment the command was published.
    pub deadline: Duration,
    /// How often the command is sent in all, at least once.
    pub attempts: u32,
    /// Each further attempt may take this many times as long as the one before it.
    pub backoff: u32,
    /// No attempt may take longer than this.
    pub longest: Duration,
}

impl Default for Policy {
    /// 10 s, then 20, 40, 60 and 60: a participant may be restarted, and its machine as well, before it counts as silent.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            attempts: 5,
            backoff: 2,
            longest: Duration::from_secs(60),
        }
    }
}

impl Policy {
    /// How long an answer to the given attempt may take; attempts are counted from 1.
    #[must_use]
    pub fn patience(&self, attempt: u32) -> Duration {
        let factor = self.backoff.saturating_pow(attempt.saturating_sub(1));
        self.deadline.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_up_to_a_bound() {
        let policy = Policy::default();
        let seconds = (1..=5).map(|attempt| policy.patience(attempt).as_secs());
        assert_eq!(seconds.collect::<Vec<_>>(), [10, 20, 40, 60, 60]);
    }

    #[test]
    fn no_attempt_is_so_late_that_its_patience_overflows() {
        assert_eq!(
            Policy::default().patience(u32::MAX),
            Duration::from_secs(60)
        );
    }
}
