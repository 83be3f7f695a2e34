//! curl and wget: by name, by address, and onion services.

use crate::place::{Place, User};

/// The hosts of `http://HOST/`, and how Tor is asked for each.
fn hosts(place: &Place) -> Vec<(String, String)> {
    let onion = place.lab.onion();
    ["www.lab.test", "203.0.113.1", "[2001:db8::1]", "v6only.lab.test", onion]
        .map(|host| (format!("http://{host}/"), format!("{host}:80")))
        .to_vec()
}

/// Fetches a page from each host, in processes of their own, as both users.
fn fetch(mut place: Place, client: &[&str]) {
    let mut seen = Vec::new();
    for user in [User::Root, User::Nobody] {
        for (url, target) in hosts(&place) {
            let mut command = place.uwt(user, client);
            let ran = place.run(command.arg(&url));
            let page = ran.asked_for(&[&target]);
            assert!(page.contains("\"path\":\"/\""), "{user:?} {url}: {page}");
            seen.push((ran.users()[0].to_owned(), ran.circuits()[0]));
        }
    }
    for (index, (username, circuit)) in seen.iter().enumerate() {
        let others = &seen[index + 1..];
        assert!(others.iter().all(|other| other.0 != *username && other.1 != *circuit), "{seen:?}");
    }
}

#[test]
fn curl_is_carried_by_the_preload() {
    fetch(Place::new(), &["curl", "-sS"]);
}

#[test]
fn curl_as_shipped_knows_of_the_gateway_itself() {
    fetch(Place::shipped(), &["curl", "-sS"]);
}

#[test]
fn wget_is_carried() {
    fetch(Place::new(), &["wget", "-nv", "-o", "/dev/null", "-O", "-"]);
}

#[test]
fn a_long_body_arrives_whole() {
    let mut place = Place::new();
    let ran = place.root(&["curl", "-sS", "http://www.lab.test/big/3000000"]);
    let body = ran.asked_for(&["www.lab.test:80"]).as_bytes();
    let pattern = (33..33 + 89).cycle().take(3_000_000);
    assert!(body.iter().copied().eq(pattern), "{} bytes", body.len());
}

#[test]
fn a_page_that_cannot_be_reached_is_an_error_of_the_program() {
    let mut place = Place::new();
    // curl(1): 7 is "failed to connect"; that a name does not exist is only known when Tor has tried.
    for url in ["http://missing.lab.test/", "http://www.lab.test:81/"] {
        let ran = place.root(&["curl", "-sS", url]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(7), ""), "{ran:#?}");
        assert!(ran.err.starts_with("curl: (7) "), "{ran:#?}");
    }
}
