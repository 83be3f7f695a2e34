//! What the program finds in its environment, carried and not.

use crate::place::{Place, bin_dir, run, word};

/// Prints one variable of the environment, or nothing.
const SHOW: &str = "/usr/bin/printenv";

#[test]
fn a_carried_program_gets_the_library_the_session_and_the_count() {
    let place = Place::new();
    let library = bin_dir().join("libuwt_preload.so").display().to_string();
    let show = |variables: &[&str], name: &str| place.uwt_with(variables, &[SHOW, name]).succeeded().to_owned();
    assert_eq!(show(&[], "LD_PRELOAD"), format!("{library}\n"));
    assert_eq!(show(&["LD_PRELOAD=libm.so.6"], "LD_PRELOAD"), format!("{library}:libm.so.6\n"));
    let twice = format!("LD_PRELOAD=libm.so.6 {library}:libdl.so.2");
    // env(1) between us and uwt must not load it without a session, so the shell adds it.
    let script = format!("export '{twice}'; exec \"$@\"");
    let uwt = bin_dir().join("uwt").display().to_string();
    let ran = run(place.command("sh").args(["-c", &script, "sh", &uwt, SHOW, "LD_PRELOAD"]));
    assert_eq!(ran.succeeded(), format!("{library}:libm.so.6:libdl.so.2\n"));
    assert_eq!(show(&[], "uwtwrapper_counter"), "1\n");
    assert_eq!(show(&["uwtwrapper_counter=4"], "uwtwrapper_counter"), "5\n");

    let session = show(&[], "UWT_SESSION");
    assert_eq!(word(&session, "preload"), library);
    assert_eq!(word(&session, "secret").len(), 64);
    assert_ne!(word(&show(&[], "UWT_SESSION"), "secret"), word(&session, "secret"), "another session, another secret");
}

#[test]
fn options_reach_the_session() {
    let place = Place::new();
    let session = |options: &[&str]| {
        let arguments: Vec<&str> = options.iter().copied().chain([SHOW, "UWT_SESSION"]).collect();
        run(&mut place.uwt(&arguments)).out
    };
    for (options, key, value) in [
        (&["-i", "10.152.152.10"][..], "gateway", "10.152.152.10:9050"),
        (&["-i", "10.152.152.10", "-p", "9111"], "gateway", "10.152.152.10:9111"),
        (&["-i", "10.1.1.1"], "gateway-pinned", "1"),
        (&["-p", "9150"], "gateway-pinned", "1"),
        (&[], "gateway-pinned", "0"),
        (&["--isolate", "invocation"], "scope", "invocation"),
        (&["--isolate", "invocation"], "scope-pinned", "1"),
        (&["--identity", "work"], "scope", "identity"),
        (&["--dns", "resolve"], "dns", "resolve"),
        (&["--dns", "names"], "dns-pinned", "1"),
        (&["-v"], "voice", "2"),
        (&[], "voice", "1"),
    ] {
        assert_eq!(word(&session(options), key), value, "{options:?}");
    }
}

#[test]
fn verbosity_has_historic_names() {
    let place = Place::new();
    for (variable, expected) in [
        ("UWT_VERBOSE=1", "2"),
        ("uwtwrapper_verbose=yes", "2"),
        ("UWT_VERBOSE=0", "1"),
        ("UWT_VERBOSE=", "1"),
        ("OTHER=1", "1"),
    ] {
        let ran = place.uwt_with(&[variable], &[SHOW, "UWT_SESSION"]);
        assert_eq!(word(&ran.out, "voice"), expected, "{variable}");
        let lines: Vec<&str> = ran.err.lines().collect();
        assert_eq!(
            lines.iter().any(|line| line.starts_with("uwt: gateway ")),
            expected == "2",
            "{variable}: {lines:?}"
        );
        assert!(lines.iter().all(|line| line.starts_with("uwt: ")), "{lines:?}");
        assert!(!ran.err.contains(word(&ran.out, "secret")), "the secret is not said");
    }
}

