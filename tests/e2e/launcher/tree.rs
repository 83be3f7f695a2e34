//! Calls inside a tree that is guarded already.

use std::path::Path;

use crate::place::{Place, bin_dir, run, word};

fn uwt() -> String {
    bin_dir().join("uwt").display().to_string()
}

/// What a shell script under `uwt OPTIONS` prints; `$uwt` in it is our path.
fn inside(place: &Place, options: &[&str], script: &str) -> String {
    let script = script.replace("$uwt", &uwt());
    run(&mut place.uwt(&[options, &["sh", "-c", &script]].concat())).succeeded().to_owned()
}

#[test]
fn a_nested_call_stays_in_its_tree() {
    let place = Place::new();
    for level in ["tunnel", "deny"] {
        let option = format!("--guard={level}");
        let script = "printenv UWT_SESSION; $uwt printenv UWT_SESSION; $uwt --isolate none $uwt printenv UWT_SESSION";
        let sessions = inside(&place, &[&option], script);
        let guards: Vec<&str> = sessions.lines().map(|session| word(session, "guard")).collect();
        assert!(guards.len() == 3 && guards[0].starts_with(&format!("{level}:")), "{sessions}");
        assert!(guards.iter().all(|guard| *guard == guards[0]), "{sessions}");
        let count = "grep Seccomp_filters /proc/self/status";
        let counts = inside(&place, &[&option], &format!("{count}; $uwt {count}; $uwt $uwt {count}"));
        let counts: Vec<&str> = counts.lines().collect();
        assert!(counts.len() == 3 && counts.iter().all(|line| *line == counts[0]), "no second filter: {counts:?}");
    }
}

#[test]
fn the_guard_cannot_be_taken_off() {
    let place = Place::new();
    let explain = |options: &str| {
        let script = format!("$uwt --explain {options} true");
        let text = inside(&place, &["--guard=deny"], &script);
        let line = text.lines().find(|line| line.starts_with("guard ")).expect("said");
        line.strip_prefix("guard ").map(str::trim).expect("it begins so").to_owned()
    };
    let session = "the session this call is part of";
    let split = |line: String| line.split_once(' ').map(|(level, why)| (level.to_owned(), why.trim().to_owned()));
    let expected = |why: String| Some(("deny".to_owned(), why));
    for options in ["", "--guard=auto", "--guard=deny"] {
        assert_eq!(split(explain(options)), expected(session.to_owned()));
    }
    let kept = |choice: &str, origin: &str| {
        expected(format!("{session}: it cannot be changed any more, not by guard = \"{choice}\", {origin} either"))
    };
    assert_eq!(split(explain("--guard=off")), kept("off", "--guard"));
    let said = inside(&place, &["--guard=deny"], "$uwt -v --guard=off true 2>&1");
    assert!(said.contains("uwt: guard deny (the session this call is part of: it cannot be changed"), "{said}");
    for choice in ["off", "tunnel"] {
        place.configure(&format!("[command.true]\nguard = \"{choice}\"\n"));
        let origin = format!("{}:2", place.at("etc/50_test.toml").display());
        assert_eq!(split(explain("")), kept(choice, &origin));
    }
    for (outer, inner) in [("deny", "tunnel"), ("tunnel", "deny")] {
        let script = format!("$uwt --guard={inner} touch {} 2>&1; echo $?", place.at("marker").display());
        let said = inside(&place, &[&format!("--guard={outer}")], &script);
        let expected =
            format!("uwt: --guard={inner}: this call is inside a tree that is guarded by `{outer}`, which cannot");
        assert!(said.starts_with(&expected) && said.ends_with("\n125\n") && said.lines().count() == 2, "{said}");
    }
    assert!(!place.at("marker").exists());
}

