//! One command's clock, from call to call.
//!
//! A clock is never less ahead than it was: an earlier call may still run and has then seen the time up to now, as far ahead
//! as it was itself. Were the whole hour open to every call, all clocks would soon be an hour ahead and agree. So each
//! draws, once, how far it ever goes, and every call takes it a random part of the way that is left.

use std::time::Duration;

/// As far as a clock is ahead, in microseconds: an hour, which no certificate and no signature minds.
pub(super) const MOST: u64 = 3_600_000_000;

/// A call takes it at most this part of the way that is left.
const PART: u64 = 8;

/// One command's clock, all in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// What it showed when the command started last, since 1970 (time(2)).
    start: u64,
    /// How far ahead that was.
    ahead: u64,
    /// How far ahead it ever will be.
    limit: u64,
}

impl Clock {
    /// Of the first call.
    pub(super) fn first(now: u64, random: [u64; 2]) -> Self {
        let ahead = up_to(MOST, random[0]);
        Self { start: now.saturating_add(ahead), ahead, limit: ahead + up_to(MOST - ahead, random[1]) }
    }

    /// Of the next call; `None` if the real clock was set back so far that this one would go back as well.
    pub(super) fn next(self, now: u64, random: u64) -> Option<Self> {
        let least = self.ahead.max(self.start.saturating_sub(now));
        let left = self.limit.max(least).min(MOST).checked_sub(least)?;
        let ahead = least + up_to(left / PART, random);
        Some(Self { start: now.saturating_add(ahead), ahead, limit: least + left })
    }

    /// How far it is ahead of the real one.
    pub(super) fn ahead(self) -> Duration {
        Duration::from_micros(self.ahead)
    }

    /// What [`std::fmt::Display`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n')?.split(' ').map(number);
        let (start, ahead, limit) = (words.next()??, words.next()??, words.next()??);
        let whole = words.next().is_none() && ahead <= limit && limit <= MOST && ahead <= start;
        whole.then_some(Self { start, ahead, limit })
    }
}

impl std::fmt::Display for Clock {
    /// A line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {} {}", self.start, self.ahead, self.limit)
    }
}

/// Digits only: `FromStr` takes a sign too.
fn number(word: &str) -> Option<u64> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

/// A number from 0 to `most`, each as likely as the others to within one in 2³¹.
fn up_to(most: u64, random: u64) -> u64 {
    let count = u128::from(most) + 1;
    u64::try_from((u128::from(random) * count) >> 64).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000;
    const MINUTE: u64 = 60_000_000;

    /// Different numbers (SplitMix64).
    fn numbers() -> impl FnMut() -> u64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        }
    }

    #[test]
    fn the_first_is_anywhere_within_the_hour() {
        assert_eq!((up_to(MOST, 0), up_to(MOST, u64::MAX), up_to(0, u64::MAX)), (0, MOST, 0));
        let mut random = numbers();
        let mut sixths = [0; 6];
        for _ in 0..6000 {
            let clock = Clock::first(NOW, [random(), random()]);
            assert!(clock.ahead <= clock.limit && clock.limit <= MOST, "{clock:?}");
            assert_eq!(clock.start, NOW + clock.ahead);
            sixths[usize::try_from(clock.ahead * 6 / (MOST + 1)).expect("small")] += 1;
        }
        assert!(sixths.iter().all(|count| (800..1200).contains(count)), "{sixths:?}");
    }

    /// What a call shows lies within the hour, and is never behind what another one that still runs shows now.
    #[test]
    fn it_only_goes_forward() {
        let mut random = numbers();
        for _ in 0..200 {
            let mut now = NOW;
            let mut clock = Clock::first(now, [random(), random()]);
            let limit = clock.limit;
            for _ in 0..200 {
                now += random() % MINUTE;
                let next = clock.next(now, random()).expect("the real clock goes forward");
                assert!(next.ahead >= clock.ahead && next.ahead <= limit, "{clock:?} {next:?}");
                assert_eq!((next.start, next.limit), (now + next.ahead, limit));
                clock = next;
            }
        }
    }

    #[test]
    fn many_calls_do_not_bring_two_clocks_together() {
        let mut random = numbers();
        let mut ends: Vec<u64> = (0..500)
            .map(|_| {
                let first = Clock::first(NOW, [random(), random()]);
                (0..1000).fold(first, |clock, _| clock.next(NOW, random()).expect("possible")).ahead
            })
            .collect();
        ends.sort_unstable();
        assert!(ends[50] < 45 * MINUTE, "{}", ends[50]);
        assert!(ends.windows(2).filter(|pair| pair[1] - pair[0] < 1000).count() < 20, "{ends:?}");
    }

    #[test]
    fn the_real_clock_was_set_back() {
        let clock = Clock { start: NOW + 10 * MINUTE, ahead: 10 * MINUTE, limit: 20 * MINUTE };
        let next = clock.next(NOW - 5 * MINUTE, u64::MAX).expect("possible");
        assert!(next.start >= clock.start && next.limit == 20 * MINUTE, "{next:?}");
        let next = clock.next(NOW - 40 * MINUTE, u64::MAX).expect("possible");
        assert_eq!((next.start, next.ahead, next.limit), (clock.start, 50 * MINUTE, 50 * MINUTE), "it stands still");
        assert_eq!(clock.next(NOW - 50 * MINUTE, 0).expect("possible").ahead, MOST);
        assert_eq!(clock.next(NOW - 50 * MINUTE - 1, 0), None);
    }

    #[test]
    fn lines() {
        let clock = Clock { start: NOW, ahead: 0, limit: MOST };
        assert_eq!(Clock::parse(&clock.to_string()), Some(clock));
        for text in [
            "",
            "\n",
            "5 1 2",
            "5 1\n",
            "5 1 2 3\n",
            "5 1 2\n\n",
            "5  1 2\n",
            "5 2 1\n",
            "5 1 3600000001\n",
            "1 2 3\n",
            "+5 1 2\n",
            "5 1 \n",
            "5 1 99999999999999999999\n",
            "x 1 2\n",
        ] {
            assert_eq!(Clock::parse(text), None, "{text:?}");
        }
    }
}
