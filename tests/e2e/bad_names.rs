//! Names that are none: what programs get, and what curl and getent make of it.

use crate::site::Site;

/// Names by what is wrong with them, as a script writes them.
fn bad_names() -> Vec<(&'static str, String)> {
    let label = "a".repeat(63);
    vec![
        ("254 bytes", format!("{label}.{label}.{label}.{}", &label[..62])),
        ("256 bytes", format!("{label}.{label}.{label}.{label}a")),
        ("1,000 bytes", "a.".repeat(500)),
        ("a label of 64 bytes", format!("{label}a.example")),
        ("an empty label", "a..example".to_owned()),
        ("an empty first label", ".example".to_owned()),
        ("two dots at the end", "example..".to_owned()),
        ("a blank", "a%20b.example".to_owned()),
        ("a line feed", "a%0ab.example".to_owned()),
        ("an escape", "a%1b.example".to_owned()),
        ("not ASCII", "%c3%a4.example".to_owned()),
        ("not UTF-8", "%ff.example".to_owned()),
    ]
}

#[test]
fn in_every_function_and_mode() {
    let site = Site::new();
    for (what, name) in bad_names() {
        let script = format!(
            "gai {name} 80 t=stream; host gethostbyname {name}; host gethostbyname2_r {name} f=inet6; res res_query {name} A; res res_nsearch {name} AAAA"
        );
        for dns in ["names", "resolve"] {
            let seen = site.run_with(&["--dns", dns], &script);
            let none = "HOST_NOT_FOUND";
            assert_eq!(seen.output, format!("EAI_NONAME; {none}; {none}; {none}; {none}"), "{what}, {dns}: {seen:?}");
            assert!(seen.log.is_empty() && seen.notes.is_empty(), "the gateway was asked for {what}: {seen:?}");
        }
    }
}

/// In DNS a label is counted, so it can hold a NUL that no C string can.
#[test]
fn an_embedded_nul() {
    let site = Site::new();
    let message = "%12%34%01%00%00%01%00%00%00%00%00%00%05www%00x%07example%04test%00%00%01%00%01";
    for dns in ["names", "resolve"] {
        site.check_all(
            &["--dns", dns],
            &[
                (&format!("resmessage res_send {message}"), "FORMERR", &[]),
                (&format!("resmessage res_nsend {message}"), "FORMERR", &[]),
            ],
        );
    }
    // A C string ends there.
    let seen = site.run("res res_query www.example.test A; address");
    assert!(seen.output.starts_with("A ~; 127."), "{seen:?}");
}

#[test]
fn what_clients_say() {
    let site = Site::new();
    let client = |words: &[&str]| site.watch(site.uwt(&[]).args(words));
    for (what, name) in bad_names() {
        let name = String::from_utf8_lossy(&decoded(&name)).into_owned();
        if what == "not UTF-8" || what.contains("blank") || what.contains("line feed") || what.contains("escape") {
            // curl takes these for a malformed URL, before any name is looked up.
            continue;
        }
        let seen = client(&["/usr/bin/curl", "-sS", &format!("http://{name}/")]);
        // 3: malformed URL, 6: could not resolve host.
        assert!(matches!(seen.status.code(), Some(3 | 6)), "{what}: {seen:?}");
        assert!(seen.log.is_empty() && !seen.notes.iter().any(|line| line.starts_with("uwt: ")), "{what}: {seen:?}");
        let seen = client(&["/usr/bin/getent", "ahosts", &name]);
        assert_eq!((seen.status.code(), seen.output.as_str()), (Some(2), ""), "{what}: {seen:?}");
        assert!(seen.log.is_empty() && seen.notes.is_empty(), "{what}: {seen:?}");
    }
    let seen = client(&["/usr/bin/getent", "ahosts", ""]);
    assert!(seen.log.is_empty() && seen.status.code() == Some(2), "{seen:?}");
}

/// A script's word as bytes.
fn decoded(word: &str) -> Vec<u8> {
    let mut rest = word.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&digits, 16).expect("hexadecimal"));
        } else {
            bytes.push(byte);
        }
    }
    bytes
}
