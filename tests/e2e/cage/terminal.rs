//! A shell on a terminal, and its job control.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::pty::openpty;
use nix::unistd::setsid;
use support::process::die_with_parent;
use support::wait::wait_until;

use crate::place::User;
use crate::site::{ECHO, LIMIT, Site};

/// What the shell says when it reads the next line.
const PROMPT: &str = "what next? ";

/// An interactive shell and the terminal it runs on.
struct Shell {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen has been looked at.
    seen: usize,
}

impl Shell {
    fn start(site: &Site, user: User) -> Self {
        let terminal = openpty(None, None).expect("a terminal");
        let mut command = site.command(Path::new("/bin/bash"), user);
        // Without its line editor, which writes and reads as it likes.
        command.args(["--norc", "--noprofile", "--noediting", "-i"]).env("PS1", PROMPT).env("TERM", "dumb");
        let slave = |end: &OwnedFd| Stdio::from(end.try_clone().expect("a descriptor"));
        command.stdin(slave(&terminal.slave)).stdout(slave(&terminal.slave)).stderr(slave(&terminal.slave));
        die_with_parent(&mut command);
        #[expect(unsafe_code, reason = "pre_exec is the only way to give a child a terminal")]
        // SAFETY: the closure makes two system calls and takes no lock.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0)).map(drop).map_err(Into::into)
            });
        }
        let child = command.spawn().expect("bash");
        let screen = Arc::new(Mutex::new(String::new()));
        let (keyboard, mut output) =
            (File::from(terminal.master.try_clone().expect("a descriptor")), File::from(terminal.master));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                match output.read(&mut buffer) {
                    Ok(count @ 1..) => {
                        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                        shown.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // EIO: nobody has the other end any more.
                    _ => break,
                }
            }
        });
        Self { child, keyboard, screen, seen: 0 }
    }

    /// Types a line when the shell asks for one.
    #[track_caller]
    fn line(&mut self, text: &str) {
        self.shows(PROMPT);
        self.keys(text);
    }

    /// Types something for the program that runs.
    fn keys(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("typed");
    }

    /// Waits until something is shown that was not there when this was called last.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        let screen = || self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = wait_until(LIMIT, || screen()[self.seen..].find(text));
        let found = found.unwrap_or_else(|| panic!("no {text:?} on the screen:\n{}", screen()));
        self.seen += found + text.len();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line of a static program that connects and waits for a line.
fn hold(site: &Site) -> String {
    format!("{} {} hold {} {}\n", site.uwt_path().display(), site.program("static").display(), ECHO[0], ECHO[1])
}

#[test]
fn control_c_ends_the_program() {
    let site = Site::new();
    for user in [User::Root, User::Nobody] {
        let mut shell = Shell::start(&site, user);
        shell.line(&hold(&site));
        shell.shows("connected");
        shell.keys("\x03");
        shell.line("echo status $?\n");
        shell.shows("status 130");
        // The shell itself is not below uwt: with its program the helper goes.
        site.assert_helper_ends();
    }
}

#[test]
fn control_z_stops_it_and_fg_continues() {
    let site = Site::new();
    for user in [User::Root, User::Nobody] {
        let mut shell = Shell::start(&site, user);
        shell.line(&hold(&site));
        shell.shows("connected");
        shell.keys("\x1a");
        shell.shows("Stopped");
        shell.line("fg\n");
        shell.shows(" hold ");
        shell.keys("\n");
        shell.shows("answer hi");
        shell.line("echo status $?\n");
        shell.shows("status 0");
        site.assert_helper_ends();
    }
}
