//! How patient orders are with those who do not answer.

use std::time::Duration;

use saga::Policy;

/// How patient orders are with those who do not answer.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Patience {
    /// How long a participant may take to answer, in milliseconds, from the moment the command was published.
    #[arg(long, env = "SAGA_DEADLINE_MS", default_value_t = Self::default().saga_deadline_ms,
          value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub saga_deadline_ms: u64,

    /// How often a command is sent in all. Each attempt may take twice as long as the one before it.
    #[arg(long, env = "SAGA_ATTEMPTS", default_value_t = Self::default().saga_attempts,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub saga_attempts: u32,

    /// No attempt may take longer than this, in milliseconds.
    #[arg(long, env = "SAGA_LONGEST_MS", default_value_t = Self::default().saga_longest_ms,
          value_parser = clap::value_parser!(u64).range(100..=86_400_000))]
    pub saga_longest_ms: u64,
}

impl Default for Patience {
    /// 10 s, then 20, 40, 60 and 60: a participant may be restarted, and its machine as well, before it counts as silent.
    fn default() -> Self {
        Self {
            saga_deadline_ms: 10_000,
            saga_attempts: 5,
            saga_longest_ms: 60_000,
        }
    }
}

impl Patience {
    pub(crate) fn policy(self) -> Policy {
        Policy {
            deadline: Duration::from_millis(self.saga_deadline_ms),
            attempts: self.saga_attempts,
            backoff: 2,
            longest: Duration::from_millis(self.saga_longest_ms),
        }
    }
}
