//! Waiting for the world, within a bound.

use std::time::Duration;

/// Far more than anything here takes, on a machine that is busy with other things.
const BOUND: Duration = Duration::from_secs(60);
const PACE: Duration = Duration::from_millis(10);

/// Asks `question` until it has an answer, and gives the answer.
///
/// # Panics
/// There is no answer within a minute; the message says what was waited for.
pub async fn eventually<T>(what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            tokio::time::sleep(PACE).await;
        }
    };
    match tokio::time::timeout(BOUND, asked).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {BOUND:?} in vain for {what}"),
    }
}
