//! Which of several files and tables holds.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use uwt_config::{Config, GatewayChoice, GuardChoice, Identity, Localhost, Native, Origin, Settings, Sources};
use uwt_policy::{CredentialForm, DnsMode, Inbound, Scope};

/// Folders in order of precedence with their files.
fn folders(folders: &[&[(&str, &str)]]) -> (TempDir, Sources) {
    let root = tempfile::tempdir().unwrap();
    let mut sources = Sources { folders: Vec::new() };
    for (number, files) in folders.iter().enumerate() {
        let folder = root.path().join(number.to_string());
        fs::create_dir(&folder).unwrap();
        for (name, text) in *files {
            fs::write(folder.join(name), text).unwrap();
        }
        sources.folders.push(folder);
    }
    (root, sources)
}

fn config(files: &[&[(&str, &str)]]) -> Config {
    let (_root, sources) = folders(files);
    Config::load(&sources).unwrap_or_else(|fault| panic!("{fault}"))
}

fn one(text: &str) -> Config {
    config(&[&[("50_user.toml", text)]])
}

fn of(config: &Config, program: &str) -> Settings {
    let name = Path::new(program).file_name().unwrap_or(OsStr::new(program));
    config.settings_for(Path::new(program), name)
}

#[test]
fn without_files_the_defaults_hold() {
    let missing = Sources { folders: vec!["/nonexistent/uwt.d".into()] };
    let config = Config::load(&missing).unwrap();
    assert_eq!(of(&config, "/usr/bin/git"), Settings::default());
    assert!(config.files().is_empty());
    let defaults = Settings::default();
    assert!(defaults.enabled.value && defaults.allow_loopback.value);
    assert_eq!((defaults.gateway.value, defaults.port.value), (GatewayChoice::Auto, 9050));
    assert_eq!((defaults.scope.value, defaults.dns.value), (Scope::Process, DnsMode::Names));
    assert_eq!((defaults.max_nested.value, defaults.connect_timeout.value), (10, 150));
    assert_eq!(defaults.guard.value, GuardChoice::Auto);
    assert_eq!(defaults.port.origin.to_string(), "built-in");
}

#[test]
fn the_folders_are_the_documented_ones() {
    let system = ["/etc/uwt.d", "/usr/local/etc/uwt.d"].map(PathBuf::from);
    assert_eq!(Sources::system(None).folders, system);
    let user = Path::new("/home/user/.config/uwt");
    assert_eq!(Sources::system(Some(user)).folders, [&system[..], &[user.to_owned()]].concat());
}

#[test]
fn every_key_is_read() {
    let all = one(
        "enabled = false\ngateway = \"10.0.0.1\"\nport = 0x2382\nscope = \"destination\"\ncredentials = \"extended\"\n\
         guard = \"deny\"\ndns = \"resolve\"\nlocalhost = \"loopback\"\ntransparent_proxy = true\nallow_loopback = false\n\
         local_tor = false\ninbound = \"deny\"\n\
         max_nested = 1_000\nconnect_timeout = 3600\noptimistic = true\ntrusted = ['/bin/a', \"/bin/b\"]\n\
         preload = \"/usr/$LIB/uwt/libuwt_preload.so\"\n[command.curl]\nnative = \"all_proxy\"\n",
    );
    let settings = of(&all, "/usr/bin/curl");
    assert!(!settings.enabled.value && !settings.allow_loopback.value && settings.optimistic.value);
    assert!(!settings.local_tor.value);
    assert_eq!(settings.gateway.value, GatewayChoice::Address("10.0.0.1".parse().unwrap()));
    assert_eq!((settings.port.value, settings.scope.value), (9090, Scope::Destination));
    assert_eq!((settings.credentials.value, settings.dns.value), (CredentialForm::Extended, DnsMode::Resolve));
    assert_eq!((settings.localhost.value, settings.transparent_proxy.value), (Localhost::Loopback, Some(true)));
    assert_eq!((settings.inbound.value, settings.max_nested.value), (Inbound::Deny, 1000));
    assert_eq!((settings.guard.value, settings.connect_timeout.value), (GuardChoice::Deny, 3600));
    assert_eq!(settings.trusted.value, ["/bin/a", "/bin/b"].map(PathBuf::from));
    assert_eq!(settings.preload.value, Some("/usr/$LIB/uwt/libuwt_preload.so".into()));
    assert_eq!(settings.native.value, Native::AllProxy);
    assert_eq!(of(&all, "/usr/bin/wget").native.value, Native::None);

    let auto = one("gateway = \"auto\"\ntransparent_proxy = \"auto\"\npreload = \"auto\"\ntrusted = []\n");
    let settings = of(&auto, "/usr/bin/curl");
    assert_eq!((settings.gateway.value, settings.transparent_proxy.value), (GatewayChoice::Auto, None));
    assert_eq!((settings.preload.value, settings.trusted.value), (None, Vec::new()));
}

