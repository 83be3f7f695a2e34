//! What is sent before the gateway has answered.

use tokio::sync::oneshot;

use super::*;

/// A program, a server, and the pump between them, which has asked for the connection: the receiver says with what result.
async fn asked() -> (TcpStream, TcpStream, oneshot::Sender<bool>, JoinHandle<()>) {
    let (program, cage) = pair(None).await;
    let (host, server) = pair(None).await;
    let (answer, answered) = oneshot::channel();
    let granted = async |_: &TcpStream| answered.await.unwrap();
    (program, server, answer, tokio::task::spawn_local(pump_early(cage, host, granted, pending())))
}

#[test]
fn what_is_sent_early_goes_out_and_nothing_comes_back_before_the_answer() {
    run(async {
        let (mut program, mut server, answer, pump) = asked().await;
        program.write_all(b"request").await.unwrap();
        program.shutdown().await.unwrap();
        let mut request = [0; 7];
        server.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"request");
        // It would be the answer of a gateway, which is not the program's.
        server.write_all(b"response").await.unwrap();
        tokio::time::pause();
        for (stream, what) in [(&program, "a response"), (&server, "an end")] {
            let early = tokio::time::timeout(Duration::from_secs(1), stream.readable()).await;
            assert!(early.is_err() || stream.try_read(&mut [0]).is_err(), "{what} before the answer");
        }
        tokio::time::resume();
        answer.send(true).unwrap();
        assert_eq!(to_the_end(&mut server).await, b"");
        drop(server);
        assert_eq!(to_the_end(&mut program).await, b"response");
        pump.await.unwrap();
        assert!(program.take_error().unwrap().is_none());
    });
}

#[test]
fn a_refusal_is_a_reset() {
    run(async {
        for early in [&b""[..], b"request"] {
            let (mut program, mut server, answer, pump) = asked().await;
            program.write_all(early).await.unwrap();
            let mut got = vec![0; early.len()];
            server.read_exact(&mut got).await.unwrap();
            answer.send(false).unwrap();
            pump.await.unwrap();
            assert_eq!(program.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
            assert!(!matches!(server.read(&mut [0]).await, Ok(1..)));
        }
    });
}

#[test]
fn a_program_that_resets_does_not_wait_for_the_answer() {
    run(async {
        let (program, mut server, mut answer, pump) = asked().await;
        reset(program);
        pump.await.unwrap();
        answer.closed().await;
        assert_eq!(server.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn what_was_sent_early_is_delivered_when_nobody_reads_any_more() {
    run(async {
        let (mut program, cage) = pair(None).await;
        let (host, mut server) = pair(None).await;
        let (answer, answered) = oneshot::channel();
        let granted = async |_: &TcpStream| answered.await.unwrap();
        let pump = tokio::task::spawn_local(pump_early(cage, host, granted, std::future::ready(())));
        program.write_all(b"last words").await.unwrap();
        drop(program);
        answer.send(true).unwrap();
        assert_eq!(to_the_end(&mut server).await, b"last words");
        pump.await.unwrap();
    });
}
