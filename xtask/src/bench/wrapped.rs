//! The start of a wrapped command, called by its path, beside a wrapper that a script of bash makes.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::startup::{Prepared, added, sample};
use super::table::{Row, Table};
use super::variant::{BARE, Setup, TORSOCKS};
use crate::interrupt::Interrupt;
use crate::workspace::{Workspace, output};

/// The table.
pub(crate) const KEY: &str = "wrapped";
/// The command through uwt.
pub(crate) const UWT: &str = "uwt";
/// The command through the script, which runs torsocks.
pub(crate) const SCRIPT: &str = "bash and torsocks";

/// The script, with a place for the folder of its configuration.
const WRAPPER: &str = include_str!("wrapper.bash");
/// The command.
const NAME: &str = "true";

/// What the script reads: as much as a user would have there.
const CONFIGURATION: [(&str, &str); 2] = [
    (
        "30_default.conf",
        "# As it comes.\nwrapped_by_default=1\nmost_nested=10\nport[/usr/bin/apt-get]=9104\nport[/usr/bin/gpg]=9105\n\
         port[/usr/bin/ssh]=9106\nport[/usr/bin/git]=9107\nport[/usr/bin/wget]=9109\nport[/usr/bin/curl]=9117\n",
    ),
    ("50_user.conf", "# One's own.\nwrapped[/usr/bin/ssh]=0\n#protects_from_nesting() { false; }\n"),
];

/// Measures the three.
pub(super) fn measure(workspace: &Workspace, setup: &Setup, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let place = Place::new(workspace, setup)?;
    let environment = &setup.variant(BARE)?.environment;
    let configured = [environment.clone(), vec![("UWT_CONFIG_PATH".into(), place.at("etc").into())]].concat();
    place.check(&workspace.bin_dir().join("uwt"), &configured)?;
    let prepared = [
        Prepared::of_path(BARE, &place.original("uwt"), environment)?,
        Prepared::of_path(UWT, &place.command("uwt"), &configured)?,
        Prepared::of_path(SCRIPT, &place.command("script"), environment)?,
    ];
    let samples = sample(&prepared, "wrapped start", rounds, interrupt)?;
    let rows = added(&prepared, &samples).into_iter().zip(&prepared).zip(samples);
    let rows = rows.map(|((added, one), series)| Row { name: one.name, series, extra: vec![added] }).collect();
    Ok(Table {
        key: KEY,
        title: format!("A wrapped command: `{NAME}` called by its path, posix_spawn to wait"),
        unit: "µs",
        base: BARE,
        extra: vec!["added µs"],
        rows,
        notes: vec![format!(
            "*{UWT}*: `{NAME}` → `{NAME}.anondist` → `uwt`, with the configuration that comes with it. *{SCRIPT}*: the same \
             links to `xtask/src/bench/wrapper.bash`, which does in bash what a wrapper has to, and executes {TORSOCKS}. \
             Both start the same copy of `/bin/true`, which is *{BARE}*."
        )],
    })
}

/// A folder for each wrapper, in which the command is wrapped, and what they read.
struct Place(TempDir);

