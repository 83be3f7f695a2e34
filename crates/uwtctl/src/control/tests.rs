//! Against a pretended control port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{JoinHandle, spawn};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tempfile::TempDir;

use super::words::{from_hex, hex};
use super::*;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the control port answers to a command.
type Answers = Box<dyn FnMut(&str) -> String + Send>;

/// A control port for one connection; its thread gives the commands that it was sent.
struct Pretended {
    folder: TempDir,
    commands: JoinHandle<Vec<String>>,
}

impl Pretended {
    fn start(answers: impl FnOnce(&Path) -> Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("control")).unwrap();
        let mut answer = answers(folder.path());
        let commands = spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let line = line.unwrap();
                // Whoever does not wait for the answer has ended.
                let _ = stream.write_all(answer(&line).as_bytes());
                seen.push(line);
            }
            seen
        });
        Self { folder, commands }
    }

    fn open(&self, password_file: Option<PathBuf>) -> Result<Control, Problem> {
        let control = Some(self.folder.path().join("control").display().to_string());
        Control::open(&ControlPortOptions { control, password_file }, Ipv4Addr::LOCALHOST, PATIENCE)
    }

    fn commands(self) -> Vec<String> {
        self.commands.join().unwrap()
    }
}

fn info(auth: &str) -> String {
    format!("250-PROTOCOLINFO 1\r\n250-AUTH {auth}\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n")
}

/// One that wants `auth`, accepts whatever it is given and answers `rest` to everything else.
fn open_to(auth: String, rest: &'static str) -> Pretended {
    Pretended::start(|_| {
        Box::new(move |command| match command.split(' ').next() {
            Some("PROTOCOLINFO") => info(&auth),
            Some("AUTHENTICATE") => "250 OK\r\n".to_owned(),
            _ => rest.to_owned(),
        })
    })
}

#[test]
fn nothing_is_sent_where_nothing_is_wanted() {
    let port = open_to("METHODS=NULL".into(), "510 Unrecognized command\r\n");
    let control = port.open(None).unwrap();
    assert_eq!(control.version(), Some("0.4.9.11"));
    drop(control);
    assert_eq!(port.commands(), ["PROTOCOLINFO 1", "AUTHENTICATE"]);
}

/// A control port that knows a cookie, as Tor does; `known` is what it takes for it.
fn with_cookie(known: [u8; 32]) -> Pretended {
    Pretended::start(|folder| {
        let path = folder.join("cookie");
        std::fs::write(&path, [5; 32]).unwrap();
        let hash = move |key: &str, nonces: &[u8]| {
            let mut hash = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
            hash.update(&known);
            hash.update(nonces);
            hex(&hash.finalize().into_bytes())
        };
        let mut nonces = Vec::new();
        Box::new(move |command| {
            let words: Vec<&str> = command.split(' ').collect();
            match words[..] {
                ["AUTHCHALLENGE", "SAFECOOKIE", nonce] => {
                    nonces = [from_hex(nonce).unwrap(), vec![9; 32]].concat();
                    let proof = hash("Tor safe cookie authentication server-to-controller hash", &nonces);
                    format!("250 AUTHCHALLENGE SERVERHASH={proof} SERVERNONCE={}\r\n", "09".repeat(32))
                }
                ["AUTHENTICATE", proof] => {
                    let key = "Tor safe cookie authentication controller-to-server hash";
                    let good = proof == hash(key, &nonces);
                    if good { "250 OK\r\n".into() } else { "515 Bad authentication\r\n".into() }
                }
                _ => info(&format!("METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"{}\"", path.display())),
            }
        })
    })
}

#[test]
fn a_cookie_is_proven_and_not_sent() {
    let port = with_cookie([5; 32]);
    port.open(None).unwrap();
    let commands = port.commands();
    assert_eq!(commands.len(), 3, "{commands:?}");
    assert!(commands.iter().all(|command| !command.contains(&"05".repeat(8))), "{commands:?}");
}

#[test]
fn a_cookie_is_proven_only_to_one_that_knows_it() {
    let port = with_cookie([6; 32]);
    let problem = port.open(None).unwrap_err();
    assert!(matches!(problem, Problem::OtherCookie(..)), "{problem}");
    assert_eq!(port.commands().len(), 2);
}

