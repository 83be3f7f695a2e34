//! Control ports of all kinds: what they want, and how they fail.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use support::netns::Identity;
use support::process::{Process, die_with_parent, find};

use crate::place::{Place, run};
use crate::program::{ran, uwtctl};
use crate::schema::check;
use crate::site::Site;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Tor without a network, which has a control port all the same.
struct Lonely {
    tor: Process,
    dir: tempfile::TempDir,
}

impl Lonely {
    fn start(lines: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("uwt-tor-").tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let text = format!(
            "DataDirectory {}\nDisableNetwork 1\nSocksPort 0\nControlPort auto\nControlPortWriteToFile {}\n{lines}\n",
            at("data"),
            at("port"),
        );
        std::fs::write(at("torrc"), text).expect("written");
        let mut command = Command::new(find("tor"));
        command.args(["--defaults-torrc", "/dev/null", "-f"]).arg(at("torrc"));
        let tor = Process::spawn("tor", &mut command, &dir.path().join("log")).expect("starts");
        Self { tor, dir }
    }

    /// Where its control port is.
    fn control(&self) -> String {
        let read = || {
            let text = std::fs::read_to_string(self.dir.path().join("port")).ok()?;
            text.trim().strip_prefix("PORT=").map(str::to_owned)
        };
        support::wait::wait_until(PATIENCE, read).expect("Tor writes down where its control port is")
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.tor.pid().cast_signed()), signal).expect("it runs");
    }
}

