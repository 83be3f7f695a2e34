//! Urgent bytes (`MSG_OOB`).

use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;

/// Waits until an urgent byte is there, and takes what comes before it, then the byte: as a receiver does that has not asked
/// for it to be in line.
async fn until_urgent(stream: &TcpStream) -> (Vec<u8>, u8) {
    let deadline = Instant::now() + Duration::from_secs(10);
    // The event loop can't tell: a byte that comes alone makes nothing readable.
    let mut set = [PollFd::new(stream.as_fd(), PollFlags::POLLPRI)];
    while poll(&mut set, PollTimeout::ZERO).unwrap() == 0 {
        assert!(Instant::now() < deadline, "no urgent byte");
        tokio::task::yield_now().await;
    }
    let (mut before, mut byte) = (Vec::new(), [0]);
    while !is_at_mark(stream).unwrap() {
        let mut buffer = [0; 64];
        let read = recv(stream.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).unwrap();
        before.extend(&buffer[..read]);
    }
    assert_eq!(recv(stream.as_raw_fd(), &mut byte, MsgFlags::MSG_OOB), Ok(1));
    (before, byte[0])
}

#[test]
fn an_urgent_byte_is_urgent_at_its_place() {
    run(async {
        for program_first in [true, false] {
            let (program, server, pump) = world().await;
            let (mut first, mut second) = if program_first { (program, server) } else { (server, program) };
            first.write_all(b"before").await.unwrap();
            drain(b"!", MsgFlags::MSG_OOB, &first).await.unwrap();
            first.write_all(b"after").await.unwrap();
            assert_eq!(until_urgent(&second).await, (b"before".to_vec(), b'!'));
            let mut after = [0; 5];
            second.read_exact(&mut after).await.unwrap();
            assert_eq!(&after, b"after");
            // One alone, and one at the end.
            drain(b"1", MsgFlags::MSG_OOB, &first).await.unwrap();
            assert_eq!(until_urgent(&second).await, (vec![], b'1'));
            first.write_all(b"last").await.unwrap();
            drain(b"2", MsgFlags::MSG_OOB, &first).await.unwrap();
            first.shutdown().await.unwrap();
            assert_eq!(until_urgent(&second).await, (b"last".to_vec(), b'2'));
            assert_eq!(to_the_end(&mut second).await, b"");
            drop(second);
            pump.await.unwrap();
            assert!(first.take_error().unwrap().is_none(), "an orderly end");
        }
    });
}

#[test]
fn urgent_bytes_among_others_are_not_lost_doubled_or_moved() {
    run(async {
        let (program, cage) = pair(None).await;
        let (host, server) = pair(None).await;
        // Then every byte is in the stream, also one that a later one supersedes.
        setsockopt(&server, sockopt::OobInline, &true).unwrap();
        let pump = tokio::task::spawn_local(pump(cage, host, pending()));
        let data = noise(1 << 20, 5);
        let sending = async {
            for (index, chunk) in data.chunks(1000).enumerate() {
                // None, one, two in a row.
                let (plain, marks) = chunk.split_at(chunk.len() - index % 3);
                drain(plain, MsgFlags::empty(), &program).await.unwrap();
                for byte in marks {
                    drain(&[*byte], MsgFlags::MSG_OOB, &program).await.unwrap();
                }
            }
            shutdown(program.as_raw_fd(), Shutdown::Write).unwrap();
        };
        let mut server = server;
        let (got, ()) = tokio::join!(to_the_end(&mut server), sending);
        assert!(got == data, "what came is not what was sent");
        drop((server, program));
        pump.await.unwrap();
    });
}

#[test]
fn an_urgent_byte_that_came_before_the_pump_is_passed_on_once() {
    run(async {
        let (program, cage) = pair(None).await;
        let (host, server) = pair(None).await;
        drain(b"!", MsgFlags::MSG_OOB, &server).await.unwrap();
        // Until the event loop has seen what there is to see.
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let pump = tokio::task::spawn_local(pump(cage, host, pending()));
        assert_eq!(until_urgent(&program).await, (vec![], b'!'));
        // The clock goes on by itself only as long as nobody does anything.
        assert!(tokio::time::timeout(Duration::from_secs(1000), pump).await.is_err());
    });
}
