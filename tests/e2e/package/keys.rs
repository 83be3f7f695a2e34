//! gpg, whose keys are fetched by its daemon dirmngr.

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
        // A fresh dirmngr is a fresh credential.
        let typed = place.types(who, &format!("gpgconf --kill dirmngr && {receive}"));
        assert!(typed.ran.out.contains(&format!("IMPORT_OK 0 {key}")), "{typed:#?}");
        assert_eq!(typed.targets(), SERVER, "{typed:#?}");
    }
}
