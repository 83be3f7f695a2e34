//! What the user sees for each kind of broken file: exactly one line, with the place and what is expected there.

use std::fs;
use std::path::Path;

use uwt_config::{Config, Error, Sources};

/// What several messages expect.
const EXPECTED: &[(&str, &str)] = &[
    (
        "{GLOBAL}",
        "enabled, gateway, port, scope, identity, credentials, guard, dns, localhost, \
         transparent_proxy, allow_loopback, local_tor, inbound, bind, max_nested, connect_timeout, optimistic, \
         time_privacy, trusted or preload",
    ),
    (
        "{COMMAND}",
        "enabled, gateway, port, scope, identity, credentials, guard, dns, localhost, allow_loopback, \
         local_tor, inbound, bind, connect_timeout, optimistic, time_privacy or native",
    ),
    (
        "{SUBSET}",
        "uwtwrapper_global=\"1\", uwtwrapper[\"/PATH\"]=\"1\", uwtwrapper_max=10, \
         uwtport[\"/PATH\"]=\"9050\", timeprivacy_global=\"0\", timeprivacy[\"/PATH\"]=\"0\", \
         nested_protection() { true; }, a comment or an empty line",
    ),
    ("{LEVELS}", "\"auto\", \"tunnel\", \"deny\" or \"off\""),
    ("{TABLES}", "tables as [command.git] or [command.\"/usr/bin/git\"]"),
    ("{NAME}", "a name of 1 to 64 letters, digits, punctuation marks and inner spaces"),
    ("{PATH}", "an absolute path in quotes, without '..', ':' and white space"),
    ("{SCOPES}", "\"process\", \"invocation\", \"command\", \"destination\", \"identity\" or \"none\""),
    ("{TABLE}", "a name as in [command.git] or a path as in [command.\"/usr/bin/git\"]"),
    ("{PROGRAM}", "an absolute path as \"/usr/bin/git\""),
    ("{ADDRESS}", "\"auto\" or an IPv4 address"),
    ("{BIND}", "\"none\", \"workstation\", \"interface:NAME\" or an IPv4 address"),
    ("{VALUE}", "text in quotes, a number, true or false"),
    ("{LIMIT}", "a number from 1; to switch the protection off: nested_protection() { true; }"),
];

fn fault(folder: &Path, name: &str, text: &[u8]) -> String {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    let fault = Config::load(&Sources { folders: vec![folder.to_owned()] })
        .expect_err(&format!("{} was accepted", String::from_utf8_lossy(text)));
    fs::remove_file(&file).unwrap();
    assert_eq!(fault.file(), file);
    let shown = fault.to_string();
    assert_eq!(shown.lines().count(), 1, "{shown}");
    shown.strip_prefix(&format!("{}:", file.display())).unwrap_or_else(|| panic!("{shown}")).to_owned()
}

fn expand(message: &str) -> String {
    EXPECTED.iter().fold(message.to_owned(), |message, (short, long)| message.replace(short, long))
}

fn check(name: &str, table: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let wrong: Vec<_> = table
        .iter()
        .map(|(text, expected)| (fault(folder.path(), name, text.as_bytes()), expand(expected)))
        .filter(|(shown, expected)| shown != expected)
        .map(|(shown, expected)| format!("  {shown}\n  {expected}\n"))
        .collect();
    assert!(wrong.is_empty(), "shown, then expected:\n{}", wrong.join("\n"));
}

