//! curl, wget and git over HTTP.

use support::debian::Who;

use crate::place::Place;

#[test]
fn curl_and_wget_fetch_pages_and_onion_services() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation();
        let onion = place.lab.onion().to_owned();
        for (host, target) in [("www.lab.test", "www.lab.test:80"), (&onion, &format!("{onion}:80"))] {
            for command in ["curl -sS", "wget -q -O-"] {
                let typed = place.types(who, &format!("{command} http://{host}/"));
                assert!(typed.asked_for(&[target]).contains("\"path\":\"/\""), "{typed:#?}");
            }
        }
    }
}

/// The administrator's configuration names the gateway.
#[test]
fn a_plain_debian_is_served_as_well() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::plain();
        let typed = place.types(who, "curl -sS http://www.lab.test/ && wget -q -O- http://www.lab.test/");
        typed.asked_for(&["www.lab.test:80", "www.lab.test:80"]);
        assert_eq!(typed.credentials(), 2, "each command has one of its own: {typed:#?}");
    }
}

#[test]
fn git_clones_over_http() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation();
        let onion = place.lab.onion().to_owned();
        for (host, target) in [("git.lab.test", "git.lab.test:80"), (&onion, &format!("{onion}:80"))] {
            place.types(who, &format!("git clone -q http://{host}/git/hello.git {host}")).asked_for(&[target]);
            assert_eq!(place.types(who, &format!("cat {host}/README")).asked_for(&[]), "hello\n");
        }
    }
}
