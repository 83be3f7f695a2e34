//! What is read, what is refused, and what it means.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uwt_policy::{Inbound, Scope};

use super::{Torsocks, file};
use crate::error::{Error, Faults, Invalid};
use crate::source::Source;
use crate::{GatewayChoice, Identity, Origin, Pair, Settings};

fn read(text: &str) -> Result<Torsocks, Error> {
    file::parse(&Source::new(Path::new("/t.conf"), text)).map_err(Faults::into_first)
}

fn variables(set: &[(&str, &str)]) -> Result<Torsocks, Invalid> {
    let set: Vec<(&str, OsString)> = set.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    Torsocks::of_environment(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_os_str()))
}

fn applied(torsocks: &Torsocks) -> Settings {
    let mut settings = Settings::default();
    torsocks.apply(&mut settings).unwrap();
    settings
}

fn pair(username: &str, password: &str) -> Identity {
    Identity::Pair(Pair { username: username.to_owned(), password: password.to_owned() })
}

/// All there is in Debian's file, commented lines included.
const WHOLE: &str = "\
# torsocks.conf

TorAddress 10.152.152.10
\tTorPort\t9150 # a comment
OnionAddrRange 127.42.42.0/24
AllowInbound 1
AllowOutboundLocalhost 0
IsolatePID 1\r
EnableIPv6 1";

#[test]
fn a_file_becomes_settings_with_their_lines() {
    let settings = applied(&read(WHOLE).unwrap());
    let line = |line| Origin::File { path: "/t.conf".into(), line };
    assert_eq!(settings.gateway.value, GatewayChoice::Address([10, 152, 152, 10].into()));
    assert_eq!((settings.port.value, settings.inbound.value), (9150, Inbound::Allow));
    assert_eq!((settings.allow_loopback.value, settings.scope.value), (false, Scope::Process));
    assert_eq!(settings.gateway.origin, line(3));
    assert_eq!(settings.port.origin, line(4));
    assert_eq!(settings.inbound.origin, line(6));
    assert_eq!(settings.allow_loopback.origin, line(7));
    assert_eq!((&settings.scope.origin, &settings.identity.origin), (&line(8), &line(8)));
    let nothing = read("").unwrap();
    assert_eq!(
        (applied(&nothing), nothing.says_gateway(), nothing.says_isolation()),
        (Settings::default(), false, false)
    );
    assert_eq!(applied(&read("TorPort 1\nTorPort 2").unwrap()).port.value, 2);
}