impl Place {
    fn new(workspace: &Workspace, setup: &Setup) -> Result<Self> {
        let place = Self(tempfile::Builder::new().prefix("uwt-bench-").tempdir().context("a temporary directory")?);
        let default = "30_default.toml";
        fs::create_dir(place.at("etc"))?;
        let shipped = workspace.root.join("etc/uwt.d").join(default);
        fs::copy(&shipped, place.at("etc").join(default)).with_context(|| format!("{}", shipped.display()))?;

        let settings = place.at("settings");
        fs::create_dir(&settings)?;
        for (name, text) in CONFIGURATION {
            fs::write(settings.join(name), text)?;
        }
        fs::write(settings.join("gateway"), format!("{}\n", setup.gateway.ip()))?;
        let script = place.at("wrapper");
        fs::write(&script, WRAPPER.replace("@FOLDER@", &settings.display().to_string()))?;
        fs::set_permissions(&script, Permissions::from_mode(0o755))?;

        place.wrap("uwt", &workspace.bin_dir().join("uwt"))?;
        place.wrap("script", &script)?;
        Ok(place)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// As Debian's diversions do.
    fn wrap(&self, folder: &str, wrapper: &Path) -> Result<()> {
        fs::create_dir(self.at(folder))?;
        let command = self.command(folder);
        // A link where the other one is, so that both start the same file.
        match folder {
            "uwt" => drop(fs::copy("/bin/true", self.original(folder)).context("/bin/true")?),
            _ => fs::hard_link(self.original("uwt"), self.original(folder))?,
        }
        symlink(wrapper, command.with_extension("anondist"))?;
        symlink(format!("{NAME}.anondist"), command)?;
        Ok(())
    }

    fn command(&self, folder: &str) -> PathBuf {
        self.at(folder).join(NAME)
    }

    fn original(&self, folder: &str) -> PathBuf {
        self.command(folder).with_extension("anondist-orig")
    }

    /// Whether uwt would wrap the command, and with a guard that tunnels: only then the whole of it is measured.
    fn check(&self, uwt: &Path, environment: &[(OsString, OsString)]) -> Result<()> {
        let mut command = Command::new(uwt);
        command.arg("--explain").arg(self.command("uwt")).env_clear();
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let plan = output(&mut command)?;
        let plan = String::from_utf8_lossy(&plan);
        let has =
            |label: &str, value: &str| plan.lines().any(|line| line.split_whitespace().take(2).eq([label, value]));
        ensure!(has("protection", "on") && has("guard", "tunnel"), "it is not wrapped as it should be:\n{plan}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the script in a place of its own, with `torsocks` replaced by what prints its arguments.
    fn run(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().expect("a directory");
        let at = |name: &str| folder.path().join(name);
        let program = |name: &str, text: &str| {
            // install(1) writes it: a child of another test that inherited a descriptor of ours would keep it from running.
            fs::write(at("source"), text).expect("written");
            let installed = Command::new("install").args(["-m", "0755"]).arg(at("source")).arg(at(name)).status();
            assert!(installed.expect("install(1) is there").success());
        };
        fs::create_dir(at("settings")).expect("made");
        for (name, text) in CONFIGURATION {
            fs::write(at("settings").join(name), text).expect("written");
        }
        fs::write(at("settings/gateway"), "10.0.0.1\n").expect("written");
        program("wrapper", &WRAPPER.replace("@FOLDER@", &at("settings").display().to_string()));
        program("torsocks", "#!/bin/sh\necho torsocks \"$@\" $wrapper_counter\n");
        program("true.anondist-orig", "#!/bin/sh\necho bare \"$@\"\n");
        symlink("wrapper", at("true.anondist")).expect("linked");
        symlink("true.anondist", at("true")).expect("linked");
        let mut command = Command::new(at("true"));
        command.args(arguments).env_clear().envs(variables.iter().copied());
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
        let output = command.output().expect("bash is there");
        let shown = String::from_utf8(output.stdout).expect("text");
        (output.status.code(), shown.replace(&folder.path().display().to_string(), ""))
    }

    #[test]
    fn the_script_is_a_wrapper() {
        let carried = "torsocks --isolate --address 10.0.0.1 --port 9050 /true.anondist-orig a b 1\n";
        assert_eq!(run(&[], &["a", "b"]), (Some(0), carried.to_owned()));
        assert_eq!(run(&[("UWT_DEV_PASSTHROUGH", "1")], &["a"]), (Some(0), "bare a\n".to_owned()));
        assert!(run(&[], &["http://localhost/"]).1.starts_with("torsocks "), "no marker: not transparent");
        assert_eq!(run(&[("wrapper_counter", "10")], &[]), (Some(255), String::new()));
    }
}
