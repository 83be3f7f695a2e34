//! Proxy settings of a whole desktop: each program that heeds them uses the same SocksPort, mostly without credentials.

use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::finding::{Finding, Severity};
use crate::program;

const SHARED: &str = "programs that heed it share one SocksPort, and often circuits";

/// How long gsettings may take: it asks no network.
const PATIENCE: Duration = Duration::from_secs(1);

/// The user's folder of configuration files (XDG Base Directory Specification).
pub(super) fn configuration_home() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))
}

/// KDE's, in the user's file or in the system's, `folders` in the order in which they count.
pub(super) fn kde(folders: &[PathBuf]) -> Option<Finding> {
    let (file, kind) = folders.iter().find_map(|folder| {
        let file = folder.join("kioslaverc");
        let kind = proxy_type(&fs::read_to_string(&file).ok()?)?;
        Some((file, kind))
    })?;
    let which = match kind.as_str() {
        "0" => return None,
        "1" => "a proxy for all of KDE",
        "2" => "a proxy script (PAC) for all of KDE",
        "3" => "a proxy that KDE looks for in the network (WPAD)",
        "4" => "the variables of the environment as KDE's proxies",
        _ => "a kind of proxy that is not known",
    };
    let what = format!("ProxyType={kind} sets {which}: {SHARED}");
    let advice =
        "set ProxyType=0 under [Proxy Settings], and give each program a SocksPort of its own, or run it by uwt";
    Some(Finding::new(Severity::Warning, file.display().to_string(), what, advice))
}

/// `ProxyType` of the group `Proxy Settings`; both may have a flag such as `[$i]` behind them.
fn proxy_type(text: &str) -> Option<String> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[Proxy Settings]");
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside)
            && key.split('[').next().map(str::trim) == Some("ProxyType")
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

/// The folders in which KDE looks.
pub(super) fn kde_folders() -> Vec<PathBuf> {
    let system = env::var_os("XDG_CONFIG_DIRS").filter(|list| !list.is_empty()).unwrap_or_else(|| "/etc/xdg".into());
    configuration_home().into_iter().chain(env::split_paths(&system)).collect()
}

/// GNOME's, as gsettings(1) says.
pub(super) fn gnome() -> Option<Finding> {
    let about = "GNOME (org.gnome.system.proxy)";
    let Some(gsettings) = program::find(Path::new("gsettings")) else {
        let kept = configuration_home()?.join("dconf/user");
        let what = format!("whether a proxy is set in {} cannot be known without gsettings", kept.display());
        return kept.exists().then(|| Finding::new(Severity::Warning, about, what, "install libglib2.0-bin"));
    };
    let mode = match ask(&gsettings) {
        // There is no such schema where there is no GNOME.
        Ok(None) => return None,
        Ok(Some(mode)) => mode,
        Err(error) => {
            let what = format!("{}: {error}; whether a proxy is set cannot be known", gsettings.display());
            let advice = "look with `gsettings get org.gnome.system.proxy mode`";
            return Some(Finding::new(Severity::Warning, about, what, advice));
        }
    };
    if mode == "none" {
        return None;
    }
    let what = format!("mode '{mode}' sets a proxy for all of GNOME: {SHARED}");
    let advice = "`gsettings set org.gnome.system.proxy mode none`, and give each program a SocksPort of its own, or run it \
                  by uwt";
    Some(Finding::new(Severity::Warning, about, what, advice))
}

/// The mode; `None` if the setting does not exist.
fn ask(gsettings: &Path) -> io::Result<Option<String>> {
    let mut command = Command::new(gsettings);
    command.args(["get", "org.gnome.system.proxy", "mode"]).stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take();
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = output.map_or(Ok(0), |mut output| output.read_to_string(&mut text));
        // Whoever waited may have given up.
        let _ = sender.send(read.map(|_| text));
    });
    let said = said.recv_timeout(PATIENCE);
    if said.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    let text = said.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let mode = text.trim().trim_matches('\'');
    Ok(Some(mode.to_owned()).filter(|mode| status.success() && !mode.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kde_says_it_in_a_file() {
        for (text, expected) in [
            ("[Proxy Settings]\nProxyType=1\nsocksProxy=socks://10.152.152.10 9122\n", Some("1")),
            ("[Proxy Settings][$i]\nProxyType[$i] = 2\n", Some("2")),
            ("[Other]\nProxyType=1\n", None),
            ("[Proxy Settings]\nReversedException=false\n", None),
            ("", None),
        ] {
            assert_eq!(proxy_type(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_users_file_counts_before_the_systems() {
        let [user, system] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let folders = [user.path().to_owned(), system.path().to_owned()];
        assert_eq!(kde(&folders), None);
        fs::write(system.path().join("kioslaverc"), "[Proxy Settings]\nProxyType=1\n").unwrap();
        assert!(kde(&folders).unwrap().about.starts_with(system.path().to_str().unwrap()));
        fs::write(user.path().join("kioslaverc"), "[Proxy Settings]\nProxyType=0\n").unwrap();
        assert_eq!(kde(&folders), None);
    }
}
