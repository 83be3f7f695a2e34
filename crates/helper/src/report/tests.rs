//! What is written, by processes of these tests.

use std::io::{BufReader, Read as _, pipe};
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, fcntl};
use uwt_policy::{Errno, SocketSpec};
use uwt_report::{Destination, Layer, Outcome, Reader, Transport};
use uwt_session::Session;
use uwt_session::report::{Deed, Ended, MAX_TOLD, Told};

use super::*;
use crate::stub;
use crate::tests::{GUARD, run, session};

const DONE: Ended = Ended::by_gateway(0);
const NO_SOCKET: SocketSpec = SocketSpec { domain: 0, kind: 0, protocol: 0 };

/// A helper's state with a report that goes into a pipe.
fn reporting(writer: io::PipeWriter) -> Rc<Shared> {
    let mut shared = Shared::new(GUARD, session());
    shared.report = Report::into(writer.into(), std::process::id()).unwrap();
    Rc::new(shared)
}

/// The events of a pipe whose other end is closed.
fn events(reader: io::PipeReader) -> Vec<Event> {
    Reader::new(BufReader::new(reader)).map(|event| event.expect("an event")).collect()
}

/// A program that runs until its input ends.
fn cat() -> Child {
    running(Command::new("/bin/cat"))
}

/// Starts a program, and waits until /proc shows all of it: the parent goes on a little earlier.
fn running(mut command: Command) -> Child {
    let program = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while std::fs::read(format!("/proc/{}/cmdline", program.id())).unwrap().is_empty() {
        std::thread::yield_now();
    }
    program
}

fn end(mut program: Child) -> String {
    drop(program.stdin.take());
    let mut text = String::new();
    program.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    program.wait().unwrap();
    text
}

fn local(port: u16) -> Happening {
    Happening::Local {
        layer: Layer::Cage,
        destination: Destination { host: "127.0.0.1".to_owned(), port },
        failed: None,
    }
}

#[test]
fn a_program_comes_before_what_it_does() {
    let (reader, writer) = pipe().unwrap();
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let process = shared.tree.process(program.id()).unwrap();
        shared.begin();
        shared.happened(&process, || local(1));
        shared.happened(&process, || local(2));
        // The same program once more, this time with the preload.
        shared.began(&process);
        shared.happened_by(&process, Witness::Preload, || local(3));
        shared.happened_somewhere(|| local(4));
        end(program);
        let written = |preload| Happening::Process {
            parent: Some(std::process::id()),
            program: Some(std::fs::canonicalize("/bin/cat").unwrap().display().to_string()),
            arguments: vec!["/bin/cat".to_owned()],
            preload,
        };
        let ids = (process.pid, process.start);
        let first = shared.report.0.as_ref().unwrap().first;
        drop(shared);
        let events = events(reader);
        let happenings: Vec<_> = events.iter().map(|event| event.happening.clone()).collect();
        let begin = Happening::Begin {
            guard: GuardLevel::Tunnel,
            scope: "process".to_owned(),
            gateway: Destination { host: "127.0.0.1".to_owned(), port: 9 },
        };
        assert_eq!(happenings, [begin, written(false), local(1), local(2), written(true), local(3), local(4)]);
        let known: Vec<_> = events.iter().map(|event| (event.pid, event.start)).collect();
        assert_eq!(known, [first, ids, ids, ids, ids, ids, (0, 0)]);
        assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
    });
}

/// A shell that executes a program when it is told to.
fn shell(script: &str) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    running(command)
}

