//! From what a command is called to its program.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use uwt_config::{Config, Settings};

/// The program of a name, as PATH has it, or of an absolute path.
pub(crate) fn find(name: &Path) -> Option<PathBuf> {
    let executable = |path: &PathBuf| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if name.is_absolute() {
        return Some(name.to_owned()).filter(executable);
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(executable)
}

/// What holds for the command of this name or path, as for a call of it.
pub(crate) fn settings(config: &Config, name: &str) -> Settings {
    let typed = find(Path::new(name)).unwrap_or_else(|| PathBuf::from(name));
    config.settings_for(&resolved(&typed), typed.as_os_str())
}

/// What runs in the end: the diverted program behind a wrapper, and where links lead.
fn resolved(program: &Path) -> PathBuf {
    let mut diverted = program.as_os_str().to_owned();
    diverted.push(".anondist-orig");
    let real = Path::new(&diverted).canonicalize().or_else(|_| program.canonicalize());
    real.unwrap_or_else(|_| program.to_owned())
}
