//! ssh and what goes through it.

use std::process::Stdio;

use crate::place::{Place, User};

/// `-F` and the lab's configuration.
fn config(place: &Place) -> String {
    format!("-F{}", place.lab.ssh_config().display())
}

#[test]
fn ssh_runs_a_command_and_gives_its_status() {
    let mut place = Place::new();
    let config = config(&place);
    let ran = place.root(&["ssh", &config, "ssh.lab.test", "echo hello; exit 7"]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (Some(7), "hello\n", ""));
    assert_eq!(ran.targets(), ["ssh.lab.test:22"]);
}

#[test]
fn ssh_reaches_an_address() {
    let mut place = Place::new();
    let config = config(&place);
    for (host, target) in [("203.0.113.3", "203.0.113.3:22"), ("2001:db8::3", "[2001:db8::3]:22")] {
        let ran = place.root(&["ssh", &config, "-o", "HostKeyAlias=ssh.lab.test", host, "echo hello"]);
        assert_eq!(ran.asked_for(&[target]), "hello\n");
    }
}

#[test]
fn a_proxy_command_is_a_process_with_a_credential_of_its_own() {
    let mut place = Place::new();
    let config = config(&place);
    let proxy = "ProxyCommand=nc %h %p";
    let ran = place.root(&["ssh", &config, "-o", proxy, "ssh.lab.test", "echo hello"]);
    assert_eq!(ran.asked_for(&["ssh.lab.test:22"]), "hello\n");
}

#[test]
fn a_control_master_serves_later_calls() {
    let mut place = Place::new();
    let (config, path) = (config(&place), format!("-S{}", place.at("root/master").display()));
    // It stays in the background and would keep the pipes of its output open.
    let mut master = place.uwt(User::Root, ["ssh", &config, &path, "-M", "-f", "-N", "ssh.lab.test"]);
    let started = place.run(master.stdout(Stdio::null()).stderr(Stdio::null()));
    started.asked_for(&["ssh.lab.test:22"]);
    let ran = place.root(&["ssh", &config, &path, "ssh.lab.test", "echo hello"]);
    assert_eq!(ran.asked_for(&[]), "hello\n");
    assert_eq!(place.root(&["ssh", &config, &path, "-O", "exit", "ssh.lab.test"]).status, Some(0));
}

#[test]
fn scp_and_sftp_copy_files() {
    let mut place = Place::new();
    let config = config(&place);
    let original = place.lab.git_path().join("HEAD");
    let expected = std::fs::read(&original).expect("a file");
    let from = format!("ssh.lab.test:{}", original.display());
    for (program, name) in [("scp", "root/one"), ("sftp", "root/two")] {
        let to = place.at(name);
        let mut command = place.uwt(User::Root, [program, "-q", &config, &from]);
        let ran = place.run(command.arg(&to));
        ran.asked_for(&["ssh.lab.test:22"]);
        assert_eq!(std::fs::read(&to).expect("copied"), expected, "{program}");
    }
}
