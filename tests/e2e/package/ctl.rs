//! `uwtctl` as somebody types it who has just installed the packages: as root and not, with Tor and without. It is never
//! silent, never shows a backtrace, and says what to do whenever something is not as it should be.

use support::debian::{Debian, Ran, Who};

use crate::place::{Place, alone};

/// Where a line is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a Whonix-Workstation behind the lab's gateway.
    Tor,
    /// In a Debian without a network.
    Alone,
    Both,
}

/// By whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    User,
    Root,
    Each,
}

/// Lines in the order in which they are typed, by the user first; the exit status, and what is said.
const LINES: &[(At, By, &str, i32, &str)] = &[
    (At::Both, By::Each, "uwtctl", 2, "Usage: uwtctl"),
    (At::Both, By::Each, "uwtctl stat", 2, "tip: a similar subcommand exists: 'status'"),
    (At::Both, By::Each, "uwtctl --help", 0, "Exit status:"),
    (At::Both, By::Each, "uwtctl wrapper", 2, "Commands:"),
    (At::Tor, By::Each, "uwtctl status", 0, "10.152.152.10"),
    (At::Alone, By::Each, "uwtctl status", 1, "127.0.0.1:9050"),
    (At::Both, By::Each, "uwtctl status --offline", 0, "not asked"),
    (At::Both, By::Each, "uwtctl status --offline curl", 0, "curl"),
    (At::Both, By::Each, "uwtctl status --offline nothing-of-that-name", 3, "nothing-of-that-name"),
    (
        At::Alone,
        By::Root,
        "ln -s /bin/true /usr/local/bin/wget; uwtctl status --offline",
        1,
        "the wrapped /usr/bin/wget",
    ),
    (At::Alone, By::Root, "rm /usr/local/bin/wget; uwtctl status --offline", 0, "wget"),
    (At::Both, By::Each, "uwtctl status --motd", 0, "UWT_DEV_PASSTHROUGH=1 switches uwt off"),
    (At::Both, By::Each, "uwtctl wrapper list", 0, "curl"),
    (At::Both, By::Each, "uwtctl wrapper list nothing-of-that-name", 1, "nothing-of-that-name"),
    (At::Both, By::User, "uwtctl wrapper add ssh-keyscan", 2, "as root (sudo)"),
    (At::Both, By::User, "uwtctl wrapper add --dry-run ssh-keyscan", 0, "ssh-keyscan"),
    (At::Both, By::Root, "uwtctl wrapper add nothing-of-that-name", 2, "check the spelling, or install it first"),
    (At::Both, By::Root, "uwtctl wrapper add sed", 2, "refused"),
    (At::Both, By::Root, "uwtctl wrapper add ssh-keyscan", 0, "ssh-keyscan"),
    (At::Both, By::Root, "uwtctl wrapper add ssh-keyscan", 0, "ssh-keyscan"),
    (At::Both, By::Root, "uwtctl wrapper list ssh-keyscan", 0, "ssh-keyscan"),
    (At::Both, By::Root, "uwtctl wrapper remove ssh-keyscan", 0, "ssh-keyscan"),
    (At::Both, By::Root, "mv /usr/bin/uwt /root; uwtctl wrapper add ssh-keyscan", 2, "install the package uwt first"),
    (At::Both, By::Root, "mv /root/uwt /usr/bin; uwtctl wrapper list ssh-keyscan", 1, "not wrapped"),
    (At::Both, By::Root, "uwtctl wrapper remove curl", 2, "apt-get remove uwt-wrappers"),
    (At::Both, By::User, "uwtctl wrapper disable curl", 2, "--user"),
    (At::Both, By::User, "uwtctl wrapper disable --dry-run curl", 0, "90_uwtctl.toml"),
    (At::Both, By::User, "uwtctl wrapper disable --user curl", 0, "Written to /home/user/.config/uwt/90_uwtctl.toml"),
    (At::Both, By::User, "uwtctl wrapper enable --user curl", 0, "enabled = true"),
    (At::Both, By::Root, "uwtctl wrapper disable --user curl", 2, "leave --user out"),
    (At::Both, By::Root, "uwtctl wrapper disable curl", 0, "Written to /usr/local/etc/uwt.d/90_uwtctl.toml"),
    (At::Both, By::Root, "uwtctl wrapper disable curl", 0, "Nothing to write"),
    (At::Both, By::Root, "uwtctl wrapper enable curl", 0, "enabled = true"),
    (At::Both, By::Each, "uwtctl audit", 2, "<COMMAND>"),
    (At::Both, By::Each, "uwtctl audit -- nothing-of-that-name", 2, "nothing-of-that-name: not found"),
    (At::Both, By::Each, "uwtctl audit --from /etc/passwd", 2, "uwt --report"),
    (At::Tor, By::Each, "uwtctl audit -- curl -so/dev/null http://www.lab.test/", 0, "Isolated"),
    (At::Alone, By::Each, "uwtctl audit -- curl -so/dev/null http://www.lab.test/", 3, "uwtctl status"),
    (At::Both, By::Each, "uwtctl check transparent", 2, "transparent-tcp"),
    (At::Both, By::Each, "uwtctl check isolation", 0, "sends a credential of its own"),
    (At::Alone, By::Each, "uwtctl check all", 3, "--send-unprotected"),
    (At::Both, By::Each, "uwtctl circuits", 2, "ControlPort 9051"),
    (At::Both, By::Each, "uwtctl circuits --control nowhere", 2, "--control"),
    (At::Both, By::Each, "uwtctl circuits --control /nonexistent", 2, "is it running?"),
    (At::Both, By::Each, "uwtctl ports", 0, "9153-9159"),
    (At::Both, By::User, "uwtctl ports assign wget", 2, "--user"),
    (At::Both, By::User, "uwtctl ports assign --user wget", 0, "Port 9153 for wget"),
    (At::Both, By::Root, "uwtctl ports assign --isolate-dest-addr wget", 0, "Port 9160 for wget"),
    (At::Both, By::Root, "uwtctl ports assign --isolate-dest-addr wget", 0, "has port 9160 already"),
    (At::Both, By::Each, "uwtctl gateway", 2, "torrc"),
    (At::Both, By::Each, "uwtctl gateway torrc", 0, "SocksPort"),
    (At::Both, By::Each, "uwtctl gateway torrc --no-transparent", 0, "SocksPort"),
    (At::Both, By::Each, "uwtctl gateway firewall", 0, "uwtctl gateway firewall"),
    (At::Both, By::Each, "uwtctl gateway firewall --for debian", 0, "For nftables on the gateway"),
    (At::Tor, By::Each, "uwtctl gateway firewall --for debian --no-transparent", 0, "table inet uwt_no_transparent"),
    (At::Alone, By::Each, "uwtctl gateway firewall --for whonix", 2, "set gateway = \"ADDRESS\""),
    (At::Both, By::Each, "uwtctl config show", 0, "/etc/uwt.d/30_default.toml"),
    (At::Both, By::Each, "uwtctl config show curl", 0, "90_uwtctl.toml"),
    (At::Both, By::Each, "uwtctl config check", 0, "nothing is wrong"),
    (At::Both, By::Each, "uwtctl config check /nonexistent", 1, "/nonexistent: is not there"),
    (At::Both, By::Each, "uwtctl config import /nonexistent", 2, "/nonexistent: is not there; expected a file"),
    (At::Both, By::Each, "uwtctl config import /etc", 2, "expected a regular file"),
    (At::Both, By::User, "uwtctl config import /etc/shadow", 2, "cannot be read: Permission denied"),
    (At::Both, By::Each, "uwtctl config import /etc/passwd", 2, "nothing was translated"),
    (At::Both, By::Root, "echo 'prot = 1' >/etc/uwt.d/99_wrong.toml; uwtctl config check", 1, "did you mean"),
    (At::Both, By::Root, "uwtctl config show", 2, "/etc/uwt.d/99_wrong.toml:1"),
    (At::Both, By::Root, "uwtctl ports", 2, "/etc/uwt.d/99_wrong.toml:1"),
    (At::Both, By::Root, "uwtctl gateway torrc", 2, "/etc/uwt.d/99_wrong.toml:1"),
    (At::Both, By::Root, "uwtctl audit -- true", 2, "/etc/uwt.d/99_wrong.toml:1"),
    (At::Both, By::Root, "rm /etc/uwt.d/99_wrong.toml; uwtctl config check", 0, "nothing is wrong"),
];