#[test]
fn syntax() {
    check(
        "50_user.toml",
        &[
            ("port = 9050\nport = 9051", "2: 'port' is there twice; expected each key once"),
            ("port =", "1: the value is missing; expected {VALUE}"),
            ("port = 9050\n\n[command.git\nport = 1", "3: unclosed table; expected `]`"),
            ("gateway = auto", "1: 'auto' is no value; expected {VALUE}"),
            ("gateway = \"auto", "1: invalid basic string; expected `\"`"),
            ("enabled = yes", "1: 'yes' is no value; expected {VALUE}"),
            ("port 9050", "1: key with no value; expected `=`"),
            ("[command.git]\nport=1\n[command.git]\nport=2", "3: 'git' is there twice; expected each key once"),
            ("port = 09050", "1: unexpected leading zero"),
            ("port = 9050 9051", "1: '9050 9051' is no value; expected {VALUE}"),
            ("\u{1}", "1: invalid unquoted key; expected letters, numbers, `-`, `_`"),
            ("identity = 'a\nb'", "1: invalid literal string; expected `'`"),
            ("uwtwrapper_global=\"1\"", "1: unknown key 'uwtwrapper_global'; expected {GLOBAL}"),
        ],
    );
}

#[test]
fn keys() {
    check(
        "50_user.toml",
        &[
            ("# nothing\n\ngatway = \"auto\"", "3: unknown key 'gatway' (did you mean 'gateway'?); expected {GLOBAL}"),
            ("banana = 1", "1: unknown key 'banana'; expected {GLOBAL}"),
            ("TorPort = 9050", "1: unknown key 'TorPort' (did you mean 'port'?); expected {GLOBAL}"),
            ("native = \"all_proxy\"", "1: native can only be set per command; expected it in a [command.NAME] table"),
            ("[comand.git]\nport = 1", "1: unknown table 'comand' (did you mean 'command'?); expected {TABLES}"),
            ("[curl]\nport = 1", "1: unknown table 'curl' (did you mean [command.curl]?); expected {TABLES}"),
            ("command = 1", "1: command is no table; expected {TABLES}"),
            ("[[command]]\nport = 1", "1: command is no table; expected {TABLES}"),
            ("[[command.git]]\nport = 1", "1: command.git is no table; expected {TABLES}"),
            ("command.port = 1", "1: command.port is no table; expected {TABLES}"),
            ("[command.\"\"]\nport = 1", "1: '' is no command; expected {TABLE}"),
            ("[command.\"bin/git\"]\nport = 1", "1: 'bin/git' is no path of a program; expected {PROGRAM}"),
            ("[command.\"/usr/bin/\"]\nport = 1", "1: '/usr/bin/' is no path of a program; expected {PROGRAM}"),
            (
                "[command.\"/usr/../bin/git\"]\nport = 1",
                "1: '/usr/../bin/git' is no path of a program; expected {PROGRAM}",
            ),
            ("[command.\"a\\nb\"]\nport = 1", "1: 'a\\nb' is no command; expected {TABLE}"),
            ("[command.git]\nprot = 1", "2: unknown key 'prot' (did you mean 'port'?); expected {COMMAND}"),
            (
                "[command.git]\nenabled = true\nmax_nested = 1",
                "3: max_nested cannot be set per command; expected it above the first [command.…] table",
            ),
            ("[command.git.port]\nvalue = 1", "1: port of 'git': is a table; expected a number from 1 to 65535"),
            (
                "[command.\"/usr/bin/git\"]\n[command.\"/usr/bin/git.anondist-orig\"]",
                "2: '/usr/bin/git.anondist-orig' names a command a second time; expected one table each",
            ),
            ("\"a\\u001b[31mb\" = 1", "1: unknown key 'a\\u{1b}[31mb'; expected {GLOBAL}"),
            ("zebra = 1\nport = 0\nbanana = 1", "1: unknown key 'zebra'; expected {GLOBAL}"),
        ],
    );
}