/// What Tor makes of a password for its torrc.
fn hashed(password: &str) -> String {
    let output = Command::new(find("tor")).args(["--quiet", "--hash-password", password]).output().expect("runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn passwords_are_given_and_wrong_ones_named() {
    let place = Place::new();
    let tor = Lonely::start(&format!("HashedControlPassword {}", hashed("a \"secret\" \\")));
    let control = tor.control();
    let ask = |password: Option<&str>| {
        let mut arguments = vec!["--json".to_owned(), "circuits".to_owned(), "--control".to_owned(), control.clone()];
        if let Some(password) = password {
            let file = place.file("password", format!("{password}\n"));
            arguments.extend(["--password-file".to_owned(), file.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ran(&place, &arguments)
    };
    let good = ask(Some("a \"secret\" \\"));
    assert_eq!((good.status, good.err.as_str()), (0, ""), "{good:?}");
    let document = serde_json::from_str(&good.out).expect("JSON");
    check("circuits", &document);
    assert_eq!(document["clients"], json!([]));
    for (password, said) in [(Some("wrong"), "515"), (None, "--password-file")] {
        let bad = ask(password);
        assert_eq!((bad.status, bad.out.as_str()), (2, ""), "{bad:?}");
        assert!(bad.err.contains(said), "{bad:?}");
    }
}

#[test]
fn nothing_is_wanted_or_a_cookie() {
    let place = Place::new();
    for lines in ["", "CookieAuthentication 1"] {
        let tor = Lonely::start(lines);
        let text = ran(&place, &["circuits", "--control", &tor.control()]);
        assert_eq!((text.status, text.err.as_str()), (0, ""), "{lines}: {text:?}");
        assert!(text.out.contains("No circuit is in use."), "{text:?}");
        let json = ran(&place, &["--json", "circuits", "--control", &tor.control()]);
        let document: Value = serde_json::from_str(&json.out).expect("JSON");
        check("circuits", &document);
        assert_eq!((json.status, &document["isolating"]), (0, &json!(true)));
    }
}

#[test]
fn whoever_may_not_is_told_what_to_do() {
    let site = Site::new();
    let tor = Lonely::start("CookieAuthentication 1");
    let control = site.control();
    let as_nobody = |control: &str| {
        let mut command = site.command("uwtctl", &["circuits", "--control", control], Some(Identity::nobody()));
        run(&mut command)
    };
    let ran = as_nobody(&control);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("debian-tor"), "{ran:?}");
    // Nobody listens on that port of the workstation: loopback is each namespace's own.
    let ran = as_nobody(&tor.control());
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("`ControlPort 9051`") && ran.err.contains("`CookieAuthentication"), "{ran:?}");
    let ran = site.text(&["circuits"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("10.152.152.10:9051"), "{ran:?}");
}

#[test]
fn another_server_is_no_control_port() {
    let site = Site::new();
    let ran = site.text(&["circuits", "--control", "203.0.113.3:22"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
    assert!(ran.err.contains("no control port of Tor") && ran.err.contains("SSH-2.0"), "{ran:?}");
}

/// A control port that wants nothing, says `status` when it is asked for circuits and streams, and refuses everything else
/// as a filter does; gives its path.
fn pretended(place: &Place, status: &'static str) -> String {
    let path = place.at("control");
    let listener = UnixListener::bind(&path).expect("bound");
    let serve = move |mut stream: UnixStream| -> io::Result<()> {
        for line in BufReader::new(stream.try_clone()?).lines() {
            let answer = match line?.split(' ').next() {
                Some("PROTOCOLINFO") => "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n",
                Some("AUTHENTICATE") => "250 OK\r\n",
                Some("GETINFO") => status,
                _ => "510 Command filtered\r\n",
            };
            stream.write_all(answer.as_bytes())?;
        }
        Ok(())
    };
    // It ends with the test's process, and whoever breaks off is served no more.
    thread::spawn(move || listener.incoming().flatten().map(serve).filter(Result::is_err).count());
    path.display().to_string()
}

#[test]
fn a_filter_is_named() {
    let place = Place::new();
    let control = pretended(&place, "510 Command filtered\r\n");
    for arguments in [&["circuits"][..], &["circuits", "--watch"], &["check", "isolation"]] {
        let refused = ran(&place, &[arguments, &["--control", &control]].concat());
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(refused.err.contains("onion-grater"), "{refused:?}");
    }
}

#[test]
fn what_others_call_themselves_does_not_reach_the_terminal() {
    let place = Place::new();
    let status = "250+circuit-status=\r\n\
                  4 BUILT $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA~o\x1bne SOCKS_USERNAME=\"a\\033[2J\\nb\\302\\233m\"\r\n\
                  .\r\n250-stream-status=7 SUCCEEDED 4 x\x1b[31m.test:80\r\n250 OK\r\n";
    let control = pretended(&place, status);
    let text = ran(&place, &["circuits", "--control", &control]);
    // The question whether the ports isolate is filtered.
    assert_eq!((text.status, text.err.as_str()), (3, ""), "{text:?}");
    assert!(text.out.contains("\na?[2J?b?m\n") && text.out.contains("x?[31m.test"), "{text:?}");
    let json = ran(&place, &["--json", "circuits", "--control", &control]);
    for shown in [&text.out, &json.out] {
        assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'), "{shown:?}");
    }
    let document: Value = serde_json::from_str(&json.out).expect("JSON");
    check("circuits", &document);
    assert_eq!(document["clients"][0]["credential"], "a\x1b[2J\nb\u{9b}m");
}

#[test]
fn a_tor_that_ends_while_it_is_watched_is_told() {
    let place = Place::new();
    let tor = Lonely::start("");
    let mut command = uwtctl(&place, &["circuits", "--watch", "--control", &tor.control()]);
    die_with_parent(&mut command);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(watch.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("a line").expect("read");
    check("circuits", &serde_json::from_str(&first).expect("JSON"));
    tor.signal(Signal::SIGKILL);
    let output = watch.wait_with_output().expect("ends");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("broke off") && said.ends_with("is Tor running?"), "{said}");
}

#[test]
fn a_tor_that_is_stopped_is_not_waited_for() {
    let place = Place::new();
    let tor = Lonely::start("");
    let control = tor.control();
    tor.signal(Signal::SIGSTOP);
    // `all`: nothing is sent when the control port that was named is of no use.
    let arguments = ["check", "all", "--send-unprotected", "--timeout", "1", "--control", &control];
    let checked = ran(&place, &arguments);
    assert_eq!((checked.status, checked.out.as_str()), (2, ""), "{checked:?}");
    assert!(checked.err.contains("does not") && !checked.err.contains("sends without uwt"), "{checked:?}");
}

#[test]
fn on_a_terminal_a_state_takes_the_place_of_the_one_before() {
    let place = Place::new();
    let tor = Lonely::start("");
    let terminal = openpty(None, None).expect("a terminal");
    let mut command = uwtctl(&place, &["circuits", "--watch", "--control", &tor.control()]);
    die_with_parent(&mut command);
    let mut watch = command.stdout(Stdio::from(terminal.slave)).spawn().expect("starts");
    // It has the other end too: with that open a watch that has ended would be waited for.
    drop(command);
    let mut screen = Vec::new();
    let mut master = File::from(terminal.master);
    let mut chunk = [0; 1024];
    while !String::from_utf8_lossy(&screen).contains("^C ends this.") {
        let length = master.read(&mut chunk).expect("it is on the terminal");
        screen.extend_from_slice(&chunk[..length]);
    }
    let screen = String::from_utf8(screen).expect("text");
    assert!(screen.starts_with("\x1b[H\x1b[J") && screen.contains("No circuit is in use."), "{screen:?}");
    kill(Pid::from_raw(watch.id().cast_signed()), Signal::SIGINT).expect("it runs");
    assert_eq!(watch.wait().expect("ends").code(), None, "a signal ended it");
}
