//! Programs that show addresses get real ones, from Tor, by the shipped configuration.

use crate::place::{Place, User};

#[test]
fn getent_shows_real_addresses() {
    let mut place = Place::shipped();
    for user in [User::Root, User::Nobody] {
        for database in ["hosts", "ahosts", "ahostsv4"] {
            let mut command = place.uwt(user, ["getent", database, "www.lab.test"]);
            let ran = place.run(&mut command);
            assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:?}");
            assert!(ran.out.starts_with("203.0.113.1 ") && ran.out.contains("www.lab.test"), "{ran:?}");
            assert!(!ran.flows.is_empty() && ran.targets().iter().all(|name| *name == "www.lab.test:0"), "{ran:?}");
            assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:?}");
        }
    }
}

#[test]
fn getent_finds_a_name_by_its_address() {
    let mut place = Place::shipped();
    let ran = place.root(&["getent", "hosts", "203.0.113.3"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("203.0.113.3 ") && ran.out.contains("ssh.lab.test"), "{ran:?}");
}

#[test]
fn a_name_that_does_not_exist_is_not_found() {
    let mut place = Place::shipped();
    // getent(1): 2 is "not found".
    let ran = place.root(&["getent", "ahosts", "missing.lab.test"]);
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
}