#[test]
fn passthrough_leaves_nothing_of_ours() {
    let place = Place::new();
    place.wrap("prog", SHOW);
    let bare = |variables: &[&str], arguments: &[&str]| {
        let variables: Vec<&str> = variables.iter().copied().chain(["LD_PRELOAD=libm.so.6"]).collect();
        let direct: Vec<&str> = ["prog"].iter().chain(arguments).copied().collect();
        let ran = [place.run_with(&variables, "prog", arguments), place.uwt_with(&variables, &direct)];
        let [wrapper, direct] =
            ran.map(|ran| (ran.status, if ran.out.contains("secret=") { String::new() } else { ran.out }));
        assert_eq!(wrapper, direct);
        wrapper
    };
    let off = &["UWT_DEV_PASSTHROUGH=1"][..];
    assert_eq!(bare(off, &["UWT_SESSION"]), (1, String::new()));
    assert_eq!(bare(off, &["LD_PRELOAD"]), (0, "libm.so.6\n".to_owned()));
    assert_eq!(bare(off, &["uwtwrapper_counter"]), (0, "1\n".to_owned()));
    for not in [&[][..], &["UWT_DEV_PASSTHROUGH=0"], &["UWT_DEV_PASSTHROUGH=yes"], &["UWT_DEV_PASSTHROUGH="]] {
        assert_eq!(bare(not, &["UWT_SESSION"]).0, 0, "{not:?}");
    }
    // Below a carried program too: the library and the session go.
    let inner = format!("UWT_DEV_PASSTHROUGH=1 {} ", place.at("bin/prog").display());
    let script = format!("{inner}LD_PRELOAD; {inner}UWT_SESSION; echo $?; {inner}uwtwrapper_counter");
    let ran = place.uwt_with(&[], &["--guard=off", "sh", "-c", &script]);
    assert_eq!(ran.succeeded(), "1\n2\n", "the first prints nothing");
    let script = format!("LD_PRELOAD=$LD_PRELOAD:libm.so.6; {inner}LD_PRELOAD");
    assert_eq!(place.uwt_with(&[], &["--guard=off", "sh", "-c", &script]).succeeded(), "libm.so.6\n");
}

#[test]
fn commands_are_switched_off_and_on_one_by_one() {
    let place = Place::new();
    place.wrap("one", SHOW);
    place.wrap("two", SHOW);
    let carried = |name: &str| run(place.command(name).arg("UWT_SESSION")).status == 0;
    let two = place.at("bin/two").display().to_string();
    for (configuration, one_carried, two_carried) in [
        (String::new(), true, true),
        ("enabled = false\n".to_owned(), false, false),
        (format!("[command.one]\nenabled = false\n[command.\"{two}\"]\nenabled = true\n"), false, true),
        (format!("enabled = false\n[command.\"{two}\"]\nenabled = true\n"), false, true),
        (format!("enabled = false\n[command.\"{two}.anondist-orig\"]\nenabled = true\n"), false, true),
    ] {
        place.configure(&configuration);
        assert_eq!((carried("one"), carried("two")), (one_carried, two_carried), "{configuration}");
    }
}

#[test]
fn a_program_s_own_proxy_support_gets_its_process_s_credential() {
    let place = Place::new();
    place.configure("[command.sh]\nnative = \"all_proxy\"\n");
    let print = "echo \"$ALL_PROXY|$all_proxy|$NO_PROXY$no_proxy$https_proxy$HTTP_PROXY\"";
    let before = &["NO_PROXY=*", "no_proxy=*", "https_proxy=http://x", "HTTP_PROXY=http://x", "all_proxy=http://x"];
    let proxies = |options: &[&str]| {
        let arguments: Vec<&str> = options.iter().copied().chain(["sh", "-c", print]).collect();
        let ran = place.uwt_with(before, &arguments);
        let line = ran.succeeded().trim_end().to_owned();
        let [upper, lower, others] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!((upper, others), (lower, ""));
        upper.to_owned()
    };
    let url = proxies(&["-i", "10.152.152.10"]);
    let name = url.strip_prefix("socks5h://uwt-").and_then(|rest| rest.strip_suffix(":0@10.152.152.10:9050"));
    assert!(name.is_some_and(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())), "{url}");
    assert_ne!(proxies(&["-i", "10.152.152.10"]), url, "another process");
    assert_eq!(proxies(&["--isolate", "none", "-i", "127.0.0.1"]), "socks5h://127.0.0.1:9050");
    assert_eq!(proxies(&["--identity", "work"]), proxies(&["--identity", "work"]));
    let kept = place.uwt_with(before, &["--isolate", "destination", "sh", "-c", print]);
    assert_eq!(kept.succeeded(), "|http://x|**http://xhttp://x\n", "one URL cannot have many credentials");
    // Its children are processes of their own.
    let script = format!("exec {} sh -c 'printenv ALL_PROXY'", bin_dir().join("uwt").display());
    let child = place.uwt_with(&[], &["sh", "-c", &script]);
    assert!(child.succeeded().starts_with("socks5h://uwt-"));
    let script = format!("{} printenv ALL_PROXY", bin_dir().join("uwt").display());
    assert_eq!(place.uwt_with(&[], &["sh", "-c", &script]).status, 1, "printenv was not given one");
}
