//! Wrapped commands that call wrapped commands.

use crate::place::{Place, bin_dir, run, word};

#[test]
fn two_links_at_each_other_end_with_255() {
    let place = Place::new();
    place.link("bin/prog", "prog.anondist");
    place.link("bin/prog.anondist", bin_dir().join("uwt"));
    place.link("bin/prog.anondist-orig", "prog");
    let deep = |variables: &[&str], count: &str| {
        let ran = place.run_with(variables, "prog", &["x"]);
        assert_eq!((ran.status, ran.out.as_str()), (255, ""), "{ran:?}");
        let (first, second) = ran.err.split_once('\n').expect("two lines");
        assert_eq!(
            first,
            format!(
                "uwtwrapper uwt wrapper ERROR: More than uwtwrapper_counter '{count}' nested executions (uwtwrapper_max: \
                 '{count}')."
            )
        );
        assert!(second.starts_with("uwt: most likely two symbolic links point at each other"), "{second}");
        assert!(second.contains("max_nested") && second.contains("uwtwrapper_max"), "{second}");
        assert_eq!(second.lines().count(), 1);
    };
    deep(&[], "10");
    deep(&["uwtwrapper_max=3"], "3");
    deep(&["UWT_DEV_PASSTHROUGH=1"], "10");
    place.configure("max_nested = 4\n");
    deep(&[], "4");
    deep(&["uwtwrapper_max=5"], "5");
}

#[test]
fn the_limit_can_be_raised_and_switched_off() {
    let place = Place::new();
    let at = |variables: &[&str]| {
        let variables: Vec<&str> = variables.iter().copied().chain(["uwtwrapper_counter=50"]).collect();
        place.uwt_with(&variables, &["printenv", "uwtwrapper_counter"])
    };
    assert_eq!(at(&[]).status, 255);
    assert_eq!(at(&["uwtwrapper_max=100"]).succeeded(), "51\n");
    assert_eq!(at(&["uwtwrapper_max=0"]).succeeded(), "51\n");
    assert_eq!(
        at(&["uwtwrapper_max=many"]).failed_with(125),
        "uwtwrapper_max in the environment is 'many', expected a number; unset it"
    );
    place.configure("max_nested = 0\n");
    assert_eq!(at(&[]).succeeded(), "51\n");
    place.configure("");
    place.file("etc/60_legacy.conf", "nested_protection() {\ntrue\n}\n");
    assert_eq!(at(&[]).succeeded(), "51\n");
    let ran = place.uwt_with(&["uwtwrapper_counter=x"], &["true"]);
    assert_eq!(ran.failed_with(125), "uwtwrapper_counter in the environment is 'x', expected a number; unset it");
}

/// The session of a program under `uwt INNER` under `uwt OUTER`, and that of the outer one.
fn sessions(place: &Place, outer: &[&str], inner: &str) -> (String, String) {
    let uwt = bin_dir().join("uwt").display().to_string();
    let script = format!("printenv UWT_SESSION && exec {uwt} {inner} printenv UWT_SESSION");
    let arguments: Vec<&str> = outer.iter().copied().chain(["sh", "-c", &script]).collect();
    let ran = run(&mut place.uwt(&arguments));
    let (outer, inner) = ran.succeeded().trim_end().split_once('\n').expect("two lines");
    (outer.to_owned(), inner.to_owned())
}

#[test]
fn a_nested_call_is_part_of_the_session() {
    let place = Place::new();
    place.configure("[command.printenv]\nscope = \"destination\"\ndns = \"resolve\"\nport = 9111\n");
    let (outer, inner) = sessions(&place, &["-i", "10.1.2.3", "--isolate", "invocation", "--dns", "names"], "");
    for key in ["secret", "gateway", "scope", "dns", "gateway-pinned", "scope-pinned", "dns-pinned"] {
        assert_eq!(word(&inner, key), word(&outer, key), "{key}");
    }
    let (outer, inner) = sessions(&place, &["--isolate", "invocation"], "--isolate none -p 9222");
    assert_eq!((word(&inner, "scope"), word(&inner, "secret")), ("none", word(&outer, "secret")));
    assert!(word(&inner, "gateway").ends_with(":9222"));
    let (outer, inner) = sessions(&place, &[], "");
    assert_eq!(word(&inner, "secret"), word(&outer, "secret"), "one session");
    assert_eq!((word(&inner, "scope"), word(&inner, "dns")), ("destination", "resolve"), "as configured");
    assert!(word(&inner, "gateway").ends_with(":9111"));
    let (outer, inner) = sessions(&place, &["--identity", "work"], "");
    assert_eq!((word(&inner, "scope"), word(&inner, "secret")), ("identity", word(&outer, "secret")));
    let (outer, inner) = sessions(&place, &["--identity", "work"], "--isolate invocation");
    assert_ne!(word(&inner, "secret"), word(&outer, "secret"), "an identity outlives the invocation");
}

#[test]
fn a_nested_call_is_as_optimistic_as_its_own_command() {
    let place = Place::new();
    for (text, expected) in [
        ("[command.printenv]\noptimistic = true\n", ("0", "1")),
        ("optimistic = true\n[command.printenv]\noptimistic = false\n", ("1", "0")),
    ] {
        place.configure(text);
        let uwt = bin_dir().join("uwt").display().to_string();
        let script = format!("echo $UWT_SESSION && exec {uwt} printenv UWT_SESSION");
        let ran = place.uwt_with(&[], &["sh", "-c", &script]);
        let (outer, inner) = ran.succeeded().trim_end().split_once('\n').expect("two lines");
        assert_eq!((word(outer, "optimistic"), word(inner, "optimistic")), expected);
    }
}

#[test]
fn uwt_runs_uwt() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt").display().to_string();
    let ran = run(&mut place.uwt(&[&uwt, "-i", "10.1.1.1", "--", &uwt, "printenv", "UWT_SESSION"]));
    assert_eq!(word(ran.succeeded(), "gateway"), "10.1.1.1:9050");
}

#[test]
fn a_session_from_elsewhere_is_not_used() {
    let place = Place::new();
    for stale in ["version=9 gateway=1.2.3.4:1", "garbage"] {
        let variable = format!("UWT_SESSION={stale}");
        let ran = place.uwt_with(&[&variable], &["printenv", "UWT_SESSION"]);
        assert!(ran.succeeded().starts_with("version=1 "), "{ran:?}");
        let ran = place.uwt_with(&[&variable], &["-v", "printenv", "UWT_SESSION"]);
        assert!(ran.err.contains("uwt: UWT_SESSION in the environment is not understood"), "{ran:?}");
    }
}