#[test]
fn what_a_process_becomes_is_seen_and_what_has_ended_is_not_forgotten() {
    let (reader, writer) = pipe().unwrap();
    run(async {
        let shared = reporting(writer);
        let mut program = shell("read a; exec cat");
        let process = shared.tree.process(program.id()).unwrap();
        let since = shared.will_execute(&process);
        executes(&shared, &process, since);
        io::Write::write_all(program.stdin.as_mut().unwrap(), b"\n").unwrap();
        // Seen by the looks alone: nothing else says what it is.
        let open = shared.report.0.as_ref().unwrap();
        while !open.programs.unsettled().is_empty() {
            sleep(FIRST_LOOK).await;
        }
        end(program);
        // Over before it is looked.
        let program = shell("read a");
        let process = shared.tree.process(program.id()).unwrap();
        shared.will_execute(&process);
        end(program);
        finish(&shared).await;
        drop(shared);
    });
    let mut events = events(reader);
    assert_eq!(events.pop().unwrap().happening, Happening::End);
    let programs: Vec<_> = events
        .into_iter()
        .map(|event| match event.happening {
            Happening::Process { parent, program, arguments, preload: false } => (parent, program, arguments),
            other => panic!("{other:?}"),
        })
        .collect();
    let cat = std::fs::canonicalize("/bin/cat").unwrap().display().to_string();
    let own = Some(std::process::id());
    assert_eq!(programs, [(own, Some(cat), vec!["cat".to_owned()]), (own, None, Vec::new())]);
}

#[test]
fn what_could_not_be_executed_has_changed_nothing() {
    let (reader, writer) = pipe().unwrap();
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let process = shared.tree.process(program.id()).unwrap();
        shared.began(&process);
        shared.will_execute(&process);
        shared.stayed(&process);
        shared.will_execute(&process);
        shared.happened(&process, || local(1));
        end(program);
        finish(&shared).await;
        drop(shared);
    });
    let happenings: Vec<_> = events(reader).into_iter().map(|event| event.happening).collect();
    let [Happening::Process { preload: true, .. }, happened, Happening::End] = &happenings[..] else {
        panic!("{happenings:?}")
    };
    assert_eq!(*happened, local(1));
}

#[test]
fn what_the_preload_tells() {
    let (reader, writer) = pipe().unwrap();
    let cases = [
        (Deed::Connect, DONE, NO_SOCKET, "a.example", 443, "uwt-1"),
        (Deed::Resolve, Ended::by_gateway(4), NO_SOCKET, "a.example", 0, ""),
        (Deed::Direct, DONE, NO_SOCKET, "::1", 631, ""),
        (Deed::Listen, DONE, NO_SOCKET, "127.0.0.1", 8080, ""),
        (Deed::NoSend, Ended::with(Errno::EACCES), SocketSpec::from_raw(2, 2, 17), "192.0.2.1", 123, ""),
        (Deed::NoRing, Ended::with(Errno::ENOSYS), NO_SOCKET, "", 0, ""),
    ];
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let process = shared.tree.process(program.id()).unwrap();
        for (deed, ended, socket, host, port, credential) in cases {
            let mut body = [0; MAX_TOLD];
            let len = Told { deed, ended, socket, host, port, credential }.write(&mut body).unwrap();
            assert_eq!(told(&body[..len], Some(&process), &shared), Some(Vec::new()));
        }
        assert_eq!(told(b"garbage", Some(&process), &shared), None);
        end(program);
        drop(shared);
    });
    let (layer, credential) = (Layer::Preload, None);
    let to = |host: &str, port| Destination { host: host.to_owned(), port };
    let refused = |what: &str, transport, destination, errno: &str| Happening::Refused {
        layer,
        what: what.to_owned(),
        transport: Some(transport),
        destination,
        errno: errno.to_owned(),
    };
    let why = uwt_socks5::ReplyCode::HostUnreachable.text().to_owned();
    let expected = [
        Happening::Connection {
            layer,
            destination: to("a.example", 443),
            credential: Some("uwt-1".to_owned()),
            outcome: Outcome::Granted,
        },
        Happening::Lookup {
            layer,
            name: "a.example".to_owned(),
            credential,
            sent: true,
            outcome: Outcome::Failed { why },
        },
        Happening::Local { layer, destination: to("::1", 631), failed: None },
        Happening::Server { layer, address: to("127.0.0.1", 8080) },
        refused(
            "wanted to send a datagram, which Tor can't carry",
            Transport::Udp,
            Some(to("192.0.2.1", 123)),
            "EACCES",
        ),
        refused("wanted io_uring, which uwt can't see into", Transport::IoUring, None, "ENOSYS"),
    ];
    let events: Vec<_> = events(reader).into_iter().map(|event| event.happening).collect();
    assert!(matches!(events[0], Happening::Process { preload: true, .. }), "{events:?}");
    assert_eq!(events[1..], expected);
}

