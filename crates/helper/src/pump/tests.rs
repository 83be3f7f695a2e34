//! Between two loopback connections: program ↔ cage side, host side ↔ server.

mod early;
mod urgent;

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use super::*;
use crate::tests::run;

/// A program, a server, and the pump between them.
async fn world() -> (TcpStream, TcpStream, JoinHandle<()>) {
    let (program, cage) = pair(None).await;
    let (host, server) = pair(None).await;
    (program, server, tokio::task::spawn_local(pump(cage, host, pending())))
}

/// A connection over loopback, with buffers of about this size if one is given.
async fn pair(room: Option<u32>) -> (TcpStream, TcpStream) {
    let sockets = [(); 2].map(|()| TcpSocket::new_v4().unwrap());
    for (socket, room) in sockets.iter().zip([room; 2]) {
        if let Some(room) = room {
            socket.set_recv_buffer_size(room).unwrap();
            socket.set_send_buffer_size(room).unwrap();
        }
    }
    let [near, far] = sockets;
    far.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = far.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(near.connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// Closes a connection with a reset.
fn reset(stream: TcpStream) {
    setsockopt(&stream, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 }).unwrap();
    drop(stream);
}

/// Bytes in which a lost, doubled or moved piece is found (xorshift, seeded).
fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    for chunk in bytes.chunks_exact_mut(8) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        chunk.copy_from_slice(&seed.to_le_bytes());
    }
    bytes
}

