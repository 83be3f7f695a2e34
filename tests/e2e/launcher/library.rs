//! Without a preload library that will be loaded nothing runs.

use std::fs;

use crate::place::{Place, bin_dir, run};

#[test]
fn nothing_runs_without_the_library() {
    let place = Place::new();
    let good = fs::read(bin_dir().join("libuwt_preload.so")).expect("readable");
    let mut foreign = good.clone();
    foreign[18] ^= 0x55;
    let mut narrow = good.clone();
    narrow[4] = 1;
    for (name, content) in [
        ("foreign.so", &foreign[..]),
        ("narrow.so", &narrow),
        ("short.so", &good[..good.len() / 2]),
        ("text.so", b"hello"),
        ("empty.so", b""),
        ("do$LIB.so", &good),
        ("good.so", &good),
    ] {
        place.file(name, content);
    }
    fs::create_dir(place.at("folder.so")).expect("made");
    place.wrap("prog", "/bin/touch");
    let marker = place.at("marker");
    let (marker, program) = (marker.to_str().expect("UTF-8"), place.at("bin/prog"));
    for (name, cause) in [
        ("none.so", "the preload library cannot be found (No such file or directory (os error 2))"),
        ("folder.so", "the preload library is not a regular file"),
        ("foreign.so", "the preload library is of another architecture"),
        ("narrow.so", "the preload library is of another architecture"),
        ("short.so", "the preload library is cut short"),
        ("text.so", "not a shared library"),
        ("empty.so", "not a shared library"),
        ("do$LIB.so", "the path has white space, ':' or '$' in it, which LD_PRELOAD cannot carry"),
    ] {
        let path = place.at(name).display().to_string();
        place.configure(&format!("preload = '{path}'\n"));
        let expected =
            format!("{path}: {cause}; nothing was run (reinstall uwt, or correct `preload` in the configuration)");
        for mut command in [place.uwt(&["touch", marker]), place.uwt(&["--explain", "touch", marker])] {
            let ran = run(&mut command);
            let said = ran.failed_with(125);
            // The configuration may refuse such a path before we look at it.
            assert!(said == expected || name.contains('$') && said.contains("preload"), "{said}");
        }
        run(place.command(&program).arg(marker)).failed_with(125);
        assert!(!place.at("marker").exists(), "{name}");
    }
    place.configure(&format!("preload = '{}'\n", place.at("good.so").display()));
    run(place.command(&program).arg(marker)).succeeded();
    assert!(place.at("marker").exists());
}

#[test]
fn one_beside_uwt_must_be_good() {
    let place = Place::new();
    let uwt = place.copy("bin/uwt", bin_dir().join("uwt"));
    let library = place.copy("bin/libuwt_preload.so", bin_dir().join("libuwt_preload.so"));
    let show = || run(place.command(&uwt).args(["printenv", "LD_PRELOAD"]));
    assert_eq!(show().succeeded(), format!("{}\n", library.display()));
    fs::write(&library, "half").expect("written");
    assert!(show().failed_with(125).starts_with(&format!("{}: not a shared library", library.display())));
    fs::remove_file(&library).expect("removed");
    place.link("bin/libuwt_preload.so", "nowhere");
    assert!(show().failed_with(125).contains("cannot be found"), "a dangling link is not passed over");
}

#[test]
fn a_path_that_cannot_be_carried_is_refused() {
    let place = Place::new();
    fs::create_dir(place.at("with space")).expect("made");
    let uwt = place.copy("with space/uwt", bin_dir().join("uwt"));
    place.copy("with space/libuwt_preload.so", bin_dir().join("libuwt_preload.so"));
    let marker = place.at("marker");
    let ran = run(place.command(&uwt).arg("touch").arg(&marker));
    assert!(ran.failed_with(125).contains("the path has white space, ':' or '$' in it"), "{ran:?}");
    assert!(!marker.exists());
}
