//! apt-get: a mirror's index and a package, fetched by methods that drop their privileges.

use std::os::unix::fs::chown;
use std::process::Command;

use support::netns::Identity;
use support::process::find;

use crate::place::{Place, User};

const SOURCE: &str = "deb [trusted=yes] http://mirror.lab.test/debian lab main\n";

/// The id of Debian's user for apt's methods.
fn apt_user() -> u32 {
    let name = "_apt";
    assert!(Identity::named(name).is_some(), "apt's package makes the user {name}");
    let passwd = std::fs::read_to_string("/etc/passwd").expect("passwd");
    let line = passwd.lines().find(|line| line.starts_with("_apt:")).expect("a local user");
    line.split(':').nth(2).and_then(|uid| uid.parse().ok()).expect("a number")
}

/// A state of apt's own in the directory of the place, and the mirror as its only source.
fn apt_state(place: &Place) {
    let dir = place.at("apt").display().to_string();
    for name in ["lists/partial", "archives/partial", "log", "here"] {
        std::fs::create_dir_all(place.at("apt").join(name)).expect("directory");
    }
    // Where the methods write; elsewhere apt would let them stay root, with a warning.
    for name in ["lists/partial", "archives/partial", "here"] {
        chown(place.at("apt").join(name), Some(apt_user()), None).expect("chown");
    }
    place.file("apt/status", "");
    place.file("apt/sources.list", SOURCE);
    let none = ["Main", "Parts", "Preferences", "PreferencesParts", "SourceParts", "Trusted", "TrustedParts"];
    let none = none.map(|key| format!("Dir::Etc::{key} \"/dev/null\";\n")).concat();
    place.file(
        "apt/apt.conf",
        &format!(
            "{none}Dir::Etc::SourceList \"{dir}/sources.list\";\nDir::State \"{dir}\";\nDir::State::status \
             \"{dir}/status\";\nDir::Cache \"{dir}\";\nDir::Log \"{dir}/log\";\nAcquire::Languages \"none\";\n"
        ),
    );
}

/// nft(8) in the workstation, without `uwt`.
fn nft(place: &Place) -> Command {
    place.workstation.command(find("nft"))
}

/// Counts the packets of connections that belong to the methods' user: the relay has them on the loopback device.
fn count_methods(place: &Place) {
    let rules = format!(
        "table inet users {{
            counter apt {{ }}
            chain out {{
                type filter hook output priority 0; policy accept;
                oifname \"lo\" meta l4proto tcp meta skuid {} counter name apt
            }}
        }}",
        apt_user()
    );
    let status = nft(place).arg("-f").arg(place.file("users.nft", &rules)).status();
    assert!(status.expect("nft").success());
}

/// The packets counted.
fn counted(place: &Place) -> u64 {
    let output = nft(place).args(["list", "counter", "inet", "users", "apt"]).output().expect("nft");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().skip_while(|word| *word != "packets");
    words.nth(1).and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{output:?}"))
}

#[test]
fn apt_get_updates_and_downloads_by_methods_without_privileges() {
    let mut place = Place::new();
    apt_state(&place);
    count_methods(&place);
    let config = format!("APT_CONFIG={}", place.at("apt/apt.conf").display());

    let ran = place.root(&["env", &config, "apt-get", "update"]);
    assert!(ran.asked_for(&["mirror.lab.test:80"]).contains("Packages"), "{ran:#?}");
    let lists: Vec<_> = std::fs::read_dir(place.at("apt/lists")).expect("lists").flatten().collect();
    assert!(lists.iter().any(|file| file.file_name().to_string_lossy().ends_with("_Packages")), "{lists:?}");

    let simulated = place.root(&["env", &config, "apt-get", "install", "-s", "uwt-lab-hello"]);
    assert!(simulated.asked_for(&[]).contains("Inst uwt-lab-hello (1.0 lab [all])"), "{simulated:#?}");

    let mut download = place.uwt(User::Root, ["env", &config, "apt-get", "download", "uwt-lab-hello"]);
    let ran = place.run(download.current_dir(place.at("apt/here")));
    ran.asked_for(&["mirror.lab.test:80"]);
    let package = std::fs::read(place.at("apt/here/uwt-lab-hello_1.0_all.deb")).expect("the package");
    assert!(package.starts_with(b"!<arch>\n"));

    assert!(counted(&place) > 0, "the methods connected as their own user");
}

#[test]
fn a_method_has_another_credential_than_apt_get() {
    let mut place = Place::new();
    apt_state(&place);
    let config = format!("APT_CONFIG={}", place.at("apt/apt.conf").display());
    // The process that is to become apt-get connects first.
    let become_apt = "import os, urllib.request as web\n\
                      web.urlopen('http://www.lab.test/').read()\n\
                      os.execvp('apt-get', ['apt-get', '-qq', 'update'])";
    let ran = place.root(&["env", &config, "python3", "-c", become_apt]);
    ran.asked_for(&["www.lab.test:80", "mirror.lab.test:80"]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (2, 2), "{ran:#?}");
}