async fn to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[test]
fn much_both_ways_at_once() {
    run(async {
        let (program, server, pump) = world().await;
        let data = Rc::new([noise(64 << 20, 1), noise(64 << 20, 2)]);
        let mut tasks = Vec::new();
        for (stream, own) in [(program, 0), (server, 1)] {
            let data = Rc::clone(&data);
            tasks.push(tokio::task::spawn_local(async move {
                let (mut read, mut write) = stream.into_split();
                let mut got = Vec::new();
                let send = async {
                    write.write_all(&data[own]).await.unwrap();
                    write.shutdown().await.unwrap();
                };
                let ((), read) = tokio::join!(send, read.read_to_end(&mut got));
                read.unwrap();
                assert!(got == data[1 - own], "what came is not what was sent");
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        pump.await.unwrap();
    });
}

#[test]
fn many_connections_share_the_pipe() {
    run(async {
        let mut tasks = Vec::new();
        for seed in 1..=40 {
            let (mut program, mut server, pump) = world().await;
            tasks.push(tokio::task::spawn_local(async move {
                let data = noise(1 << 20, seed);
                let (read, write) = tokio::join!(
                    async {
                        // Slower than it is sent.
                        let mut got = Vec::new();
                        while server.read_buf(&mut got).await.unwrap() > 0 {
                            tokio::task::yield_now().await;
                        }
                        got
                    },
                    async {
                        program.write_all(&data).await.unwrap();
                        program.shutdown().await
                    }
                );
                write.unwrap();
                assert!(read == data, "what came is not what was sent");
                drop(server);
                pump.await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn an_end_is_passed_on_behind_the_data_and_the_other_way_goes_on() {
    run(async {
        for program_first in [true, false] {
            let (program, server, pump) = world().await;
            let (mut first, mut second) = if program_first { (program, server) } else { (server, program) };
            first.write_all(b"request").await.unwrap();
            first.shutdown().await.unwrap();
            assert_eq!(to_the_end(&mut second).await, b"request");
            let response = noise(4 << 20, 3);
            let answering = async {
                second.write_all(&response).await.unwrap();
                second.shutdown().await.unwrap();
            };
            let (got, ()) = tokio::join!(to_the_end(&mut first), answering);
            assert!(got == response);
            pump.await.unwrap();
            // An orderly end, no reset.
            assert!(first.take_error().unwrap().is_none() && second.take_error().unwrap().is_none());
        }
    });
}

#[test]
fn a_reset_is_passed_on() {
    run(async {
        for program_first in [true, false] {
            let (program, server, pump) = world().await;
            let (mut first, mut second) = if program_first { (program, server) } else { (server, program) };
            first.write_all(b"data").await.unwrap();
            let mut got = [0; 4];
            second.read_exact(&mut got).await.unwrap();
            reset(first);
            assert_eq!(second.read(&mut got).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
            pump.await.unwrap();
        }
    });
}

#[test]
fn a_reset_behind_an_end_is_passed_on() {
    run(async {
        for program_first in [true, false] {
            let (program, server, pump) = world().await;
            let (mut first, mut second) = if program_first { (program, server) } else { (server, program) };
            first.shutdown().await.unwrap();
            assert_eq!(to_the_end(&mut second).await, b"");
            reset(first);
            pump.await.unwrap();
            assert!(second.take_error().unwrap().is_some());
        }
    });
}

#[test]
fn a_reset_while_the_other_side_is_full_is_passed_on() {
    run(async {
        let (program, server, pump) = world().await;
        // Until there is no more room anywhere: the clock stands still as long as anything moves.
        tokio::time::pause();
        while tokio::time::timeout(Duration::from_secs(1), program.writable()).await.is_ok() {
            let _ = program.try_write(&[0; 8192]);
        }
        reset(server);
        pump.await.unwrap();
        assert_eq!(program.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reader_that_is_slow_holds_the_sender_up() {
    const SMALL: u32 = 64 * 1024;
    run(async {
        let (mut program, cage) = pair(Some(SMALL)).await;
        let (host, mut server) = pair(Some(SMALL)).await;
        let pump = tokio::task::spawn_local(pump(cage, host, pending()));
        tokio::time::pause();
        let data = noise(8 << 20, 4);
        let mut sent = 0;
        while tokio::time::timeout(Duration::from_secs(1), program.writable()).await.is_ok() {
            sent += unless_blocked(program.try_write(&data[sent..])).unwrap().unwrap_or(0);
        }
        // Four socket buffers, which the kernel doubles, and the pipe.
        assert!(sent < 4 * 2 * SMALL as usize + ROOM.unsigned_abs() as usize, "{sent}");
        tokio::time::resume();
        let sending = async {
            program.write_all(&data[sent..]).await.unwrap();
            program.shutdown().await.unwrap();
        };
        let (got, ()) = tokio::join!(to_the_end(&mut server), sending);
        assert!(got == data, "what came is not what was sent");
        drop((program, server));
        pump.await.unwrap();
    });
}

#[test]
fn nothing_of_a_broken_connection_reaches_the_next() {
    run(async {
        let (mut program, cage) = pair(None).await;
        let (host, server) = pair(None).await;
        // The bytes get as far as the pipe.
        shutdown(host.as_raw_fd(), Shutdown::Write).unwrap();
        program.write_all(b"secret").await.unwrap();
        cage.readable().await.unwrap();
        assert!(copy(&cage, &host).is_err());
        let (mut other, mut other_server, _pump) = world().await;
        other.write_all(b"other").await.unwrap();
        let mut got = [0; 5];
        other_server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"other");
        drop((program, server));
    });
}

#[test]
fn a_broken_connection_is_no_signal() {
    run(async {
        let (program, cage) = pair(None).await;
        // Whatever this process does with the signal, the pump's thread does not get it.
        assert!(matches!(copy(&cage, &program).unwrap(), Step::Nothing));
        assert!(SigSet::thread_get_mask().unwrap().contains(Signal::SIGPIPE));
    });
}

#[test]
fn what_nobody_reads_any_more_is_not_waited_for() {
    run(async {
        let (mut program, cage) = pair(None).await;
        let (host, mut server) = pair(None).await;
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let pump = tokio::task::spawn_local(pump(cage, host, async { ended.await.unwrap_or_default() }));
        end.send(()).unwrap();
        program.write_all(b"last words").await.unwrap();
        drop(program);
        let mut words = Vec::new();
        server.read_to_end(&mut words).await.unwrap();
        assert_eq!(words, b"last words");
        // The server has not closed its side.
        pump.await.unwrap();
    });
}

#[test]
fn an_idle_connection_is_small() {
    run(async {
        let (_program, cage) = pair(None).await;
        let (host, _server) = pair(None).await;
        let size = size_of_val(&pump(cage, host, pending()));
        assert!(size <= 1200, "{size}");
    });
}
