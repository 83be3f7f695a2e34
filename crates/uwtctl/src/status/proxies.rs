//! Proxies that are set for many programs at once: by variables of the environment, and for apt.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::finding::{Finding, Severity};

/// Variables that programs heed, in lower and upper case.
const VARIABLES: [&str; 6] = ["all_proxy", "http_proxy", "https_proxy", "ftp_proxy", "socks_proxy", "socks_server"];

const ENVIRONMENT_ADVICE: &str = "unset them, and give each program a SocksPort of its own, or run it by uwt (native = \"all_proxy\" sets one for a command)";

fn is_proxy(name: &str) -> bool {
    VARIABLES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Those of our own environment, `variables`.
pub(super) fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Option<Finding> {
    let set = variables.filter(|(_, value)| !value.is_empty());
    let mut names: Vec<String> =
        set.filter_map(|(name, _)| name.into_string().ok()).filter(|name| is_proxy(name)).collect();
    names.sort();
    of_variables("the environment", &names)
}

/// Those of every login (pam_env(8)).
pub(super) fn every_login(root: &Path) -> Option<Finding> {
    let text = fs::read_to_string(root.join("etc/environment")).ok()?;
    let assignments = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let set = assignments.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).trim().split_once('='));
    let names: Vec<String> = set
        .filter(|(name, value)| is_proxy(name) && !value.trim().is_empty())
        .map(|(name, _)| name.to_owned())
        .collect();
    of_variables("/etc/environment", &names)
}

/// A value may hold a password: it is not shown.
fn of_variables(about: &str, names: &[String]) -> Option<Finding> {
    if names.is_empty() {
        return None;
    }
    let sets = if names.len() == 1 { "sets a proxy" } else { "set proxies" };
    let what =
        format!("{} {sets} for every program that heeds it: they share one port, and often circuits", names.join(", "));
    Some(Finding::new(Severity::Warning, about, what, ENVIRONMENT_ADVICE))
}

/// apt's (apt.conf(5), apt-transport-http(1)).
pub(super) fn apt(root: &Path) -> Vec<Finding> {
    files(root).into_iter().filter_map(|file| of_apt(root, &file)).collect()
}

