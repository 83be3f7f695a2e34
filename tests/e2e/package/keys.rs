//! gpg, whose keys are fetched by its daemon dirmngr.

use std::net::{Ipv4Addr, TcpListener};

use support::debian::Who;

use crate::place::Place;

const SERVER: [&str; 1] = ["keys.lab.test:11371"];

#[test]
fn gpg_receives_keys() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation();
        let key = place.lab.key_fingerprint().to_owned();
        let receive = format!("gpg --batch --status-fd=1 --keyserver hkp://keys.lab.test --recv-keys {key}");
        let typed = place.types(who, &receive);
        assert!(typed.ran.out.contains(&format!("IMPORT_OK 1 {key}")), "{typed:#?}");
        assert_eq!(typed.targets(), SERVER, "{typed:#?}");
        // A second dirmngr is another process.
        let typed = place.types(who, &format!("mkdir -m 700 second && GNUPGHOME=$PWD/second {receive}"));
        assert!(typed.ran.out.contains(&format!("IMPORT_OK 1 {key}")), "{typed:#?}");
        assert_eq!(typed.targets(), SERVER, "{typed:#?}");
    }
}

/// By itself dirmngr asks a Tor on this machine, which has no credential of ours then, and a public name server. On a
/// Whonix-Workstation this port is forwarded to the gateway.
#[test]
fn dirmngr_finds_no_tor() {
    let mut place = Place::workstation();
    let netns = place.workstation.netns();
    let tor = netns.run(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 9050))?)).expect("the workstation's own port");
    tor.set_nonblocking(true).expect("a socket");
    let key = place.lab.key_fingerprint().to_owned();
    let typed = place.types(Who::User, &format!("gpg --batch -q --keyserver hkp://keys.lab.test --recv-keys {key}"));
    assert_eq!((typed.ran.status, typed.targets().as_slice()), (Some(0), &SERVER[..]), "{typed:#?}");
    assert!(tor.accept().is_err(), "it was found");
    // It is there for others.
    place.types(Who::User, "echo >/dev/tcp/127.0.0.1/9050").asked_for(&[]);
    assert!(tor.accept().is_ok());
}