#[test]
fn a_password_is_quoted() {
    let port = open_to("METHODS=HASHEDPASSWORD".into(), "250 OK\r\n");
    let file = port.folder.path().join("password");
    std::fs::write(&file, "a \"b\" \\c\n").unwrap();
    port.open(Some(file)).unwrap();
    assert_eq!(port.commands()[1], r#"AUTHENTICATE "a \"b\" \\c""#);
}

#[test]
fn what_cannot_be_given_is_said() {
    for (auth, password, said) in [
        ("METHODS=HASHEDPASSWORD", None, "--password-file"),
        ("METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/nonexistent/c\"", None, "run uwtctl there"),
        ("METHODS=SAFECOOKIE,HASHEDPASSWORD COOKIEFILE=\"/nonexistent/c\"", None, "wants a password"),
        ("METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/etc/passwd\"", None, "not 32 bytes"),
        ("METHODS=MAGIC", None, "wants MAGIC"),
        ("METHODS=SAFECOOKIE COOKIEFILE=\"/c\"", Some("/etc/hostname"), "leave --password-file out"),
        ("METHODS=HASHEDPASSWORD", Some("/nonexistent/p"), "/nonexistent/p: No such file"),
    ] {
        let port = open_to(auth.to_owned(), "250 OK\r\n");
        let problem = port.open(password.map(PathBuf::from)).unwrap_err().to_string();
        assert!(problem.contains(said) && !problem.contains('\n'), "{auth}: {problem}");
        assert_eq!(port.commands(), ["PROTOCOLINFO 1"], "{auth}");
    }
}

#[test]
fn nobody_there_and_somebody_else() {
    let open = |control: &str| {
        let options = ControlPortOptions { control: Some(control.to_owned()), password_file: None };
        Control::open(&options, Ipv4Addr::LOCALHOST, PATIENCE).unwrap_err().to_string()
    };
    assert!(open("/nonexistent/control").contains("is it running?"));
    assert!(open("nonsense").contains("expected ADDRESS:PORT"));
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(open(&unused.to_string()).contains("`ControlPort 9051`"));
    for (says, said) in [("HTTP/1.1 400\r\n", "HTTP/1.1 400"), ("510 Unrecognized command\r\n", "510 Unrecognized")] {
        let port = Pretended::start(|_| Box::new(|_| says.to_owned()));
        let problem = port.open(None).unwrap_err().to_string();
        assert!(problem.contains("no control port") && problem.contains(said), "{problem}");
    }
}

#[test]
fn circuits_and_streams_of_one_time() {
    let status = "250+circuit-status=\r\n4 BUILT $AA~one PURPOSE=GENERAL SOCKS_USERNAME=\"u\" SOCKS_PASSWORD=\"0\"\r\n\
                  5 LAUNCHED PURPOSE=GENERAL\r\n.\r\n250-stream-status=7 SUCCEEDED 4 a.test:80\r\n250 OK\r\n\
                  650 CIRC 5 CLOSED\r\n";
    let port = open_to("METHODS=NULL".into(), status);
    let mut control = port.open(None).unwrap();
    let Snapshot { circuits, streams } = control.snapshot().unwrap();
    assert_eq!((circuits.len(), streams.len()), (2, 1));
    assert_eq!((circuits[0].id.as_str(), streams[0].circuit.as_deref()), ("4", Some("4")));
    assert!(control.wait(Some(Duration::from_secs(10))).unwrap());
    assert!(!control.wait(Some(Duration::from_millis(10))).unwrap());
}

#[test]
fn nothing_there_is_no_circuit() {
    let port = open_to("METHODS=NULL".into(), "250-circuit-status=\r\n250-stream-status=\r\n250 OK\r\n");
    let none = Snapshot { circuits: Vec::new(), streams: Vec::new() };
    assert_eq!(port.open(None).unwrap().snapshot().unwrap(), none);
}

#[test]
fn a_filter_is_named() {
    let port = open_to("METHODS=NULL".into(), "510 Command filtered\r\n");
    let mut control = port.open(None).unwrap();
    for problem in [control.snapshot().unwrap_err(), control.subscribe().unwrap_err()] {
        let problem = problem.to_string();
        assert!(problem.contains("onion-grater") && problem.contains("510 Command filtered"), "{problem}");
    }
}

#[test]
fn whose_a_stream_is_is_told_when_it_begins() {
    let ours = "SOCKS_USERNAME=\"u\" SOCKS_PASSWORD=\"0\" CLIENT_PROTOCOL=SOCKS5";
    let events = format!(
        "650 STREAM 7 NEW 0 a.test:80 {ours}\r\n650 STREAM 7 SUCCEEDED 4 192.0.2.1:80 {ours}\r\n\
         650 STREAM 8 NEW 0 b.test:80 CLIENT_PROTOCOL=SOCKS5\r\n650 STREAM 9 NEW 0 c.test:80 {ours}\r\n\
         650 STREAM 9 CLOSED 4 c.test:80 {ours}\r\n"
    );
    let port = Pretended::start(|_| {
        Box::new(move |command| match command.split(' ').next() {
            Some("PROTOCOLINFO") => info("METHODS=NULL"),
            Some("GETINFO") => {
                let streams: Vec<String> = (6..10).map(|id| format!("{id} SUCCEEDED 4 192.0.2.1:80\r\n")).collect();
                let streams = streams.concat();
                format!("{events}250-circuit-status=\r\n250+stream-status=\r\n{streams}.\r\n250 OK\r\n")
            }
            _ => "250 OK\r\n".to_owned(),
        })
    });
    let mut control = port.open(None).unwrap();
    control.subscribe().unwrap();
    let streams = control.snapshot().unwrap().streams;
    let told: Vec<_> = streams.iter().map(|it| (it.told, it.pair.is_some(), it.asked.as_deref())).collect();
    let untold = (false, false, None);
    assert_eq!(told, [untold, (true, true, Some("a.test:80")), (true, false, Some("b.test:80")), untold]);
}

#[test]
fn ports_that_do_not_isolate_are_known_by_their_flags() {
    for (says, isolating) in [
        ("250-SocksPort=9050\r\n250 SocksPort=9051 IsolateDestAddr\r\n", Some(true)),
        ("250 SocksPort\r\n", Some(true)),
        ("250-SocksPort=9050\r\n250 TransPort=9040 noisolatesocksAUTH\r\n", Some(false)),
        ("510 Command filtered\r\n", None),
    ] {
        let port = open_to("METHODS=NULL".into(), says);
        assert_eq!(port.open(None).unwrap().isolates().unwrap(), isolating, "{says}");
    }
}

/// What is said of a server that does this with a connection to it.
fn faced(serve: impl FnOnce(UnixStream) + Send + 'static, patience: Duration) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let listener = UnixListener::bind(&path).unwrap();
    let served = spawn(move || serve(listener.accept().unwrap().0));
    let options = ControlPortOptions { control: Some(path.display().to_string()), password_file: None };
    let opened = Control::open(&options, Ipv4Addr::LOCALHOST, patience).and_then(|mut control| control.snapshot());
    let problem = opened.unwrap_err().to_string();
    served.join().unwrap();
    assert!(problem.contains(&*path.to_string_lossy()) && problem.len() < 400 && !problem.contains('\n'), "{problem}");
    problem
}

#[test]
fn a_server_that_says_something_else_is_named() {
    let good = info("METHODS=NULL") + "250 OK\r\n";
    for said in [
        "\u{0}\u{1}\u{fffd}\r\n".to_owned(),
        "x".repeat(1 << 20),
        format!("250-{}", "x".repeat(1 << 20)),
        format!("{good}250+circuit-status=\r\n4\r\n.\r\n250-stream-status=\r\n250 OK\r\n"),
        format!("{good}250+circuit-status=\r\n.\r\n250-stream-status=7 NEW\r\n250 OK\r\n"),
        format!("{good}HTTP/1.1 400 Bad Request\r\n"),
    ] {
        let shown: String = said.chars().take(40).collect();
        let serve = move |mut stream: UnixStream| {
            // Whoever has read enough closes it.
            let _ = stream.write_all(said.as_bytes());
            let _ = io::copy(&mut stream, &mut io::sink());
        };
        let problem = faced(serve, PATIENCE);
        assert!(problem.contains("is no control port of Tor"), "{shown}: {problem}");
    }
}

#[test]
fn a_server_that_ends_is_noticed() {
    for said in ["", "250-PROTO", "250-PROTOCOLINFO 1\r\n", "250+x=\r\n"] {
        let serve = move |mut stream: UnixStream| {
            let mut command = [0; 16];
            stream.read_exact(&mut command).unwrap();
            stream.write_all(said.as_bytes()).unwrap();
        };
        let problem = faced(serve, PATIENCE);
        assert!(problem.contains("broke off") && problem.contains("is Tor running?"), "{said:?}: {problem}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let hold = |mut stream: UnixStream| drop(io::copy(&mut stream, &mut io::sink()));
    // Events are no answer, however many there are.
    let babble = |mut stream: UnixStream| while stream.write_all(b"650 CIRC 1 BUILT\r\n").is_ok() {};
    let halt = |mut stream: UnixStream| {
        stream.write_all(b"250-PROTOCOLINFO 1\r\n").unwrap();
        let _ = io::copy(&mut stream, &mut io::sink());
    };
    let soon = Duration::from_millis(50);
    for problem in [faced(hold, soon), faced(babble, soon), faced(halt, soon)] {
        assert!(problem.contains("does not answer"), "{problem}");
    }
}

#[test]
fn a_socket_that_accepts_nobody_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let listener = UnixListener::bind(&path).unwrap();
    // As short as its queue can be.
    rustix::net::listen(&listener, 0).unwrap();
    let options = ControlPortOptions { control: Some(path.display().to_string()), password_file: None };
    let mut held = Vec::new();
    let problem = loop {
        match Place::Unix(path.clone()).connect(Duration::from_millis(50)) {
            Ok(connection) => held.push(connection),
            Err(_) => break Control::open(&options, Ipv4Addr::LOCALHOST, Duration::from_millis(50)).unwrap_err(),
        }
    };
    assert!(problem.to_string().contains("does not answer"), "{problem}");
}
