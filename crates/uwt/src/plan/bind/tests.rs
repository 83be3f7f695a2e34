//! What is found on which machine.

use uwt_config::{GatewayChoice, Origin, Place, Settings, Surroundings};

use super::*;
use crate::plan::carried::tests::{file, settled};
use crate::plan::machine::pretended::Pretended;

const WORKSTATION: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 11);

fn machine(place: Place, transparent: bool) -> Pretended {
    let mut machine = Pretended::machine(transparent);
    machine.surroundings = machine.surroundings.map(|found| Surroundings { place, ..found });
    machine.addresses = [("lo", "127.0.0.1"), ("eth0", "10.152.152.11"), ("eth0", "10.9.9.9"), ("eth1", "10.0.0.7")]
        .map(|(interface, address)| (interface.to_owned(), address.parse().expect("an address")))
        .into();
    machine
}

fn bound(choice: &str, machine: &Pretended) -> Result<(Option<Ipv4Addr>, String), String> {
    // Where the SocksPort is makes no difference.
    let gateway = Setting::built_in(GatewayChoice::Address(Ipv4Addr::LOCALHOST));
    let settings = Settings { bind: file(choice.parse().expect("a choice")), gateway, ..Settings::default() };
    let carried = settled(&settings, machine).map_err(|failure| {
        assert_eq!(failure.status, Failure::OURS);
        failure.message
    })?;
    Ok((carried.bind.address, carried.bind.why().to_string()))
}

#[test]
fn what_it_comes_to() {
    let (plain, mut workstation) = (machine(Place::Plain, false), machine(Place::WhonixWorkstation, true));
    workstation.towards = Some(WORKSTATION);
    let in_qubes = Pretended { towards: Some(WORKSTATION), ..machine(Place::Qubes, true) };
    let none = "this is no Whonix-Workstation";
    for (choice, machine, address, why) in [
        ("none", &workstation, None, "/f:1"),
        ("10.0.0.7", &plain, Some("10.0.0.7"), "/f:1"),
        ("interface:eth0", &plain, Some("10.152.152.11"), "interface:eth0, /f:1"),
        ("interface:eth1", &plain, Some("10.0.0.7"), "interface:eth1, /f:1"),
        ("workstation", &workstation, Some("10.152.152.11"), "workstation, /f:1"),
        ("workstation", &in_qubes, Some("10.152.152.11"), "workstation, /f:1"),
        ("workstation", &plain, None, &format!("workstation, /f:1: {none}")),
        ("workstation", &machine(Place::Qubes, false), None, &format!("workstation, /f:1: {none}")),
        ("workstation", &machine(Place::WhonixGateway, false), None, &format!("workstation, /f:1: {none}")),
    ] {
        let address = address.map(|address: &str| address.parse().expect("an address"));
        assert_eq!(bound(choice, machine), Ok((address, why.to_owned())), "{choice}");
    }
}

#[test]
fn what_is_not_there_runs_nothing() {
    let (plain, lost) = (machine(Place::Plain, false), machine(Place::WhonixWorkstation, true));
    let unknown = Pretended { surroundings: Err(()), ..machine(Place::Plain, false) };
    for (choice, machine, problem) in [
        ("10.0.0.8", &plain, "no network interface of this machine has this address"),
        ("interface:eth2", &plain, "there is no interface eth2 with an IPv4 address"),
        ("interface:eth", &plain, "there is no interface eth with an IPv4 address"),
        ("workstation", &lost, "no way to the gateway 10.0.0.1: Network is unreachable"),
        ("workstation", &unknown, "cannot be told"),
    ] {
        let message = bound(choice, machine).expect_err(choice);
        let start = format!("bind = \"{choice}\" (/f:1): {problem}");
        assert!(message.starts_with(&start) && message.contains("; nothing was run ("), "{message}");
    }
}

#[test]
fn without_the_key_nobody_is_asked() {
    let machine = Pretended { surroundings: Err(()), ..Pretended::machine(false) };
    assert_eq!(bound("none", &machine), Ok((None, "/f:1".to_owned())));
    assert_eq!(
        settled(&Settings::default(), &Pretended::machine(false)).expect("possible").bind.asked.origin,
        Origin::BuiltIn
    );
}
