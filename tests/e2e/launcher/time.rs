//! `time_privacy`: a command's own clock, which libfaketime shows it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::place::{Place, Ran, bin_dir, run};

const HOUR: f64 = 3600.0;
/// More than it takes from the time a program is told to the time that we look, in seconds.
const LATE: f64 = 60.0;
const FORMAT: &str = "+%s.%N";

/// The real time, in seconds since 1970.
fn real() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("this is later").as_secs_f64()
}

fn seconds(ran: &Ran) -> f64 {
    ran.succeeded().trim().parse().expect("date(1) prints a number")
}

/// A place in which every command has its own clock.
fn place() -> Place {
    let place = Place::new();
    place.configure("time_privacy = true\n");
    place
}

/// What a program shows that was started after `before`, has ended now and sees the real time.
#[track_caller]
fn assert_real(shown: f64, before: f64) {
    assert!(before <= shown && shown <= real(), "{before} {shown}");
}

/// The same for one with a clock of its own.
#[track_caller]
fn assert_ahead(shown: f64, before: f64) {
    assert!(before <= shown && shown <= real() + HOUR, "{before} {shown}");
}

/// The files of the clocks.
fn clocks(place: &Place) -> Vec<std::path::PathBuf> {
    fs::read_dir(place.at("run/uwt/clocks")).expect("there").map(|entry| entry.expect("readable").path()).collect()
}

#[test]
fn every_call_goes_on_where_the_one_before_was() {
    let place = place();
    place.wrap("date", "/bin/date");
    let mut last = 0.0;
    for round in 0..10 {
        let before = real();
        let ran = if round % 2 == 0 {
            run(place.command("date").arg(FORMAT))
        } else {
            run(&mut place.uwt(&["date", FORMAT]))
        };
        let shown = seconds(&ran);
        assert_ahead(shown, before);
        assert!(shown > last, "{last} {shown}");
        last = shown;
    }
    let files = clocks(&place);
    assert_eq!(files.len(), 1, "one program: {files:?}");
    for (path, mode) in [(place.at("run/uwt/clocks"), 0o700), (files[0].clone(), 0o600)] {
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o7777, mode, "{}", path.display());
    }
    // What a call shows that still runs is behind the next one as well.
    let mut slow = place.uwt(&["sh", "-c", "read line; date +%s.%N"]);
    let mut slow = slow.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let next = || seconds(&run(&mut place.uwt(&["sh", "-c", "date +%s.%N"])));
    next();
    slow.stdin.take().expect("piped").write_all(b"\n").expect("it reads");
    let output = slow.wait_with_output().expect("ends");
    let shown: f64 = String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number");
    assert!(shown < next());
}

#[test]
fn commands_cannot_be_joined_by_their_clocks() {
    let place = place();
    place.wrap("one", "/bin/date");
    place.wrap("two", "/bin/date");
    place.link("bin/alias", "one");
    let ahead = |name: &str| seconds(&run(place.command(name).arg(FORMAT))) - real();
    let (one, two) = (ahead("one"), ahead("two"));
    assert_eq!(clocks(&place).len(), 2);
    assert!(ahead("alias") >= one - LATE);
    assert_eq!(clocks(&place).len(), 2, "another name for one of them");
    // By chance they are closer than this once in 18,000 runs; so they must be that twice.
    assert!((one - two).abs() > 0.1 || (ahead("one") - ahead("two")).abs() > 0.1, "{one} {two}");
}

#[test]
fn calls_at_the_same_time() {
    let place = place();
    let before = real();
    let children: Vec<Child> = (0..12)
        .map(|_| place.uwt(&["date", FORMAT]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts"))
        .collect();
    let latest = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("ends");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            let shown = String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number");
            assert_ahead(shown, before);
            shown
        })
        .fold(0.0, f64::max);
    assert!(seconds(&run(&mut place.uwt(&["date", FORMAT]))) > latest);
    let files = clocks(&place);
    assert_eq!(files.len(), 1, "nothing is left behind: {files:?}");
}