#[test]
fn uwt_cannot_be_switched_off_inside() {
    let place = Place::new();
    place.wrap("prog", "/usr/bin/printenv");
    let prog = place.at("bin/prog").display().to_string();
    let stays = |reason: &str| {
        format!(
            "uwt: {prog} stays wrapped in spite of {reason}: it is inside a guarded tree (start it outside, or the outermost \
             uwt with --guard=off)"
        )
    };
    let check = |call: &str, reason: &str| {
        let said = inside(&place, &[], &format!("printenv UWT_SESSION LD_PRELOAD; {call} UWT_SESSION LD_PRELOAD 2>&1"));
        let lines: Vec<&str> = said.lines().collect();
        let [outer, library, message, session, inner_library] = lines[..] else { panic!("{said}") };
        assert_eq!(message, stays(reason));
        assert_eq!(word(session, "guard"), word(outer, "guard"));
        assert_eq!(library, inner_library);
    };
    check("UWT_DEV_PASSTHROUGH=1 prog", "UWT_DEV_PASSTHROUGH=1 in the environment");
    check(&format!("UWT_DEV_PASSTHROUGH=1 {} prog", uwt()), "UWT_DEV_PASSTHROUGH=1 in the environment");
    place.configure("[command.prog]\nenabled = false\n");
    let origin = format!("enabled = false, {}:2", place.at("etc/50_test.toml").display());
    check("prog", &origin);
    let explained = inside(&place, &[], "$uwt --explain prog");
    let line = explained.lines().find(|line| line.starts_with("protection")).expect("said");
    assert!(line.ends_with(&format!("  a guarded tree cannot be left, not by {origin} either")), "{line}");
    // Its connections to this machine are direct in any case: nothing to be said.
    place.configure("localhost = \"passthrough\"\n");
    let quiet = inside(&place, &[], "prog UWT_SESSION local\"\"host 2>&1; true");
    assert!(quiet.starts_with("version=") && quiet.lines().count() == 1, "{quiet}");
}

#[test]
fn a_session_of_another_tree_is_not_believed() {
    let place = Place::new();
    let elsewhere = run(&mut place.uwt(&["--guard=deny", "printenv", "UWT_SESSION"])).succeeded().trim_end().to_owned();
    let variable = format!("UWT_SESSION={elsewhere}");
    let here =
        place.uwt_with(&[&variable], &["sh", "-c", "printenv UWT_SESSION; grep Seccomp_filters /proc/self/status"]);
    let (session, filters) = here.succeeded().split_once('\n').expect("two lines");
    assert!(word(session, "guard").starts_with("tunnel:"), "a tree of its own: {session}");
    assert_ne!(word(session, "guard"), word(&elsewhere, "guard"));
    assert!(!filters.trim_end().ends_with(" 0") && !filters.trim_end().ends_with("\t0"), "{filters}");
}

/// busybox is static: nothing of ours is put back into the environment that its env(1) empties.
#[test]
fn inside_a_tree_whose_session_is_lost() {
    let place = Place::new();
    assert!(Path::new("/usr/bin/busybox").exists(), "busybox-static is missing (`cargo xtask test` installs it)");
    let config = place.at("etc").display().to_string();
    let scrub = format!("busybox env -i PATH=/usr/bin:/bin UWT_CONFIG_PATH={config}");
    let run_inside = |variables: &str, arguments: &str| {
        let script = format!("{scrub} {variables} {} {arguments}", uwt());
        run(&mut place.uwt(&["sh", "-c", &script]))
    };
    let explained = run_inside("", "--explain true");
    let line = explained.succeeded().lines().find(|line| line.starts_with("protection")).expect("said");
    let why = "inside a guarded tree, UWT_SESSION did not reach this call";
    assert!(line.contains("by the guard alone") && line.ends_with(why), "{line}");
    let list = run_inside("", "env");
    assert!(!list.succeeded().contains("UWT_SESSION") && !list.succeeded().contains("LD_PRELOAD"), "{list:?}");
    assert!(list.out.contains("uwtwrapper_counter=1\n"), "{list:?}");
    let off = run_inside("UWT_DEV_PASSTHROUGH=1", "true");
    assert_eq!(off.status, 0);
    assert!(off.err.contains("stays wrapped in spite of UWT_DEV_PASSTHROUGH=1"), "{off:?}");
    for option in ["--guard=off", "--isolate none", "-i 127.0.0.1"] {
        let refused = run_inside("", &format!("{option} true"));
        assert!(
            refused.failed_with(125).contains("this call is inside a guarded tree, and UWT_SESSION did not"),
            "{refused:?}"
        );
    }
}
