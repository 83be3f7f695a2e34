//! ssh, and what calls it.

use support::debian::Who;

use crate::place::Place;

const SSH: [&str; 1] = ["ssh.lab.test:22"];

#[test]
fn ssh_and_what_copies_files_through_it() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation().with_ssh_keys(who);
        let typed = place.types(who, "ssh ssh.lab.test 'echo hello; exit 7'");
        assert_eq!((typed.ran.status, typed.ran.out.as_str(), typed.ran.err.as_str()), (Some(7), "hello\n", ""));
        assert_eq!(typed.targets(), SSH);
        // Both start /usr/bin/ssh, which is the wrapper.
        let head = place.lab.git_path().join("HEAD").display().to_string();
        place.types(who, &format!("scp -q ssh.lab.test:{head} one")).asked_for(&SSH);
        place.types(who, &format!("sftp -q ssh.lab.test:{head} two")).asked_for(&SSH);
        assert_eq!(place.types(who, "cat one two").asked_for(&[]), "ref: refs/heads/main\nref: refs/heads/main\n");
    }
}

/// The second of two ssh speaks through the first.
#[test]
fn ssh_jumps_over_a_host() {
    let mut place = Place::workstation().with_ssh_keys(Who::User);
    let line = "ssh -J ssh.lab.test -o HostKeyAlias=git.lab.test 203.0.113.2 echo hello";
    assert_eq!(place.types(Who::User, line).asked_for(&SSH), "hello\n");
}

#[test]
fn git_calls_ssh() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation().with_ssh_keys(who);
        let url = format!("ssh://git.lab.test{}", place.lab.git_path().display());
        place.types(who, &format!("git clone -q {url} clone")).asked_for(&["git.lab.test:22"]);
        // Two wrapped commands of a third: each process with what is its own.
        let both =
            "git -C clone -c alias.both='!git fetch -q && git fetch -q http://git.lab.test/git/hello.git main' both";
        let typed = place.types(who, both);
        typed.asked_for(&["git.lab.test:22", "git.lab.test:80"]);
        assert_eq!(typed.credentials(), 2, "{typed:#?}");
        assert_eq!(place.types(who, "cat clone/README").asked_for(&[]), "hello\n");
    }
}