#[test]
fn what_the_command_starts_sees_the_same_time() {
    let place = place();
    let ran =
        run(&mut place.uwt(&["sh", "-c", "date +%s.%N; printenv FAKETIME; sh -c 'date +%s.%N; printenv FAKETIME'"]));
    let lines: Vec<f64> = ran.succeeded().lines().map(|line| line.parse().expect("a number")).collect();
    let [outer, ahead, inner, inner_ahead] = lines[..] else { panic!("{ran:?}") };
    assert!(outer < inner && inner < outer + LATE, "{ran:?}");
    assert!((ahead - inner_ahead).abs() < f64::EPSILON && (0.0..=HOUR).contains(&ahead), "{ran:?}");
}

/// How far three commands, each inside the one before, are told to be ahead, and what they load before the C library.
fn nested(configuration: &str) -> [Vec<String>; 3] {
    let place = Place::new();
    place.configure(configuration);
    let uwt = bin_dir().join("uwt").display().to_string();
    place.copy("bin/inner", "/bin/dash");
    place.copy("bin/middle", "/bin/dash");
    let show = "echo $FAKETIME:$LD_PRELOAD";
    let script = format!("{show}; {uwt} middle -c '{show}; {uwt} inner -c \"$0\"' '{show}'");
    let ran = run(&mut place.uwt(&["sh", "-c", &script]));
    let lines: Vec<Vec<String>> =
        ran.succeeded().lines().map(|line| line.split(':').map(str::to_owned).collect()).collect();
    lines.try_into().unwrap_or_else(|lines| panic!("{lines:?}"))
}

#[test]
fn nested_commands() {
    let libraries = |line: &[String]| line.iter().filter(|word| word.contains("/libfaketime")).count();
    let [outer, middle, inner] = nested("time_privacy = true\n");
    assert!(outer[0] != middle[0] && middle[0] != inner[0] && outer[0] != inner[0], "a clock each");
    for line in [&outer, &middle, &inner] {
        assert!(line[0].starts_with('+') && line[1].ends_with("/libuwt_preload.so"), "{line:?}");
        assert!(line[2].ends_with("/faketime/libfaketime.so.1") && line.len() == 3, "{line:?}");
    }
    let [outer, middle, inner] = nested("[command.sh]\ntime_privacy = true\n");
    assert!(libraries(&outer) == 1 && outer == middle && middle == inner, "who says nothing keeps it: {middle:?}");
    let [outer, middle, inner] = nested("[command.sh]\ntime_privacy = true\n[command.middle]\ntime_privacy = false\n");
    assert_eq!([&outer, &middle, &inner].map(|line| libraries(line)), [1, 0, 0]);
    assert_eq!((middle[0].as_str(), middle.len()), ("", 2));
    let [outer, middle, inner] = nested("[command.inner]\ntime_privacy = true\n");
    assert_eq!([&outer, &middle, &inner].map(|line| libraries(line)), [0, 0, 1]);
}

#[test]
fn without_uwt_it_is_the_real_time() {
    let place = place();
    place.wrap("date", "/bin/date");
    place.wrap("env", "/usr/bin/env");
    let date = place.at("bin/date").display().to_string();
    let env = place.at("bin/env").display().to_string();
    let before = real();
    assert_real(seconds(&place.run_with(&["UWT_DEV_PASSTHROUGH=1"], "date", &[FORMAT])), before);
    // Below a command with a clock of its own as well.
    let inside = |script: &str| run(&mut place.uwt(&["--guard=off", "sh", "-c", script]));
    let before = real();
    assert_real(seconds(&inside(&format!("UWT_DEV_PASSTHROUGH=1 {date} {FORMAT}"))), before);
    let ran = inside(&format!("UWT_DEV_PASSTHROUGH=1 {env}"));
    assert!(!ran.succeeded().contains("FAKE") && !ran.out.contains("LD_PRELOAD"), "{ran:?}");
    place.configure(&format!("time_privacy = true\n[command.\"{date}\"]\nenabled = false\n"));
    let before = real();
    assert_real(seconds(&run(place.command("date").arg(FORMAT))), before);
    assert_real(seconds(&inside(&format!("{date} {FORMAT}"))), before);
}

