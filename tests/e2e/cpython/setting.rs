//! Where the tests run: a workstation of their own, with or without `uwt`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use support::lab::Lab;
use support::netns::Workstation;
use tempfile::TempDir;

use crate::families;
use crate::report::Report;

/// Seconds until timeout(1) ends a run, and until the runner ends one module: many times what they take, as the machine may
/// have much else to do.
const LIMIT: &str = "900";
const MODULE_LIMIT: &str = "600";

/// Modules run at the same time: they wait more than they work.
const JOBS: &str = "-j3";

/// One of the two.
pub(crate) struct Setting {
    workstation: Workstation,
    dir: TempDir,
    wrapper: Option<PathBuf>,
}

impl Setting {
    /// Python alone.
    pub(crate) fn bare(lab: &Lab) -> Self {
        let dir = tempfile::Builder::new().prefix("uwt-cpython-").tempdir().expect("directory");
        Self { workstation: lab.private_workstation(), dir, wrapper: None }
    }

    /// Python below `uwt`, with the lab's gateway.
    pub(crate) fn wrapped(lab: &Lab) -> Self {
        let setting = Self { wrapper: Some(lab.uwt()), ..Self::bare(lab) };
        let gateway = format!("gateway = \"{}\"\nport = {}\n", lab.socks().ip(), lab.socks().port());
        let config = setting.dir.path().join("uwt.d");
        std::fs::create_dir(&config).expect("directory");
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o755)).expect("mode");
        std::fs::write(config.join("50_lab.toml"), gateway).expect("written");
        setting
    }

    /// Runs the tests that the arguments choose.
    pub(crate) fn run(&self, arguments: &[&str]) -> Report {
        let dir = self.dir.path();
        let xml = dir.join("report.xml");
        // Some tests send signals to themselves, and wait for ever where somebody above us ignores those.
        let mut command = self.workstation.command("/usr/bin/env");
        families::restrict(command.arg("--default-signal"));
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C.UTF-8").env("HOME", dir);
        command.env("UWT_CONFIG_PATH", dir.join("uwt.d")).current_dir(dir).stdin(std::process::Stdio::null());
        command.args(["timeout", "-k", "10", LIMIT]);
        command.args(&self.wrapper).args(["/usr/bin/python3", "-m", "test", JOBS, "--timeout", MODULE_LIMIT]);
        command.arg("--tempdir").arg(dir).arg("--junit-xml").arg(&xml).args(arguments);
        let output = command.output().expect("starts");
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let text = std::fs::read_to_string(&xml).unwrap_or_else(|error| panic!("no report: {error}\n{log}"));
        // The next run writes its own.
        std::fs::remove_file(xml).expect("removed");
        Report::parse(&text, log)
    }

    /// Nothing left the workstation past the `SocksPort`.
    #[track_caller]
    pub(crate) fn assert_no_leaks(&self) {
        self.workstation.assert_no_leaks();
    }
}
