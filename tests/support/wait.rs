//! Waiting for a condition with a deadline: the lab never sleeps for a fixed time and hopes.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(10);

/// Calls `condition` until it gives a value or `limit` has passed; `None` when time ran out.
///
/// The condition is tried at least once, and once more after the deadline.
pub fn wait_until<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return condition();
        }
        sleep(STEP);
    }
}