/// What is wrong with an answer, if anything.
fn fault(ran: &Ran, status: i32, says: &str) -> Option<String> {
    let text = format!("{}\n{}", ran.out, ran.err);
    // Lines are wrapped, also between the words that are looked for.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // uwt says what it has to say in one line.
    let wide = |line: &&str| line.chars().count() > 80 && !line.starts_with("uwt: ");
    if ran.status != Some(status) {
        return Some(format!("not status {status}"));
    }
    if !flat.contains(says) {
        return Some(format!("it does not say {says:?}"));
    }
    if let Some(word) = ["panicked", "RUST_BACKTRACE", "backtrace"].iter().find(|word| text.contains(**word)) {
        return Some(format!("it shows {word}"));
    }
    text.lines().find(wide).map(|line| format!("wider than 80 columns: {line}"))
}

/// Types the lines, and gives what was wrong with any of them.
fn faults(debian: &Debian, at: At) -> Vec<String> {
    let mut faults = Vec::new();
    for (who, by) in [(Who::User, By::User), (Who::Root, By::Root)] {
        for (_, _, line, status, says) in
            LINES.iter().filter(|line| [at, At::Both].contains(&line.0) && [by, By::Each].contains(&line.1))
        {
            let ran = debian.types(who, line);
            if let Some(fault) = fault(&ran, *status, says) {
                faults.push(format!("{who:?}: {line}: {fault}: {ran:#?}"));
            }
        }
    }
    faults
}

#[test]
fn with_tor() {
    let place = Place::workstation();
    // Tor's control port, where nothing listens.
    place.workstation.allow_gateway_port(9051).expect("allowed");
    let faults = faults(&place.debian, At::Tor);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    place.workstation.assert_no_leaks();
    // This one looks a name up as a program without uwt does.
    for who in [Who::User, Who::Root] {
        let ran = place.debian.types(who, "uwtctl check transparent-dns --host www.lab.test");
        assert_eq!(fault(&ran, 1, "transparent-dns outcome bad"), None, "{who:?}: {ran:#?}");
    }
}

#[test]
fn without_tor() {
    let faults = faults(&alone(), At::Alone);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