#[test]
fn types_numbers_and_addresses() {
    check(
        "50_user.toml",
        &[
            ("enabled = \"yes\"", "1: enabled: 'yes' is a string; expected true or false"),
            ("enabled = 1", "1: enabled: 1 is a number; expected true or false"),
            ("gateway = 127", "1: gateway: 127 is a number; expected {ADDRESS}"),
            ("gateway = \"Auto\"", "1: gateway: 'Auto' is no address (did you mean 'auto'?); expected {ADDRESS}"),
            (
                "gateway = \"unix:/run/tor/socks\"",
                "1: gateway: 'unix:/run/tor/socks' is a unix socket, which is not carried; expected {ADDRESS}",
            ),
            ("gateway = \"::1\"", "1: gateway: '::1' is an IPv6 address, which is not carried; expected {ADDRESS}"),
            ("gateway = \"[::1]\"", "1: gateway: '[::1]' is an IPv6 address, which is not carried; expected {ADDRESS}"),
            ("gateway = \"0.0.0.0\"", "1: gateway: '0.0.0.0' is no address of a host; expected {ADDRESS}"),
            ("gateway = \"224.0.0.1\"", "1: gateway: '224.0.0.1' is no address of a host; expected {ADDRESS}"),
            (
                "gateway = \"127.0.0.1:9050\"",
                "1: gateway: '127.0.0.1:9050' has a port, which is a key of its own; expected {ADDRESS}",
            ),
            ("gateway = \"127.1\"", "1: gateway: '127.1' is no address; expected {ADDRESS}"),
            ("gateway = \"localhost\"", "1: gateway: 'localhost' is no address; expected {ADDRESS}"),
            ("bind = 1", "1: bind: 1 is a number; expected {BIND}"),
            ("bind = \"eth0\"", "1: bind: 'eth0' is no address; expected {BIND}"),
            (
                "bind = \"Workstation\"",
                "1: bind: 'Workstation' is no address (did you mean 'workstation'?); expected {BIND}",
            ),
            ("bind = \"interface:\"", "1: bind: 'interface:' names no interface; expected {BIND}"),
            ("bind = \"interface:eth0:1\"", "1: bind: 'interface:eth0:1' names no interface; expected {BIND}"),
            ("bind = \"0.0.0.0\"", "1: bind: '0.0.0.0' is no address of a host; expected {BIND}"),
            (
                "bind = \"127.0.0.1\"",
                "1: bind: '127.0.0.1' is loopback, where nobody else can connect; expected {BIND}",
            ),
            (
                "[command.onionshare]\nbind = \"fe80::1\"",
                "2: bind of 'onionshare': 'fe80::1' is an IPv6 address; expected {BIND}",
            ),
            ("port = 0", "1: port: 0 is out of range; expected a number from 1 to 65535"),
            ("port = 65536", "1: port: 65536 is out of range; expected a number from 1 to 65535"),
            ("port = -1", "1: port: -1 is out of range; expected a number from 1 to 65535"),
            (
                "port = 99999999999999999999",
                "1: port: 99999999999999999999 is out of range; expected a number from 1 to 65535",
            ),
            ("port = \"9050\"", "1: port: '9050' is a string; expected a number from 1 to 65535"),
            ("port = 9050.0", "1: port: 9050.0 is no whole number; expected a number from 1 to 65535"),
            ("port = 1979-05-27", "1: port: is a date; expected a number from 1 to 65535"),
            ("port = [9050]", "1: port: is a list; expected a number from 1 to 65535"),
            ("port = { a = 1 }", "1: port: is a table; expected a number from 1 to 65535"),
        ],
    );
}