#[test]
fn what_a_file_cannot_say() {
    for (text, message) in [
        (
            "TorPort 9050\nTorAdress 127.0.0.1",
            "/t.conf:2: unknown directive 'TorAdress' (did you mean 'TorAddress'?); expected TorAddress, TorPort, \
             OnionAddrRange, SOCKS5Username, SOCKS5Password, AllowInbound, AllowOutboundLocalhost, IsolatePID or EnableIPv6",
        ),
        ("TorPort", "/t.conf:1: TorPort has no value; expected one behind it"),
        ("TorPort # 9050", "/t.conf:1: TorPort has no value; expected one behind it"),
        ("TorPort 1 2", "/t.conf:1: TorPort has several values; expected one without white space"),
        (
            "SOCKS5Password secret#1",
            "/t.conf:1: the value of SOCKS5Password has a '#' in it; expected a value without, or white space before a \
             comment",
        ),
        ("TorPort 0", "/t.conf:1: TorPort: '0' is no port; expected a number from 1 to 65535"),
        ("TorPort +1", "/t.conf:1: TorPort: '+1' is no port; expected a number from 1 to 65535"),
        ("\n\nTorPort 65536", "/t.conf:3: TorPort: '65536' is no port; expected a number from 1 to 65535"),
        (
            "TorAddress localhost",
            "/t.conf:1: TorAddress: 'localhost' is no address; expected the IPv4 address of the SocksPort",
        ),
        ("TorAddress auto", "/t.conf:1: TorAddress: 'auto' is no address; expected the IPv4 address of the SocksPort"),
        (
            "TorAddress ::1",
            "/t.conf:1: TorAddress: '::1' is an IPv6 address, which is not carried; expected the IPv4 address of the \
             SocksPort",
        ),
        ("OnionAddrRange 127.0.0.0", "/t.conf:1: OnionAddrRange: '127.0.0.0' is no range; expected {RANGE}"),
        ("OnionAddrRange 127.0.0.0/0", "/t.conf:1: OnionAddrRange: '127.0.0.0/0' is no range; expected {RANGE}"),
        ("OnionAddrRange 127.0.0.0/33", "/t.conf:1: OnionAddrRange: '127.0.0.0/33' is no range; expected {RANGE}"),
        ("AllowInbound yes", "/t.conf:1: AllowInbound: 'yes' is unknown; expected 0 or 1"),
        ("AllowOutboundLocalhost 3", "/t.conf:1: AllowOutboundLocalhost: '3' is unknown; expected 0, 1 or 2"),
        ("IsolatePID 2", "/t.conf:1: IsolatePID: '2' is unknown; expected 0 or 1"),
        ("EnableIPv6 on", "/t.conf:1: EnableIPv6: 'on' is unknown; expected 0 or 1"),
    ] {
        let message = message.replace("{RANGE}", "an IPv4 range as 127.42.42.0/24");
        assert_eq!(read(text).unwrap_err().to_string(), message, "{text:?}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let long = "s3cret".repeat(50);
    for text in
        [format!("SOCKS5Password {long}"), format!("SOCKS5Password {long} b"), format!("SOCKS5Password {long}#")]
    {
        assert!(!read(&text).unwrap_err().to_string().contains("s3cret"), "{text}");
    }
    let said = read("SOCKS5Username me\nSOCKS5Password s3cret").unwrap();
    let settings = applied(&said);
    for shown in [format!("{said:?}"), format!("{settings:?}"), settings.identity.value.unwrap().to_string()] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn variables_and_options() {
    let said = variables(&[
        ("TORSOCKS_TOR_ADDRESS", "10.0.0.1"),
        ("TORSOCKS_TOR_PORT", ""),
        ("TORSOCKS_ALLOW_INBOUND", "1"),
        ("TORSOCKS_USERNAME", "a b"),
        ("TORSOCKS_PASSWORD", "c#d"),
        ("TORSOCKS_LOG_LEVEL", "1"),
        ("TORSOCKS_LOG_FILE_PATH", "/dev/null"),
        ("TORSOCKS_OTHER", "?"),
    ]);
    let said = said.unwrap();
    let settings = applied(&said);
    let origin = |name| Origin::Environment(name);
    assert_eq!(settings.gateway.origin, origin("TORSOCKS_TOR_ADDRESS"));
    assert_eq!(settings.port, Settings::default().port, "empty is as good as none");
    assert_eq!((settings.scope.value, settings.identity.value), (Scope::Identity, Some(pair("a b", "c#d"))));
    assert_eq!(said.log_level().map(|level| level.value), Some(1));
    assert_eq!(said.log_file().map(|path| path.value.as_path()), Some(Path::new("/dev/null")));

    let option = Torsocks::of_option("--port", "TORSOCKS_TOR_PORT", "9150").unwrap();
    assert_eq!(applied(&option).port.origin, Origin::CommandLine("--port"));
    assert!(applied(&option).port.origin.is_of_the_call() && option.says_gateway());
    for (said, message) in [
        (
            Torsocks::of_option("--port", "TORSOCKS_TOR_PORT", "x"),
            "--port: 'x' is no port; expected a number from 1 to 65535",
        ),
        (
            Torsocks::of_option("--user", "TORSOCKS_USERNAME", ""),
            "--user: is empty; expected 1 to 255 bytes (RFC 1929)",
        ),
        (
            variables(&[("TORSOCKS_LOG_LEVEL", "6")]),
            "TORSOCKS_LOG_LEVEL: '6' is unknown; expected a number from 1 to 5",
        ),
        (variables(&[("TORSOCKS_LOG_TIME", "no")]), "TORSOCKS_LOG_TIME: 'no' is unknown; expected 0 or 1"),
        (variables(&[("TORSOCKS_ISOLATE_PID", "yes")]), "TORSOCKS_ISOLATE_PID: 'yes' is unknown; expected 0 or 1"),
        (
            Torsocks::of_option("--x", "TORSOCKS_X", "1"),
            "--x: is no variable of torsocks; expected one that torsocks(8) has",
        ),
    ] {
        assert_eq!(said.unwrap_err().to_string(), message);
    }
    let bytes = OsString::from_vec(vec![0xff]);
    let foreign = Torsocks::of_environment(|name| (name == "TORSOCKS_USERNAME").then_some(bytes.as_os_str()));
    assert_eq!(foreign.unwrap_err().to_string(), "TORSOCKS_USERNAME: is not UTF-8; expected UTF-8 text");
}

#[test]
fn the_stronger_source_wins_word_by_word() {
    let mut all =
        read("TorAddress 10.0.0.1\nTorPort 1\nSOCKS5Username file\nSOCKS5Password file\nIsolatePID 1").unwrap();
    all.overlay(variables(&[("TORSOCKS_TOR_PORT", "2"), ("TORSOCKS_ISOLATE_PID", "0")]).unwrap());
    all.overlay(Torsocks::of_option("--user", "TORSOCKS_USERNAME", "option").unwrap());
    let settings = applied(&all);
    assert_eq!(settings.gateway.value, GatewayChoice::Address([10, 0, 0, 1].into()));
    assert_eq!((settings.port.value, settings.identity.value), (2, Some(pair("option", "file"))));
    assert_eq!(settings.scope.origin, Origin::CommandLine("--user"));
}

#[test]
fn contradictions_are_refused() {
    for (text, message) in [
        ("SOCKS5Username a", "a username (/t.conf:1) without a password; expected both or none of them"),
        ("\nSOCKS5Password a", "a password (/t.conf:2) without a username; expected both or none of them"),
        (
            "SOCKS5Username a\nSOCKS5Password b\nIsolatePID 1",
            "a username and a password (/t.conf:1) contradict IsolatePID (/t.conf:3); expected only one of the two",
        ),
    ] {
        let fault = read(text).unwrap().apply(&mut Settings::default()).unwrap_err();
        assert_eq!(fault.to_string(), message);
    }
}

/// Less isolation than uwt's own configuration asks for is nothing that a default written down shall bring.
#[test]
fn isolate_pid_0_only_takes_back_a_1() {
    let zero = read("IsolatePID 0").unwrap();
    assert_eq!((applied(&zero), zero.says_isolation()), (Settings::default(), false));
    let mut all = read("IsolatePID 1").unwrap();
    assert!(all.says_isolation());
    all.overlay(zero);
    assert_eq!(applied(&all), Settings::default());
}

#[test]
fn what_has_another_meaning_is_said() {
    let mut all = read("OnionAddrRange 127.42.42.0/24\nIsolatePID 0\nEnableIPv6 0\nAllowOutboundLocalhost 1").unwrap();
    all.overlay(variables(&[("TORSOCKS_LOG_TIME", "1")]).unwrap());
    let remarks = all.remarks();
    let origins =
        ["(/t.conf:1)", "(/t.conf:2)", "(/t.conf:3)", "(/t.conf:4)", "(TORSOCKS_LOG_TIME in the environment)"];
    assert_eq!(remarks.len(), origins.len());
    for (remark, origin) in remarks.iter().zip(origins) {
        assert!(remark.contains(origin), "{remark}");
    }
    let plain = read("AllowOutboundLocalhost 2\nAllowInbound 0\nTorPort 1\nIsolatePID 1").unwrap();
    assert_eq!(plain.remarks(), [""; 0]);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Torsocks::of_file(&folder.path().join("none")).unwrap(), None);
    assert_eq!(Torsocks::of_file(&folder.path().join("none/none")).unwrap(), None);
    std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
    assert!(Torsocks::of_file(&folder.path().join("link")).unwrap_err().to_string().contains("leads nowhere"));
    assert!(Torsocks::of_file(folder.path()).unwrap_err().to_string().contains("is no file"));
    std::fs::write(folder.path().join("file"), "TorPort 7").unwrap();
    let read = Torsocks::of_file(&folder.path().join("file")).unwrap().unwrap();
    assert_eq!(applied(&read).port.value, 7);
}

/// Pieces of the grammar: their mixtures come much further than random letters.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "TorAddress",
        "TorPort",
        "OnionAddrRange",
        "SOCKS5Username",
        "SOCKS5Password",
        "AllowInbound",
        "AllowOutboundLocalhost",
        "IsolatePID",
        "EnableIPv6",
        " ",
        " ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "#",
        "0",
        "1",
        "2",
        "9050",
        "127.0.0.1",
        "127.42.42.0/24",
        "::1",
        "/",
        "me",
        "é",
        "\u{feff}",
        "\u{0}",
        "\u{202e}",
    ];
    vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn check_outcome(text: &str) -> Result<(), TestCaseError> {
    match read(text) {
        Ok(said) => {
            // Nothing that looks like a directive went unnoticed.
            let lines = text.lines().filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty());
            for line in lines.filter(|line| !line.trim_start_matches([' ', '\t']).starts_with('#')) {
                prop_assert!(line.split_whitespace().count() >= 2, "{:?}", line);
            }
            let mut settings = Settings::default();
            if said.apply(&mut settings).is_ok() {
                prop_assert_eq!(settings.scope.value == Scope::Identity, settings.identity.value.is_some());
                prop_assert_eq!(settings.scope == Settings::default().scope, !said.says_isolation());
            }
        }
        Err(fault) => {
            let shown = fault.to_string();
            prop_assert_eq!(shown.lines().count(), 1, "{}", shown);
            prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
            let last = text.matches('\n').count() + 1;
            prop_assert!(fault.line().is_some_and(|line| (1..=last).contains(&line)), "{} in {} lines", shown, last);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused_with_one_line(text in any::<String>()) {
        check_outcome(&text)?;
    }

    #[test]
    fn any_mixture_of_what_is_known_is_read_or_refused_with_one_line(text in pieces()) {
        check_outcome(&text)?;
    }

    #[test]
    fn a_pair_is_read_as_it_is_written(username in "[!-\"$-~]{1,255}", password in "[!-\"$-~]{1,255}") {
        let text = format!("SOCKS5Username {username}\nSOCKS5Password {password}\n");
        prop_assert_eq!(applied(&read(&text).unwrap()).identity.value, Some(pair(&username, &password)));
    }

    #[test]
    fn what_is_put_on_top_wins(below in pieces(), above in pieces()) {
        if let (Ok(below), Ok(above)) = (read(&below), read(&above)) {
            let mut both = below.clone();
            both.overlay(above.clone());
            both.overlay(above.clone());
            prop_assert_eq!(both.port.clone(), above.port.or(below.port));
            prop_assert_eq!(both.username.clone(), above.username.or(below.username));
            prop_assert_eq!(both.isolate, above.isolate.or(below.isolate));
        }
    }
}
