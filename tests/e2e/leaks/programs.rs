//! The compiled programs, where every user can run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use support::lab::Lab;
use support::programs::{LEAKS, make_all};

/// The folder of the compiled programs that every user may run, with special copies: set-user-ID, and with a file
/// capability.
pub(crate) fn programs(lab: &Lab) -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // The library beside `uwt` is to be the one built with it.
        let _ = (lab.uwt(), lab.preload());
        let made = make_all(&LEAKS, &Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("leaks"));
        let made = made.unwrap_or_else(|error| panic!("{error:#}"));
        let folder = lab.bin_dir().join(format!("leaks-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        open_to_all(&folder);
        // By other processes: a child that is forked while this one writes a file could not execute it (ETXTBSY).
        let run = |command: &mut Command| assert!(command.status().expect("started").success(), "{command:?}");
        let install = |mode| {
            let mut install = Command::new("install");
            install.args(["-m", mode]);
            install
        };
        run(install("0755").args(&made).arg(&folder));
        // It gives up what it gains once it has made its filter.
        run(Command::new("chmod").arg("4755").arg(folder.join("forbid")));
        run(install("4755").arg(folder.join("static")).arg(folder.join("setuid")));
        run(install("4755").arg(folder.join("dynamic")).arg(folder.join("setuid-dynamic")));
        run(install("0755").arg(folder.join("static")).arg(folder.join("capable")));
        run(Command::new(support::process::find("setcap")).arg("cap_net_raw+ep").arg(folder.join("capable")));
        folder
    })
}

/// Lets every user read a folder.
pub(crate) fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("chmod");
}
