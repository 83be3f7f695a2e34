//! Where things are: the repository, cargo's target directory, the directory of what is shipped.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The workspace this program was built from.
#[derive(Debug)]
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Cargo's target directory; `CARGO_TARGET_DIR` and cargo's configuration are respected.
    pub target: PathBuf,
    /// The answer of `cargo metadata --no-deps`.
    pub metadata: Value,
}

impl Workspace {
    /// Asks cargo, from the directory of the manifest that `cargo run` names (the current one without it).
    ///
    /// # Errors
    /// Cargo cannot be run, or answers something else.
    pub fn locate() -> Result<Self> {
        let mut cargo = cargo();
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(manifest) = env::var_os("CARGO_MANIFEST_DIR") {
            // `cargo run` leaves the user's directory alone, which may be outside the workspace.
            cargo.current_dir(manifest);
        }
        let metadata: Value = serde_json::from_slice(&output(&mut cargo)?).context("the answer of cargo metadata")?;
        let path = |key: &str| -> Result<PathBuf> {
            let text = metadata[key].as_str().with_context(|| format!("cargo metadata names no {key}"))?;
            Ok(PathBuf::from(text))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// Where [`crate::artifacts`] puts what is shipped; the tests get it as `UWT_BIN_DIR`.
    #[must_use]
    pub fn bin_dir(&self) -> PathBuf {
        self.target.join("uwt")
    }

    /// A `cargo SUBCOMMAND` in the repository's root.
    #[must_use]
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = cargo();
        command.arg(subcommand).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Builds a program of the workspace in the dev profile and says where it is.
    ///
    /// # Errors
    /// It is not compiled.
    pub fn dev_program(&self, package: &str, program: &str) -> Result<PathBuf> {
        run(self.cargo("build").args(["-p", package, "--bin", program]))?;
        existing(&self.target.join("debug").join(program))
    }
}

/// The cargo that started us, or the one in `PATH`.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo sets for us is about this package: build scripts of others must not see it and rebuild.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Returns the path when something is there.
///
/// # Errors
/// Nothing is there.
pub fn existing(path: &Path) -> Result<PathBuf> {
    if path.exists() { Ok(path.to_owned()) } else { bail!("{} was not built", path.display()) }
}

/// The command line as one would type it, for messages.
#[must_use]
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    if let Some(name) = Path::new(&words[0]).file_name() {
        words[0] = name.to_string_lossy().into_owned();
    }
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command with our stdio; anything but success is an error that names it.
///
/// # Errors
/// It cannot be run, or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run `{}`", shown(command)))?;
    if status.success() { Ok(()) } else { bail!("`{}`: {status}", shown(command)) }
}

/// The standard output of a command; its standard error is ours.
///
/// # Errors
/// It cannot be run, or fails.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if output.status.success() { Ok(output.stdout) } else { bail!("`{}`: {}", shown(command), output.status) }
}

/// Like [`output`], as text.
///
/// # Errors
/// It cannot be run, or fails, or prints something else than UTF-8.
pub fn text(command: &mut Command) -> Result<String> {
    String::from_utf8(output(command)?)
        .with_context(|| format!("`{}` printed something else than text", shown(command)))
}
