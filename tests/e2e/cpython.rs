//! CPython's own network tests give, case by case, the same results below `uwt` as without it.
//!
//! They talk over loopback only, about everything that a program can do with a socket. Both runs take place side by
//! side, in namespaces of their own, so that neither can take a port of the other; nothing leaves that of `uwt`.

#[path = "cpython/families.rs"]
mod families;
#[path = "cpython/report.rs"]
mod report;
#[path = "cpython/setting.rs"]
mod setting;

use std::path::Path;

use report::{Difference, compare};
use setting::Setting;
use support::lab::Lab;

/// Without these the comparison would say little. Of asyncio what uses sockets or processes: each part is a module of its
/// own to the runner, so that they run side by side, and what is left out is half of the time.
const NEEDED: [&str; 14] = [
    "test_socket",
    "test_ssl",
    "test_asyncio.test_subprocess",
    "test_asyncio.test_events",
    "test_asyncio.test_ssl",
    "test_asyncio.test_sslproto",
    "test_asyncio.test_sendfile",
    "test_asyncio.test_sock_lowlevel",
    "test_asyncio.test_streams",
    "test_asyncio.test_base_events",
    "test_asyncio.test_unix_events",
    "test_asyncio.test_selector_events",
    "test_epoll",
    "test_selectors",
];

/// What else there is in some versions of Python. Not test_poll, which waits and uses no socket.
const MORE: [&str; 16] = [
    "test_imaplib",
    "test_xmlrpc",
    "test_ftplib",
    "test_poplib",
    "test_select",
    "test_httplib",
    "test_httpservers",
    "test_urllib2_localnet",
    "test_smtplib",
    "test_nntplib",
    "test_telnetlib",
    "test_asyncore",
    "test_asynchat",
    "test_wsgiref",
    "test_docxmlrpc",
    "test_timeout",
];

/// So many differences are not chance, and to look at each alone would take too long.
const MANY: usize = 20;

/// The modules this Python has, those that take longest first.
fn modules() -> Vec<&'static str> {
    let python = std::fs::canonicalize("/usr/bin/python3").expect("python3");
    let version = python.file_name().and_then(|name| name.to_str()).expect("a name");
    let tests = Path::new("/usr/lib").join(version).join("test");
    let exists = |name: &&str| tests.join(format!("{}.py", name.replace('.', "/"))).is_file();
    for name in NEEDED {
        assert!(exists(&name), "no {name} in {}: install lib{version}-testsuite", tests.display());
    }
    NEEDED.into_iter().chain(MORE.into_iter().filter(exists)).collect()
}

#[test]
fn the_results_are_those_of_bare_python() {
    let lab = Lab::attach();
    let (bare, wrapped) = (Setting::bare(&lab), Setting::wrapped(&lab));
    let both = |arguments: &[&str]| {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| bare.run(arguments));
            let ours = wrapped.run(arguments);
            (other.join().expect("the bare run"), ours)
        })
    };

    let (expected, found) = both(&modules());
    for module in NEEDED {
        let passed = expected.passed_in(module);
        assert!(passed >= 5, "bare, only {passed} cases of {module} pass: {expected}");
    }
    let mut differences = compare(&expected, &found);
    if differences.len() <= MANY {
        // Some cases depend on how long things take, and the machine is busy. Each that differs is run again in both
        // settings, with nothing beside it; what differs then counts.
        differences.retain(|difference| {
            let (expected, found) = both(&difference.alone());
            let again = compare(&expected, &found);
            again.iter().any(|other| other.case == difference.case)
        });
    }
    let list: Vec<String> = differences.iter().map(Difference::to_string).collect();
    assert!(list.is_empty(), "{} cases differ:\n{}\n\n{expected}\n{found}", list.len(), list.join("\n"));
    wrapped.assert_no_leaks();
}
