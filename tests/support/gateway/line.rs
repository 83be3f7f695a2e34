//! A long way between the client and what serves it, as a circuit through Tor is.
//!
//! What goes in at one end comes out at the other half a round trip later, however much is under way. The reply to the
//! CONNECT travels like everything else; what the client sends before it has come (optimistic data) does not wait for it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::answer;
use super::options::Fault;
use super::relay::{BUFFER, SMALL};

/// Reads that may be under way in one direction; who sends more has to wait.
const UNDER_WAY: usize = 64;

/// A way of some length, and what has been asked for at its far end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Half a round trip.
    half: Duration,
    /// When the far end is connected to the target: it passes nothing on before.
    connected: Instant,
}

/// What one direction begins with: these bytes, and nothing before this time.
struct Head<'a> {
    due: Instant,
    bytes: &'a [u8],
    fault: Option<Fault>,
}

impl Line {
    /// The line of a request that arrives now; the far end needs `delay` to do what it asks for.
    pub(crate) fn of_request(round_trip: Duration, delay: Duration) -> Self {
        let half = round_trip / 2;
        Self { half, connected: Instant::now() + half + delay }
    }

    /// When the reply has come back.
    pub(crate) fn reply_due(&self) -> Instant {
        self.connected + self.half
    }

    /// Carries between the client, whose first bytes were `early`, and the far end. The reply is written when it is due.
    pub(crate) async fn carry(
        &self,
        client: impl AsyncRead + AsyncWrite,
        far: impl AsyncRead + AsyncWrite,
        early: &[u8],
        reply: &[u8],
        fault: Option<Fault>,
    ) -> io::Result<()> {
        let (from_client, to_client) = split(client);
        let (from_far, to_far) = split(far);
        let there = Head { due: self.connected, bytes: &[], fault: None };
        let back = Head { due: self.reply_due(), bytes: reply, fault };
        tokio::try_join!(self.pass(early.chain(from_client), to_far, there), self.pass(from_far, to_client, back),)?;
        Ok(())
    }

    /// One direction, until its end has been passed on. An error of either side ends it at once.
    async fn pass(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        head: Head<'_>,
    ) -> io::Result<()> {
        let (sender, mut under_way) = mpsc::channel(UNDER_WAY);
        let take_in = async {
            let mut buffer = vec![0; SMALL];
            loop {
                let count = from.read(&mut buffer).await?;
                // The receiver goes away behind the end, and with an error that ends this direction anyway.
                let sent = sender.send((Instant::now() + self.half, buffer[..count].to_vec())).await;
                if count == 0 || sent.is_err() {
                    return Ok(());
                }
                if count == buffer.len() {
                    buffer.resize(BUFFER, 0);
                }
            }
        };
        let give_out = async {
            sleep_until(head.due).await;
            answer::reply(&mut to, head.bytes, head.fault).await?;
            while let Some((due, bytes)) = under_way.recv().await {
                sleep_until(due).await;
                if bytes.is_empty() {
                    break;
                }
                to.write_all(&bytes).await?;
            }
            to.shutdown().await
        };
        tokio::try_join!(take_in, give_out)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(300);
    /// Time stands still in these tests, but timers go by the millisecond.
    const TICK: Duration = Duration::from_millis(2);

    /// What a client reads that sends `early` with its request and `late` (when it has the reply), of a far end that
    /// sends everything back; and when each byte has come.
    async fn exchange(delay: Duration, early: &'static [u8], late: &'static [u8]) -> Vec<(u8, Duration)> {
        let start = Instant::now();
        let line = Line::of_request(ROUND_TRIP, delay);
        let (mut client, near) = duplex(BUFFER);
        let (mut echo, far) = duplex(BUFFER);
        tokio::spawn(async move {
            let (mut from, mut to) = split(&mut echo);
            tokio::io::copy(&mut from, &mut to).await.expect("an echo");
            to.shutdown().await.expect("an end");
        });
        let carried = tokio::spawn(async move { line.carry(near, far, early, b"R", None).await });
        let mut got = vec![(client.read_u8().await.expect("a reply"), start.elapsed())];
        client.write_all(late).await.expect("sent");
        client.shutdown().await.expect("an end");
        while let Ok(byte) = client.read_u8().await {
            got.push((byte, start.elapsed()));
        }
        carried.await.expect("no panic").expect("carried");
        got
    }

    fn assert_came(got: &[(u8, Duration)], expected: &[(u8, u64)]) {
        assert_eq!(got.len(), expected.len(), "{got:?}");
        for ((byte, came), (expected, at)) in got.iter().zip(expected) {
            let at = Duration::from_millis(*at);
            assert!(byte == expected && (at..=at + TICK).contains(came), "{got:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_a_round_trip_from_its_question() {
        assert_came(&exchange(Duration::ZERO, b"", b"ab").await, &[(b'R', 300), (b'a', 600), (b'b', 600)]);
    }

    #[tokio::test(start_paused = true)]
    async fn early_data_does_not_wait_for_the_reply() {
        assert_came(&exchange(Duration::ZERO, b"e", b"l").await, &[(b'R', 300), (b'e', 300), (b'l', 600)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_far_end_needs_is_added() {
        let got = exchange(Duration::from_millis(500), b"e", b"").await;
        assert_came(&got, &[(b'R', 800), (b'e', 800)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_meanwhile_is_counted_from_its_own_arrival() {
        let start = Instant::now();
        let line = Line::of_request(ROUND_TRIP, Duration::ZERO);
        let (mut client, near) = duplex(BUFFER);
        let (mut target, far) = duplex(BUFFER);
        let carried = tokio::spawn(async move { line.carry(near, far, b"", b"R", None).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.write_u8(b'm').await.expect("sent");
        let byte = target.read_u8().await.expect("passed on");
        assert_came(&[(byte, start.elapsed())], &[(b'm', 250)]);
        drop((client, target));
        // Nobody is left to take the reply.
        carried.await.expect("no panic").expect_err("a broken pipe");
    }
}