/// The files that apt reads: apt.conf, and what in apt.conf.d has the extension `conf` or none.
fn files(root: &Path) -> Vec<PathBuf> {
    let folder =
        fs::read_dir(root.join("etc/apt/apt.conf.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        folder.filter(|path| path.extension().is_none_or(|extension| extension == OsStr::new("conf"))).collect();
    files.sort();
    files.push(root.join("etc/apt/apt.conf"));
    files
}

fn of_apt(root: &Path, file: &Path) -> Option<Finding> {
    let keys = proxies(&fs::read_to_string(file).ok()?);
    if keys.is_empty() {
        return None;
    }
    let shown = Path::new("/").join(file.strip_prefix(root).unwrap_or(file));
    let what = format!("{} sends what apt fetches to a proxy: what comes that way shares circuits", keys.join(", "));
    let advice = "take it out: a wrapped apt has credentials of its own";
    Some(Finding::new(Severity::Warning, shown.display().to_string(), what, advice))
}

/// The `Acquire::…::Proxy` that a file sets, however it is nested.
fn proxies(text: &str) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    let mut name = String::new();
    let mut found = Vec::new();
    for token in tokens(text) {
        match token {
            Token::Word(word) => name = word,
            Token::Value(value) => {
                let key = groups
                    .iter()
                    .filter(|group| !group.is_empty())
                    .chain([&name])
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("::");
                let lower = key.to_ascii_lowercase();
                // With a host behind it, it is for that host alone; the last two are a program that says which.
                let is_one = |part| matches!(part, "proxy" | "proxy-auto-detect" | "proxyautodetect");
                let is_proxy = lower.starts_with("acquire::") && lower.split("::").any(is_one);
                if is_proxy && !value.is_empty() && !value.eq_ignore_ascii_case("direct") && value != "false" {
                    found.push(key);
                }
            }
            Token::Open => groups.push(std::mem::take(&mut name)),
            Token::Close => drop(groups.pop()),
            Token::End => name.clear(),
        }
    }
    found
}

#[derive(Debug)]
enum Token {
    Word(String),
    Value(String),
    Open,
    Close,
    End,
}

/// The words of apt.conf(5), without its comments.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let until = |rest: &str, end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = match letter {
            '#' => until(rest, "\n"),
            '/' if rest.starts_with("//") => until(rest, "\n"),
            '/' if rest.starts_with("/*") => until(rest, "*/"),
            '"' => {
                let inside = rest.split('"').nth(1).unwrap_or_default();
                tokens.push(Token::Value(inside.to_owned()));
                (inside.len() + 2).min(rest.len())
            }
            '{' | '}' | ';' => {
                tokens.push(match letter {
                    '{' => Token::Open,
                    '}' => Token::Close,
                    _ => Token::End,
                });
                1
            }
            letter if letter.is_whitespace() => letter.len_utf8(),
            _ => {
                let is_end = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '{' | '}' | ';');
                let length = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..length).unwrap_or_default().to_owned()));
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_environment() {
        let variables = |list: &[(&str, &str)]| {
            let list: Vec<(OsString, OsString)> =
                list.iter().map(|(name, value)| (name.into(), value.into())).collect();
            environment(list.into_iter()).map(|finding| finding.what)
        };
        assert_eq!(variables(&[("no_proxy", "x"), ("ALL_PROXY", ""), ("PATH", "/bin")]), None);
        let found = variables(&[("https_proxy", "http://user:secret@h:1"), ("ALL_PROXY", "socks5://h:1")]).unwrap();
        assert!(found.starts_with("ALL_PROXY, https_proxy set proxies") && !found.contains("secret"), "{found}");
    }

    #[test]
    fn variables_of_a_login() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        assert_eq!(every_login(root.path()), None);
        for (text, is_set) in [
            ("http_proxy=\"http://h:1\"\n", true),
            ("export SOCKS_PROXY=h\n", true),
            ("#http_proxy=h\nPATH=/bin\nhttp_proxy=\n", false),
        ] {
            fs::write(root.path().join("etc/environment"), text).unwrap();
            assert_eq!(every_login(root.path()).is_some(), is_set, "{text}");
        }
    }

    #[test]
    fn apts_proxies_however_they_are_written() {
        for (text, expected) in [
            ("Acquire::http::Proxy \"http://127.0.0.1:3142\";\n", &["Acquire::http::Proxy"][..]),
            (
                "Acquire { http { Proxy \"h\"; }; https::proxy \"s\"; };",
                &["Acquire::http::Proxy", "Acquire::https::proxy"],
            ),
            ("Acquire::http { proxy { deb.example \"h\"; } }", &["Acquire::http::proxy::deb.example"]),
            ("Acquire::http::Proxy-Auto-Detect \"/usr/bin/x\";", &["Acquire::http::Proxy-Auto-Detect"]),
            ("// Acquire::http::Proxy \"h\";\n# Acquire::http::Proxy \"h\";\n/* Acquire::http::Proxy \"h\"; */", &[]),
            ("Acquire::http::Proxy \"DIRECT\"; Acquire::https::Proxy \"false\"; Acquire::ftp::Proxy \"\";", &[]),
            ("Acquire::Languages \"none\"; Dir::Bin::Methods \"/x\"; Proxy \"h\";", &[]),
            ("Acquire::http::Proxy \"unfinished", &["Acquire::http::Proxy"]),
            ("}}}{{{\"\";;;/*", &[]),
        ] {
            assert_eq!(proxies(text), expected, "{text}");
        }
    }

    #[test]
    fn apt_reads_some_files_and_others_not() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/apt/apt.conf.d");
        fs::create_dir_all(&folder).unwrap();
        for name in ["50proxy", "60more.conf", "70old.dpkg-old", "../apt.conf"] {
            fs::write(folder.join(name), "Acquire::http::Proxy \"h\";").unwrap();
        }
        let about: Vec<String> = apt(root.path()).into_iter().map(|finding| finding.about).collect();
        assert_eq!(about, ["/etc/apt/apt.conf.d/50proxy", "/etc/apt/apt.conf.d/60more.conf", "/etc/apt/apt.conf"]);
    }
}
