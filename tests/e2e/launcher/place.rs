//! A small file system of its own for every test, and runs of uwt in it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The folder of the programs under test.
pub(crate) fn bin_dir() -> PathBuf {
    let Some(folder) = std::env::var_os("UWT_BIN_DIR") else {
        panic!("UWT_BIN_DIR is not set: it names the folder of uwt and libuwt_preload.so (`cargo xtask test` sets it)");
    };
    let folder = PathBuf::from(folder);
    for name in ["uwt", "libuwt_preload.so"] {
        assert!(folder.join(name).is_file(), "{}: missing (`cargo xtask build` makes it)", folder.join(name).display());
    }
    folder.canonicalize().expect("it is there")
}

/// A folder with `bin` (first in PATH), `etc` (the only configuration) and `run` (the runtime folder).
pub(crate) struct Place {
    root: TempDir,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("uwt-e2e-").tempdir().expect("a folder");
        // Programs of other users are started in there.
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("set");
        for folder in ["bin", "etc", "run"] {
            fs::create_dir(root.path().join(folder)).expect("made");
        }
        Self { root }
    }

    /// A path in it.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// A file of mode 0644.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.at(path), content).expect("written");
        self.at(path)
    }

    /// A file of mode 0755.
    pub(crate) fn program(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let source = self.file("source", content);
        self.copy(path, source)
    }

    /// A copy of a program, mode 0755.
    ///
    /// install(1) makes it: a child that another test starts just now would inherit a descriptor of ours, and nobody
    /// can execute a file that is open for writing (execve(2), ETXTBSY).
    pub(crate) fn copy(&self, path: &str, original: impl AsRef<Path>) -> PathBuf {
        let copied = Command::new("install").args(["-m", "0755"]).arg(original.as_ref()).arg(self.at(path)).status();
        assert!(copied.expect("install(1) is there").success());
        self.at(path)
    }

    /// A symbolic link.
    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) {
        symlink(target, self.at(path)).expect("linked");
    }

    /// Wraps `bin/NAME`, whose original is a copy of `original`, as Debian's diversions do.
    pub(crate) fn wrap(&self, name: &str, original: &str) {
        self.copy(&format!("bin/{name}.anondist-orig"), original);
        self.link(&format!("bin/{name}.anondist"), bin_dir().join("uwt"));
        self.link(&format!("bin/{name}"), format!("{name}.anondist"));
    }

    /// The configuration.
    pub(crate) fn configure(&self, toml: &str) {
        self.file("etc/50_test.toml", toml);
    }

    /// `program` with a clean environment; by its path, or by its name in `bin` or the system's PATH.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("/usr/bin/env");
        // env(1) looks the name up in the PATH it sets, and is gone when the program runs.
        command.arg("-i").arg(self.variable("PATH", &format!("{}:/usr/bin:/bin", self.at("bin").display())));
        for (name, folder) in [("UWT_CONFIG_PATH", "etc"), ("XDG_RUNTIME_DIR", "run"), ("HOME", "")] {
            command.arg(self.variable(name, &self.at(folder).display().to_string()));
        }
        command.arg("LC_ALL=C").arg(program);
        command
    }

    fn variable(&self, name: &str, value: &str) -> String {
        assert!(self.root.path().is_absolute());
        format!("{name}={value}")
    }

    /// `uwt` with these arguments.
    pub(crate) fn uwt(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(bin_dir().join("uwt"));
        command.args(arguments);
        command
    }

    /// Runs `uwt` with variables added to its environment.
    pub(crate) fn uwt_with(&self, variables: &[&str], arguments: &[&str]) -> Ran {
        self.run_with(variables, bin_dir().join("uwt"), arguments)
    }

    /// Runs a program with variables added to its environment.
    pub(crate) fn run_with(&self, variables: &[&str], program: impl AsRef<OsStr>, arguments: &[&str]) -> Ran {
        // A second env(1) adds them; it passes everything else on.
        let mut command = self.command("/usr/bin/env");
        command.args(variables).arg(program).args(arguments);
        run(&mut command)
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status, 128 and the signal's number if it was killed.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    /// Of what a process has left.
    pub(crate) fn of(output: Output) -> Self {
        let Output { status, stdout, stderr } = output;
        let status = status.code().unwrap_or_else(|| 128 + status.signal().expect("killed"));
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { status, out: text(stdout), err: text(stderr) }
    }

    /// It was uwt that ended it, with one line; gives the line without our name.
    #[track_caller]
    pub(crate) fn failed_with(&self, status: i32) -> &str {
        assert_eq!((self.status, self.out.as_str()), (status, ""), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "one line: {self:?}");
        self.err.strip_prefix("uwt: ").unwrap_or_else(|| panic!("our name comes first: {self:?}")).trim_end()
    }

    /// The program ended well and nobody complained; gives its output.
    #[track_caller]
    pub(crate) fn succeeded(&self) -> &str {
        assert_eq!((self.status, self.err.as_str()), (0, ""), "{self:?}");
        self.out.as_str()
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    Ran::of(command.output().expect("starts"))
}

/// The words of a session variable.
pub(crate) fn word<'a>(session: &'a str, key: &str) -> &'a str {
    let mut words = session.trim_end().split(' ').filter_map(|word| word.split_once('='));
    words.find(|(name, _)| *name == key).unwrap_or_else(|| panic!("{key} in {session}")).1
}