#[test]
fn another_faketime_is_replaced() {
    let place = place();
    let library = run(&mut place.uwt(&["printenv", "UWT_FAKETIME"])).succeeded().trim().to_owned();
    let with = |program: &[&str]| {
        place.uwt_with(
            &[
                "FAKETIME=-10d",
                "FAKETIME_SKIP_CMDS=date",
                "FAKETIME_STOP_AFTER_SECONDS=0",
                "FAKETIME_FMT=%s",
                &format!("LD_PRELOAD={}:libm.so.6", library.replace("libfaketime.so", "libfaketimeMT.so")),
            ],
            program,
        )
    };
    let before = real();
    assert_ahead(seconds(&with(&["date", FORMAT])), before);
    let list = with(&["printenv", "LD_PRELOAD"]);
    assert_eq!(list.succeeded().trim().split(':').skip(1).collect::<Vec<_>>(), [library.as_str(), "libm.so.6"]);
    place.configure("");
    let kept = with(&["printenv", "FAKETIME"]);
    assert_eq!(kept.out, "-10d\n", "who did not ask for a clock keeps another one");
}

#[test]
fn timeouts_and_times_of_files_are_real() {
    let place = place();
    let file = place.at("file").display().to_string();
    let script = "import os, select, sys, threading, time\n\
        def took(wait):\n    start = time.monotonic(); wait(); return time.monotonic() - start\n\
        print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), open('/proc/uptime').read().split()[0])\n\
        print(took(lambda: threading.Event().wait(0.2)), took(lambda: select.select([], [], [], 0.2)))\n\
        open(sys.argv[1], 'w'); print(os.stat(sys.argv[1]).st_mtime)\n";
    let before = real();
    let ran = run(&mut place.uwt(&["python3", "-c", script, &file]));
    let numbers: Vec<f64> = ran.succeeded().split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [now, boot, uptime, event, select, modified] = numbers[..] else { panic!("{ran:?}") };
    assert_ahead(now, before);
    assert!((boot - uptime).abs() < LATE, "{ran:?}");
    assert!((0.2..LATE).contains(&event) && (0.2..LATE).contains(&select), "{ran:?}");
    // The clock of files is read once a tick (proc(5), `/proc/timer_list`).
    assert_real(modified, before - 0.1);
}