#[test]
fn words_names_and_paths() {
    check(
        "50_user.toml",
        &[
            ("scope = \"proces\"", "1: scope: 'proces' is unknown (did you mean 'process'?); expected {SCOPES}"),
            ("scope = \"pancake\"", "1: scope: 'pancake' is unknown; expected {SCOPES}"),
            ("scope = true", "1: scope: true is a boolean; expected {SCOPES}"),
            (
                "port = 1\n\nscope = \"identity\"",
                "3: scope: \"identity\" needs a name; expected identity = \"NAME\" in the same table",
            ),
            (
                "identity = \"work\"\nscope = \"process\"",
                "2: scope: contradicts identity in the same table; expected only one of the two",
            ),
            (
                "[command.git]\nscope = \"identity\"",
                "2: scope of 'git': \"identity\" needs a name; expected identity = \"NAME\" in the same table",
            ),
            ("identity = \"\"", "1: identity: '' is empty; expected {NAME}"),
            ("identity = \" work\"", "1: identity: ' work' begins or ends with a space; expected {NAME}"),
            (
                "identity = \"a\\u200bb\"",
                "1: identity: 'a\\u{200b}b' has a character that is not plainly visible; expected {NAME}",
            ),
            (
                "identity = \"12345678901234567890123456789012345678901234567890123456789012345\"",
                "1: identity: '123456789012345678901234567890123456789012345678901234567890…' is too long; expected {NAME}",
            ),
            (
                "credentials = \"extend\"",
                "1: credentials: 'extend' is unknown (did you mean 'extended'?); expected \"plain\" or \"extended\"",
            ),
            ("guard = \"tunel\"", "1: guard: 'tunel' is unknown (did you mean 'tunnel'?); expected {LEVELS}"),
            ("guard = \"none\"", "1: guard: 'none' is unknown; expected {LEVELS}"),
            ("guard = false", "1: guard: false is a boolean; expected {LEVELS}"),
            (
                "[command.git]\nguard = \"of\"",
                "2: guard of 'git': 'of' is unknown (did you mean 'off'?); expected {LEVELS}",
            ),
            ("dns = \"name\"", "1: dns: 'name' is unknown (did you mean 'names'?); expected \"names\" or \"resolve\""),
            (
                "localhost = \"direct\"",
                "1: localhost: 'direct' is unknown; expected \"auto\", \"passthrough\" or \"loopback\"",
            ),
            (
                "transparent_proxy = \"yes\"",
                "1: transparent_proxy: 'yes' is a string; expected true, false or \"auto\"",
            ),
            ("time_privacy = 1", "1: time_privacy: 1 is a number; expected true or false"),
            ("inbound = true", "1: inbound: true is a boolean; expected \"loopback\", \"allow\" or \"deny\""),
            ("max_nested = -1", "1: max_nested: -1 is out of range; expected a number from 0 to 4294967295"),
            ("connect_timeout = 0", "1: connect_timeout: 0 is out of range; expected a number from 1 to 3600"),
            ("connect_timeout = 3601", "1: connect_timeout: 3601 is out of range; expected a number from 1 to 3600"),
            (
                "trusted = \"/sbin/ldconfig\"",
                "1: trusted: '/sbin/ldconfig' is a string; expected a list of absolute paths, as [\"/sbin/ldconfig\"]",
            ),
            (
                "trusted = [\n  \"/sbin/ldconfig\",\n  \"ldconfig\",\n]",
                "3: trusted: 'ldconfig' is no such path; expected {PATH}",
            ),
            ("trusted = [\"/sbin/../bin/sh\"]", "1: trusted: '/sbin/../bin/sh' is no such path; expected {PATH}"),
            ("trusted = [\"/sbin/a:b\"]", "1: trusted: '/sbin/a:b' is no such path; expected {PATH}"),
            ("trusted = [\"/sbin/a b\"]", "1: trusted: '/sbin/a b' is no such path; expected {PATH}"),
            ("trusted = [\"/\"]", "1: trusted: '/' is no such path; expected {PATH}"),
            ("trusted = [1]", "1: trusted: 1 is a number; expected {PATH}"),
            ("preload = \"libuwt_preload.so\"", "1: preload: 'libuwt_preload.so' is no such path; expected {PATH}"),
            (
                "[command.curl]\nnative = \"proxy\"",
                "2: native of 'curl': 'proxy' is unknown; expected \"none\" or \"all_proxy\"",
            ),
            (
                "[command.curl]\nnative = \"all-proxy\"",
                "2: native of 'curl': 'all-proxy' is unknown (did you mean 'all_proxy'?); expected \"none\" or \"all_proxy\"",
            ),
        ],
    );
}

