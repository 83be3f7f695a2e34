//! Between two loopback connections: program ↔ cage side, host side ↔ server.

use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use super::*;
use crate::tests::run;

/// A program, a server, and the pump between them.
async fn world() -> (TcpStream, TcpStream, JoinHandle<()>) {
    let (program, cage) = pair(None).await;
    let (host, server) = pair(None).await;
    (program, server, tokio::task::spawn_local(pump(cage, host)))
}

/// A connection over loopback, with small buffers if asked for.
async fn pair(room: Option<u32>) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(room) = room {
        socket.set_recv_buffer_size(room).unwrap();
        socket.set_send_buffer_size(room).unwrap();
    }
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(socket.connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// Bytes in which a lost, doubled or moved piece is found (xorshift, seeded).
fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    let words = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()
    });
    words.flatten().take(len).collect()
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