#[test]
fn without_libfaketime_nothing_runs() {
    let place = place();
    let library = run(&mut place.uwt(&["printenv", "UWT_FAKETIME"])).succeeded().trim().to_owned();
    let folder = std::path::Path::new(&library).parent().expect("a folder").display().to_string();
    let uwt = bin_dir().join("uwt").display().to_string();
    let hidden = |arguments: &str| {
        let script = format!("mount -t tmpfs none '{folder}' && exec {uwt} {arguments}");
        run(place.command("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script]))
    };
    for arguments in ["date", "--explain date", "--guard=off date"] {
        let ran = hidden(arguments);
        let said = ran.failed_with(125);
        assert!(said.starts_with(&format!("{library}: the library for time_privacy cannot be found")), "{said}");
        assert!(said.ends_with("; nothing was run (install libfaketime, or set time_privacy = false)"), "{said}");
    }
    place.configure("");
    assert_eq!(hidden("--guard=off echo ran").succeeded(), "ran\n", "nobody needs it");
}

#[test]
fn what_would_see_the_real_time_is_not_run() {
    let place = place();
    let busybox = place.copy("bin/busybox", "/usr/bin/busybox").display().to_string();
    place.program("bin/by-static", format!("#!{busybox} sh\necho ran\n"));
    let message = format!(
        "{busybox} is statically linked and would see the real time; not run (set time_privacy = false for it)"
    );
    for arguments in [&["busybox", "true"][..], &["--guard=deny", "busybox", "true"], &["by-static"]] {
        assert_eq!(run(&mut place.uwt(arguments)).failed_with(126), message, "{arguments:?}");
    }
    assert!(!place.at("run/uwt/clocks").exists(), "no clock was made");
    place.configure("time_privacy = true\n[command.busybox]\ntime_privacy = false\n");
    assert_eq!(run(&mut place.uwt(&["busybox", "echo", "ran"])).succeeded(), "ran\n");
    place.configure(&format!("time_privacy = true\ntrusted = [\"{busybox}\"]\n"));
    assert_eq!(run(&mut place.uwt(&["by-static"])).succeeded(), "ran\n");
}

#[test]
fn the_legacy_lines_ask_for_it() {
    let place = Place::new();
    place.wrap("one", "/usr/bin/printenv");
    place.wrap("two", "/usr/bin/printenv");
    let path = place.at("bin/one").display().to_string();
    let faked = |name: &str| run(place.command(name).arg("FAKETIME")).status == 0;
    for (text, expected) in [
        ("timeprivacy_global=\"0\"\n".to_owned(), (false, false)),
        ("timeprivacy_global=\"1\"\n".to_owned(), (true, true)),
        (format!("timeprivacy[\"{path}\"]=\"1\"\n"), (true, false)),
        (format!("timeprivacy[\"{path}\"]=\"0\"\ntimeprivacy_global=\"1\"\n"), (false, true)),
    ] {
        place.file("etc/50_user.conf", &text);
        assert_eq!((faked("one"), faked("two")), expected, "{text}");
    }
}

#[test]
fn a_clock_that_is_not_understood_begins_anew() {
    let place = place();
    run(&mut place.uwt(&["true"])).succeeded();
    let file = clocks(&place).remove(0);
    for (garbage, cause) in [
        ("garbage".to_owned(), "is malformed"),
        (
            format!("{:.0} 0 0\n", (real() + 2.0 * HOUR) * 1e6),
            "the real clock was set back by more than the hour that there is",
        ),
    ] {
        fs::write(&file, garbage).expect("written");
        let ran = run(&mut place.uwt(&["true"]));
        let program = fs::canonicalize("/bin/true").expect("there");
        let said = format!("uwt: {}: {cause}; the time that {} sees begins anew\n", file.display(), program.display());
        assert_eq!((ran.status, ran.err), (0, said));
        run(&mut place.uwt(&["true"])).succeeded();
    }
}

#[test]
fn a_clock_that_somebody_else_could_have_set_is_refused() {
    let place = place();
    run(&mut place.uwt(&["true"])).succeeded();
    let file = clocks(&place).remove(0);
    let (folder, outer) = (place.at("run/uwt/clocks"), place.at("run/uwt"));
    let refused = |path: &std::path::Path, cause: &str| {
        let shown = path.display();
        let ran = run(&mut place.uwt(&["true"]));
        assert_eq!(ran.failed_with(125), format!("{shown}: {cause}; remove {shown}, the next call makes a new one"));
    };
    for path in [&folder, &outer, &file] {
        let mode = fs::metadata(path).expect("there").permissions();
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("set");
        refused(path, "is open to others");
        fs::set_permissions(path, mode).expect("set");
    }
    fs::remove_file(&file).expect("removed");
    let name = file.strip_prefix(place.at("")).expect("in there").to_str().expect("text").to_owned();
    place.link(&name, "/dev/zero");
    refused(&file, "is a symbolic link");
    fs::remove_dir_all(&folder).expect("removed");
    fs::write(&folder, "").expect("written");
    refused(&folder, "is not a folder");
    fs::remove_file(&folder).expect("removed");
    fs::remove_dir_all(&outer).expect("removed");
    run(&mut place.uwt(&["true"])).succeeded();
    assert_eq!(clocks(&place).len(), 1, "what is missing is made");
}

#[test]
fn it_is_explained() {
    let place = Place::new();
    let line = |variables: &[&str]| {
        let ran = place.uwt_with(variables, &["--explain", "date"]);
        ran.succeeded().lines().find(|line| line.starts_with("time ")).expect("said").to_owned()
    };
    assert!(line(&[]).contains("  real  ") && line(&[]).ends_with("  built-in"));
    assert!(line(&["UWT_FAKETIME=/x"]).contains("that of the wrapped command outside"));
    place.configure("\n[command.date]\ntime_privacy = true\n");
    let said = line(&[]);
    assert!(said.contains("ahead by up to an hour: /usr/lib"), "{said}");
    assert!(said.ends_with(&format!("  {}:3", place.at("etc/50_test.toml").display())), "{said}");
    assert!(!place.at("run/uwt/clocks").exists(), "nothing is drawn");
}

#[test]
fn what_libfaketime_leaves_behind_is_swept_up() {
    let place = place();
    let kept = |process: &str| {
        let names = ["faketime_shm_", "sem.faketime_sem_"].map(|begin| format!("/dev/shm/{begin}{process}"));
        names.map(|name| fs::exists(name).expect("there is /dev/shm"))
    };
    // It cannot clean up after itself where another program takes its process over.
    let ran = run(&mut place.uwt(&["sh", "-c", "echo $$; exec true"]));
    let process = ran.succeeded().trim();
    run(&mut place.uwt(&["true"])).succeeded();
    assert_eq!(kept(process), [false, false]);
}