#[test]
fn the_later_file_and_the_later_folder_win_key_by_key() {
    let (root, sources) = folders(&[
        &[
            ("50_user.toml", "port = 3"),
            ("30_default.toml", "port = 1\nmax_nested = 1\ndns = \"resolve\"\ntrusted = [\"/bin/a\", \"/bin/b\"]"),
            ("40_old.conf", "uwtwrapper_max=2\n"),
        ],
        &[("10_first.toml", "\n# higher up\nport = 4\ntrusted = [\"/bin/c\"]")],
    ]);
    let config = Config::load(&sources).unwrap();
    let names: Vec<_> = config.files().iter().map(|file| file.strip_prefix(root.path()).unwrap()).collect();
    let order = ["0/30_default.toml", "0/40_old.conf", "0/50_user.toml", "1/10_first.toml"];
    assert_eq!(names, order.map(Path::new));

    let settings = of(&config, "/usr/bin/git");
    assert_eq!(settings.port.value, 4);
    assert_eq!(settings.port.origin, Origin::File { path: root.path().join("1/10_first.toml"), line: 3 });
    assert_eq!(settings.port.origin.to_string(), format!("{}/1/10_first.toml:3", root.path().display()));
    assert_eq!((settings.max_nested.value, settings.dns.value), (2, DnsMode::Resolve));
    assert_eq!(settings.trusted.value, [PathBuf::from("/bin/c")]);
}

#[test]
fn a_command_overrides_the_global_setting_in_both_directions() {
    let off = one("enabled = false\n[command.git]\nenabled = true");
    assert!(of(&off, "/usr/bin/git").enabled.value && !of(&off, "/usr/bin/ssh").enabled.value);
    let on = one("enabled = true\n[command.git]\nenabled = false");
    assert!(!of(&on, "/usr/bin/git").enabled.value && of(&on, "/usr/bin/ssh").enabled.value);

    let off = config(&[&[("50_user.conf", "uwtwrapper[\"/usr/bin/git\"]=\"1\"\nuwtwrapper_global=\"0\"\n")]]);
    assert!(of(&off, "/usr/bin/git").enabled.value && !of(&off, "/usr/bin/ssh").enabled.value);
    let guarded = one("guard = \"off\"\n[command.git]\nguard = \"tunnel\"");
    let guards = ["/usr/bin/git", "/usr/bin/ssh"].map(|program| of(&guarded, program).guard.value);
    assert_eq!(guards, [GuardChoice::Tunnel, GuardChoice::Off]);
    // A global setting of a later file does not take a command's own away either.
    let later = config(&[&[("1.toml", "[command.git]\nenabled = true"), ("2.toml", "enabled = false")]]);
    assert!(of(&later, "/usr/bin/git").enabled.value);
}

#[test]
fn a_path_wins_over_a_name_wherever_they_stand() {
    let config = config(&[&[
        ("1.toml", "[command.\"/usr/bin/git\"]\nport = 1\n[command.git]\nport = 2\ndns = \"resolve\""),
        ("2.toml", "[command.git]\nport = 3\n"),
    ]]);
    let settings = of(&config, "/usr/bin/git");
    assert_eq!((settings.port.value, settings.dns.value), (1, DnsMode::Resolve));
    assert_eq!(of(&config, "/opt/bin/git").port.value, 3);
}

