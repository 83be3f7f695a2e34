//! gpg, whose keys are fetched by its daemon dirmngr.

use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::PathBuf;

use crate::place::{Place, Ran, User};

/// A home for gpg and its daemons; they end with the workstation.
fn home(place: &Place, user: User, dirmngr: &str) -> PathBuf {
    let (dir, owner) = match user {
        User::Root => (place.at("root/gpg"), 0),
        User::Nobody => (place.at("nobody/gpg"), 65534),
    };
    std::fs::DirBuilder::new().mode(0o700).create(&dir).expect("directory");
    let file = dir.join("dirmngr.conf");
    std::fs::write(&file, dirmngr).expect("written");
    chown(file, Some(owner), Some(owner)).expect("chown");
    chown(&dir, Some(owner), Some(owner)).expect("chown");
    dir
}

/// `gpg --recv-keys` of the lab's key.
fn receive(place: &mut Place, user: User, dirmngr: &str) -> Ran {
    let home = home(place, user, dirmngr);
    let key = place.lab.state().key_fingerprint.clone();
    let mut command = place.uwt(user, ["gpg", "--batch", "--status-fd=1", "--keyserver", "hkp://keys.lab.test"]);
    place.run(command.args(["--recv-keys", &key]).env("GNUPGHOME", home))
}

#[test]
fn gpg_receives_a_key_through_the_systems_resolver() {
    for user in [User::Root, User::Nobody] {
        let mut place = Place::new();
        let ran = receive(&mut place, user, "standard-resolver\n");
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        let imported = format!("IMPORT_OK 1 {}", place.lab.state().key_fingerprint);
        assert!(ran.out.contains(&imported), "{ran:#?}");
        assert_eq!(ran.targets(), ["keys.lab.test:11371"]);
    }
}

/// By default dirmngr brings a resolver of its own, which asks a name server by UDP.
#[test]
fn dirmngrs_own_resolver_is_answered() {
    for user in [User::Root, User::Nobody] {
        let mut place = Place::new();
        let ran = receive(&mut place, user, "");
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        assert_eq!(ran.targets(), ["keys.lab.test:11371"]);
    }
}