#[test]
fn legacy() {
    check(
        "50_user.conf",
        &[
            ("# fine\n\nfoo", "3: 'foo' is not understood; expected {SUBSET}"),
            (
                "uwtwraper_global=\"1\"",
                "1: 'uwtwraper_global=\"1\"' is not understood (did you mean 'uwtwrapper_global'?); expected {SUBSET}",
            ),
            ("uwtwrapper_global=\"2\"", "1: uwtwrapper_global: '2' is unknown; expected \"0\" or \"1\""),
            ("uwtwrapper_global=", "1: uwtwrapper_global: '' is unknown; expected \"0\" or \"1\""),
            ("uwtwrapper_global = \"1\"", "1: 'uwtwrapper_global = \"1\"' is not understood; expected {SUBSET}"),
            ("uwtwrapper_global=\"1", "1: 'uwtwrapper_global=\"1' is not understood; expected {SUBSET}"),
            ("uwtwrapper_global=\"1\"0", "1: 'uwtwrapper_global=\"1\"0' is not understood; expected {SUBSET}"),
            ("uwtwrapper_global=\"1\";", "1: 'uwtwrapper_global=\"1\";' is not understood; expected {SUBSET}"),
            (
                "uwtwrapper_global=\"1\" rm -rf /",
                "1: 'uwtwrapper_global=\"1\" rm -rf /' is not understood; expected {SUBSET}",
            ),
            ("uwtwrapper_global=\"$(id)\"", "1: 'uwtwrapper_global=\"$(id)\"' is not understood; expected {SUBSET}"),
            ("uwtwrapper_global=`id`", "1: 'uwtwrapper_global=`id`' is not understood; expected {SUBSET}"),
            ("uwtwrapper_global=1#x", "1: 'uwtwrapper_global=1#x' is not understood; expected {SUBSET}"),
            ("export uwtwrapper_global=1", "1: 'export uwtwrapper_global=1' is not understood; expected {SUBSET}"),
            ("uwtwrapper[\"/usr/bin/git\"]=\"no\"", "1: uwtwrapper: 'no' is unknown; expected \"0\" or \"1\""),
            ("uwtwrapper[\"git\"]=\"0\"", "1: uwtwrapper: 'git' is no path of a program; expected {PROGRAM}"),
            ("uwtwrapper[]=\"0\"", "1: uwtwrapper: '' is no path of a program; expected {PROGRAM}"),
            ("uwtwrapper=\"0\"", "1: 'uwtwrapper=\"0\"' is not understood; expected {SUBSET}"),
            (
                "uwtwrapper[\"/usr/bin/git\"=\"0\"",
                "1: 'uwtwrapper[\"/usr/bin/git\"=\"0\"' is not understood; expected {SUBSET}",
            ),
            (
                "uwtwrapper[\"/usr/bin/$x\"]=\"0\"",
                "1: 'uwtwrapper[\"/usr/bin/$x\"]=\"0\"' is not understood; expected {SUBSET}",
            ),
            (
                "uwtwrapper_global[\"/usr/bin/git\"]=\"0\"",
                "1: 'uwtwrapper_global[\"/usr/bin/git\"]=\"0\"' is not understood; expected {SUBSET}",
            ),
            ("uwtwrapper_max=0", "1: uwtwrapper_max: '0' is no such number; expected {LIMIT}"),
            ("uwtwrapper_max=+5", "1: uwtwrapper_max: '+5' is no such number; expected {LIMIT}"),
            ("uwtwrapper_max=4294967296", "1: uwtwrapper_max: '4294967296' is no such number; expected {LIMIT}"),
            (
                "uwtport[\"/usr/bin/apt-get\"]=\"0\"",
                "1: uwtport: '0' is no such number; expected a number from 1 to 65535",
            ),
            (
                "uwtport[\"/usr/bin/apt-get\"]=\"65536\"",
                "1: uwtport: '65536' is no such number; expected a number from 1 to 65535",
            ),
            ("uwtport=\"9104\"", "1: 'uwtport=\"9104\"' is not understood; expected {SUBSET}"),
            ("timeprivacy[\"/usr/bin/git\"]=\"on\"", "1: timeprivacy: 'on' is unknown; expected \"0\" or \"1\""),
            ("timeprivacy[\"git\"]=\"0\"", "1: timeprivacy: 'git' is no path of a program; expected {PROGRAM}"),
            ("timeprivacy_global=\"no\"", "1: timeprivacy_global: 'no' is unknown; expected \"0\" or \"1\""),
            ("\nnested_protection() {\ntrue", "2: nested_protection() has no end; expected a closing }"),
            ("nested_protection() {\n}", "2: '}' is not understood; expected {SUBSET}"),
            ("nested_protection() {\nfalse\n}", "2: 'false' is not understood; expected {SUBSET}"),
            ("nested_protection() {\ntrue\ntrue\n}", "3: 'true' is not understood; expected {SUBSET}"),
            ("nested_protection() {true; }", "1: 'nested_protection() {true; }' is not understood; expected {SUBSET}"),
            (
                "nested_protection() { true; } ; reboot",
                "1: 'nested_protection() { true; } ; reboot' is not understood; expected {SUBSET}",
            ),
            (
                "nested_protection() { truely; }",
                "1: 'nested_protection() { truely; }' is not understood; expected {SUBSET}",
            ),
            (
                "nested_protection() {\nuwtwrapper_global=0\n}",
                "2: 'uwtwrapper_global=0' is not understood; expected {SUBSET}",
            ),
            ("nested_protection", "1: 'nested_protection' is not understood; expected {SUBSET}"),
            ("source /etc/uwt.d/other.conf", "1: 'source /etc/uwt.d/other.conf' is not understood; expected {SUBSET}"),
            ("\u{1b}[31m", "1: '\\u{1b}[31m' is not understood; expected {SUBSET}"),
        ],
    );
}