#[test]
fn a_command_is_found_by_every_name_it_has() {
    let config =
        one("[command.git]\nport = 1\n[command.\"/usr/bin/ssh.anondist-orig\"]\nport = 2\n[command.gpg2]\nport = 3\n");
    for (program, typed, port) in [
        ("/usr/bin/git", "git", 1),
        ("/usr/bin/git.anondist-orig", "git", 1),
        ("/usr/bin/git.anondist", "/usr/bin/git.anondist", 1),
        ("/usr/lib/git-core/git", "git-receive-pack", 1),
        ("/usr/bin/tool", "git", 1),
        ("/usr/bin/tool", "./git", 1),
        ("/usr/bin/ssh", "ssh", 2),
        ("/usr/bin/ssh.anondist-orig", "ssh", 2),
        ("/usr//bin/./ssh", "ssh", 2),
        ("/usr/bin/tool", "/usr/bin/ssh", 2),
        ("/opt/bin/ssh", "ssh", 9050),
        ("/usr/bin/gpg", "gpg2", 3),
        ("/usr/bin/git-shell", "git-shell", 9050),
        ("git.anondist-other", "Git", 9050),
        ("", "", 9050),
        ("/", "/", 9050),
    ] {
        let settings = config.settings_for(Path::new(program), OsStr::new(typed));
        assert_eq!(settings.port.value, port, "{program} {typed}");
    }
}

#[test]
fn what_was_typed_wins_over_what_it_leads_to() {
    let names = one("[command.gpg]\nport = 1\ndns = \"resolve\"\n[command.gpg2]\nport = 2");
    let settings = names.settings_for(Path::new("/usr/bin/gpg"), OsStr::new("gpg2"));
    assert_eq!((settings.port.value, settings.dns.value), (2, DnsMode::Resolve));
    let paths =
        one("[command.\"/usr/bin/gpg\"]\nport = 1\n[command.\"/usr/bin/gpg2\"]\nport = 2\n[command.gpg2]\nport = 3");
    assert_eq!(paths.settings_for(Path::new("/usr/bin/gpg"), OsStr::new("/usr/bin/gpg2")).port.value, 2);
    assert_eq!(paths.settings_for(Path::new("/usr/bin/gpg"), OsStr::new("gpg2")).port.value, 1);
}

fn named(name: &str) -> Identity {
    Identity::Name(name.to_owned())
}

#[test]
fn an_identity_is_a_scope_and_goes_with_it() {
    let work = one("identity = \"work\"");
    let settings = of(&work, "/usr/bin/git");
    assert_eq!((settings.scope.value, &settings.identity.value), (Scope::Identity, &Some(named("work"))));
    assert_eq!(settings.scope.origin, settings.identity.origin);

    let both = one("scope = \"identity\"\nidentity = \"Büro 1\"");
    assert_eq!(of(&both, "/usr/bin/git").identity.value, Some(named("Büro 1")));

    let taken_back = config(&[&[("1.toml", "identity = \"work\""), ("2.toml", "scope = \"process\"")]]);
    let settings = of(&taken_back, "/usr/bin/git");
    assert_eq!((settings.scope.value, settings.identity.value), (Scope::Process, None));

    let other = one("identity = \"work\"\n[command.git]\nscope = \"none\"\n[command.ssh]\nidentity = \"play\"");
    assert_eq!(of(&other, "/usr/bin/git").identity.value, None);
    assert_eq!(of(&other, "/usr/bin/ssh").identity.value, Some(named("play")));
    assert_eq!(of(&other, "/usr/bin/wget").identity.value, Some(named("work")));
}

#[test]
fn legacy_lines_mean_what_they_say() {
    let config = config(&[&[(
        "50_user.conf",
        "# mine\r\n\r\nuwtwrapper_global=\"1\"\r\nuwtwrapper[\"/usr/bin/git.anondist\"]='0'   # off\r\n\
         uwtwrapper_max=100\r\n\
         timeprivacy_global=\"0\"\ntimeprivacy[\"/usr/bin/git\"]=1\nuwtport[\"/usr/bin/apt-get\"]=\"9104\"\n\
         nested_protection() {\ntrue\n}\n",
    )]]);
    assert!(!of(&config, "/usr/bin/git").enabled.value);
    let apt = of(&config, "/usr/bin/apt-get");
    assert!(apt.enabled.value);
    assert_eq!((apt.port.value, apt.max_nested.value), (9104, 0));
    assert!(!apt.time_privacy.value && of(&config, "/usr/bin/git").time_privacy.value, "the command's own line wins");
    assert!(matches!(&apt.max_nested.origin, Origin::File { line: 9, .. }), "{:?}", apt.max_nested);
    assert!(matches!(&apt.port.origin, Origin::File { line: 8, .. }), "{:?}", apt.port);
}