#[test]
fn a_reader_that_rests_stops_nobody_and_is_told_what_it_has_missed() {
    let (reader, writer) = pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let serving = spawn_local(serve(Rc::clone(&shared)));
        let process = shared.tree.process(program.id()).unwrap();
        let most = 60_000;
        for port in 0..most {
            shared.happened(&process, || local(port));
        }
        let reading = tokio::task::spawn_blocking(move || events(reader));
        shared.report.0.as_ref().unwrap().out.written().await;
        shared.happened(&process, || local(1));
        finish(&shared).await;
        end(program);
        serving.abort();
        let _ = serving.await;
        drop(shared);
        let events = reading.await.unwrap();
        let ports = events.iter().filter_map(|event| match &event.happening {
            Happening::Local { destination, .. } => Some(destination.port),
            _ => None,
        });
        let ports: Vec<u16> = ports.collect();
        let [.., Event { happening: Happening::Lost { count }, pid: 0, .. }, last, end] = &events[..] else {
            panic!("{:?}", events.last())
        };
        assert_eq!((&last.happening, &end.happening), (&local(1), &Happening::End));
        let kept = u16::try_from(ports.len() - 1).unwrap();
        assert_eq!(ports[..kept.into()], (0..kept).collect::<Vec<_>>(), "in order");
        assert!(kept > 10_000 && u64::from(most - kept) == *count, "{kept} {count}");
    });
}

#[test]
fn a_reader_that_goes_is_told_to_the_program_once() {
    let (reader, writer) = pipe().unwrap();
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let process = shared.tree.process(program.id()).unwrap();
        shared.happened(&process, || local(1));
        drop(reader);
        for port in 2..5 {
            shared.happened(&process, || local(port));
        }
        finish(&shared).await;
        let expected =
            "uwt: --report: it can't be written any further: Broken pipe (os error 32); the program goes on without\n";
        assert_eq!(end(program), expected);
    });
}

#[test]
fn a_silent_tree_is_told_nothing_and_without_a_report_nothing_is_looked_up() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    run(async {
        let program = cat();
        let silent = Box::leak(Box::new(Session { voice: Voice::Silent, ..*session() }));
        let mut shared = Shared::new(GUARD, silent);
        assert!(!shared.report.is_open());
        let process = shared.tree.process(program.id()).unwrap();
        shared.happened(&process, || unreachable!("nobody wants to know"));
        shared.report = Report::into(writer.into(), std::process::id()).unwrap();
        shared.happened(&process, || local(1));
        assert_eq!(end(program), "");
    });
}

#[test]
fn a_full_disk_is_an_end_too() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    run(async {
        let (mut shared, program) = (Shared::new(GUARD, session()), cat());
        shared.report = Report::into(full.into(), std::process::id()).unwrap();
        let process = shared.tree.process(program.id()).unwrap();
        shared.happened(&process, || local(1));
        assert!(end(program).contains("No space left on device"));
    });
}

#[test]
fn a_name_server_is_sent_what_is_no_query() {
    let (reader, writer) = pipe().unwrap();
    run(async {
        let (shared, program) = (reporting(writer), cat());
        let process = shared.tree.process(program.id()).unwrap();
        for (sent, told) in [(&b"GET / HTTP/1.1"[..], "FORMERR"), (b"x", "no answer")] {
            let answer = stub::answer(sent, Some(&process), &shared).await;
            assert_eq!(answer.is_some(), told == "FORMERR", "{told}");
        }
        stub::answer(b"x", None, &shared).await;
        end(program);
    });
    let refused = events(reader).into_iter().filter_map(|event| match event.happening {
        Happening::Refused { layer: Layer::Cage, errno, .. } => Some((event.pid != 0, errno)),
        _ => None,
    });
    let told = |known: bool, errno: &str| (known, errno.to_owned());
    assert_eq!(refused.collect::<Vec<_>>(), [told(true, "FORMERR"), told(true, "no answer"), told(false, "no answer")]);
}
