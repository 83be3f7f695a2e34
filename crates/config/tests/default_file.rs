//! The file we ship says what is true.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use uwt_config::{BindChoice, Config, Native, Settings, Sources};
use uwt_policy::DnsMode;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../etc/uwt.d/30_default.toml");

const LDCONFIG: [&str; 4] = ["/sbin/ldconfig", "/sbin/ldconfig.real", "/usr/sbin/ldconfig", "/usr/sbin/ldconfig.real"];

fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("30_default.toml"), text).unwrap();
    Config::load(&Sources { folders: vec![folder.path().to_owned()] }).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A line that shows a default: '#' and the key without a space between.
fn shown_default(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
}

fn values(settings: &Settings) -> String {
    // Everything but the origins.
    let Settings {
        enabled,
        gateway,
        port,
        scope,
        identity,
        credentials,
        guard,
        dns,
        localhost,
        transparent_proxy,
        allow_loopback,
        local_tor,
        inbound,
        bind,
        max_nested,
        connect_timeout,
        optimistic,
        time_privacy,
        trusted,
        preload,
        native,
    } = settings;
    format!(
        "{:?}",
        (
            (enabled.value, gateway.value, port.value, scope.value, &identity.value, credentials.value, dns.value),
            (localhost.value, transparent_proxy.value, allow_loopback.value, inbound.value, max_nested.value),
            (guard.value, connect_timeout.value, optimistic.value, time_privacy.value, local_tor.value),
            &bind.value,
            (&trusted.value, &preload.value, native.value),
        )
    )
}

fn built_in_with_trusted() -> Settings {
    let mut settings = Settings::default();
    settings.trusted.value = LDCONFIG.map(PathBuf::from).to_vec();
    settings
}

#[test]
fn as_shipped_it_adds_trusted_programs_and_the_tables_of_some_commands() {
    let config = load(&fs::read_to_string(SHIPPED).unwrap());
    let plain = config.settings_for(Path::new("/usr/bin/wget"), OsStr::new("wget"));
    assert_eq!(values(&plain), values(&built_in_with_trusted()));

    for program in ["onionshare", "onionshare-cli", "onionshare-gui", "ricochet", "ricochet-refresh"] {
        let settings = config.settings_for(&Path::new("/usr/bin").join(program), OsStr::new(program));
        let expected = Settings { bind: settings.bind.clone(), ..built_in_with_trusted() };
        assert_eq!(settings.bind.value, BindChoice::Workstation, "{program}");
        assert_eq!(values(&settings), values(&expected), "{program}: nothing else");
    }
    for (program, native, dns, optimistic) in [
        ("/usr/bin/curl", Native::AllProxy, DnsMode::Names, false),
        ("/usr/bin/curl.anondist-orig", Native::AllProxy, DnsMode::Names, false),
        ("/usr/bin/getent", Native::None, DnsMode::Resolve, false),
        ("/usr/bin/git", Native::None, DnsMode::Names, true),
    ] {
        let settings = config.settings_for(Path::new(program), OsStr::new(program));
        let found = (settings.native.value, settings.dns.value, settings.optimistic.value);
        assert_eq!(found, (native, dns, optimistic), "{program}");
        assert!(settings.local_tor.value, "{program}");
    }
    for program in ["/usr/bin/gpg", "/usr/bin/gpg2", "/usr/bin/dirmngr"] {
        assert!(!config.settings_for(Path::new(program), OsStr::new(program)).local_tor.value, "{program}");
    }
}

#[test]
fn every_default_it_shows_is_the_built_in_one() {
    let shipped = fs::read_to_string(SHIPPED).unwrap();
    let lines: Vec<_> = shipped.lines().map(|line| shown_default(line).unwrap_or(line)).collect();
    let settings = load(&lines.join("\n")).settings_for(Path::new("/usr/bin/wget"), OsStr::new("wget"));
    assert_eq!(values(&settings), values(&built_in_with_trusted()));
    // That the lines were really read: each such setting names the file now.
    let read = format!("{settings:?}").matches("30_default.toml").count();
    // Every field but native; the scope line sets the identity as well.
    assert_eq!(read, 20, "{settings:?}");
}

#[test]
fn it_shows_every_key() {
    let shipped = fs::read_to_string(SHIPPED).unwrap();
    // The message about a key that does not exist lists those that do.
    let folder = tempfile::tempdir().unwrap();
    let list = |text: &str| {
        fs::write(folder.path().join("a.toml"), text).unwrap();
        let fault = Config::load(&Sources { folders: vec![folder.path().to_owned()] }).unwrap_err().to_string();
        let (_, keys) = fault.split_once("; expected ").unwrap();
        keys.replace(" or ", ", ").split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let keys = [list("banana = 1"), list("[command.x]\nbanana = 1")].concat();
    assert_eq!(keys.len(), 20 + 17, "{keys:?}");
    for key in keys {
        let shown = |line: &str| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} = "));
        assert!(shipped.lines().any(shown), "{key}");
    }
}
