use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use nix::unistd::geteuid;

use super::*;

fn own() -> u32 {
    geteuid().as_raw()
}

#[test]
fn one_secret_per_boot() {
    let folder = tempfile::tempdir().expect("folder");
    let first = shared(folder.path(), own(), "boot-1").expect("made");
    assert_eq!(shared(folder.path(), own(), "boot-1"), Ok(first));
    let status = fs::metadata(folder.path().join(NAME)).expect("there");
    assert_eq!(status.mode() & 0o7777, 0o600);
    let second = shared(folder.path(), own(), "boot-2").expect("made");
    assert_ne!(second, first);
    assert_eq!(shared(folder.path(), own(), "boot-2"), Ok(second));
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1, "nothing is left behind");
}

#[test]
fn racing_calls_agree() {
    let folder = tempfile::tempdir().expect("folder");
    shared(folder.path(), own(), "boot-1").expect("an older one, to be replaced by all at once");
    let secrets: Vec<Secret> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| shared(folder.path(), own(), "boot-2").expect("made"))).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
}

#[test]
fn what_others_could_know_is_refused() {
    let good = format!("boot-1 {}\n", "5a".repeat(Secret::LEN));
    let digits = "5a".repeat(Secret::LEN);
    for (content, mode, cause) in [
        (good.clone(), 0o644, "is open to others"),
        (good.clone(), 0o620, "is open to others"),
        (String::new(), 0o600, "is malformed"),
        (format!("boot-1 {digits}"), 0o600, "is malformed"),
        (format!("boot-1 {digits}00\n"), 0o600, "is malformed"),
        (format!("boot-1 +{}\n", &digits[1..]), 0o600, "is malformed"),
        (format!("{digits}\n"), 0o600, "is malformed"),
        (good.repeat(9), 0o600, "is malformed"),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(NAME);
        fs::write(&path, &content).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
        let failure = shared(folder.path(), own(), "boot-1").expect_err(cause);
        let shown = path.display();
        assert!(failure.message.starts_with(&format!("{shown}: {cause}; remove {shown}")), "{}", failure.message);
        assert_eq!(failure.status, Failure::OURS);
        assert_eq!(fs::read_to_string(&path).expect("there"), content, "it is left for the user to look at");
    }
}

#[test]
fn only_a_regular_file_of_ours() {
    let folder = tempfile::tempdir().expect("folder");
    shared(folder.path(), own(), "boot-1").expect("made");
    let failure = shared(folder.path(), own() + 1, "boot-1").expect_err("another user's");
    assert!(failure.message.contains("belongs to somebody else"));
}