#[test]
fn whole_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["50_user.toml", "50_user.conf"] {
        assert_eq!(
            fault(folder.path(), name, b"# one\n# two\n# \xff"),
            "3: a byte that is not UTF-8; expected UTF-8 text"
        );
        let large = vec![b'#'; (1 << 20) + 1];
        assert_eq!(fault(folder.path(), name, &large), " is too large; expected at most 1 MiB");
    }
}

#[test]
fn every_fault_of_a_file_is_found_when_it_is_read_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let faults = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let faults = Config::of_file(&path).unwrap_err();
        let load = Config::load(&Sources { folders: vec![folder.path().to_owned()] });
        assert_eq!(faults.iter().next(), load.as_ref().err(), "the first one stops everything");
        fs::remove_file(&path).unwrap();
        faults.iter().map(Error::line).collect::<Vec<_>>()
    };
    let text =
        "prot = 1\nport = 0\n[command.git]\nscope = \"identity\"\n[command.ssh]\nenabled = 1\nx = 1\n[command.a]\n";
    assert_eq!(faults("a.toml", text), [1, 2, 4, 6, 7].map(Some));
    let text = "id\nuwtwrapper_global=2\nnested_protection() {\nfalse\nuwtwrapper_max=9\nnested_protection() {\n";
    assert_eq!(faults("a.conf", text), [1, 2, 4, 6].map(Some));

    let stranger = folder.path().join("a.txt");
    fs::write(&stranger, "port = 1\n").unwrap();
    let said = Config::of_file(&stranger).unwrap_err().to_string();
    assert!(said.ends_with("expected a name that ends in .toml or .conf and does not begin with a dot"), "{said}");
}
