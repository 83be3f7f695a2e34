//! git, over HTTP and over ssh.

use std::path::Path;

use crate::place::{Place, User};

/// The history of a clone is what the server has.
fn assert_cloned(place: &Place, clone: &Path) {
    let head = |dir: &Path| {
        let mut git = std::process::Command::new("/usr/bin/git");
        git.args(["-c", "safe.directory=*", "-C"]).arg(dir).args(["rev-parse", "refs/heads/main"]);
        let output = git.output().expect("git");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    assert_eq!(head(clone), head(&place.lab.git_path()));
}

#[test]
fn git_clones_over_http() {
    for user in [User::Root, User::Nobody] {
        let mut place = Place::new();
        let clone = place.at(if user == User::Root { "root/clone" } else { "nobody/clone" });
        let mut command = place.uwt(user, ["git", "clone", "-q", "http://git.lab.test/git/hello.git"]);
        let ran = place.run(command.arg(&clone));
        // git-remote-http keeps its connection, and is another process than git.
        ran.asked_for(&["git.lab.test:80"]);
        assert_cloned(&place, &clone);
    }
}

#[test]
fn git_clones_over_ssh() {
    let mut place = Place::new();
    let clone = place.at("root/clone");
    let ssh = format!("core.sshCommand=ssh -F {}", place.lab.ssh_config().display());
    let url = format!("ssh://git.lab.test{}", place.lab.git_path().display());
    let mut command = place.uwt(User::Root, ["git", "-c", &ssh, "clone", "-q", &url]);
    let ran = place.run(command.arg(&clone));
    ran.asked_for(&["git.lab.test:22"]);
    assert_cloned(&place, &clone);
}
