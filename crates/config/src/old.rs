//! Old files in today's words: what a legacy `*.conf` of uwt.d or a torsocks.conf sets, for whoever writes it down anew.

use std::fmt;
use std::path::Path;

use crate::entry::{CommandEntries, Entry};
use crate::error::{Error, Faults, Invalid, one_line};
use crate::origin::Origin;
use crate::source::{Contents, Source};
use crate::torsocks::file::{self, Line};
use crate::{Config, Torsocks, folder, legacy};

/// Whose words a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKind {
    /// A `*.conf` of uwt.d.
    Uwt,
    /// torsocks.conf(5).
    Torsocks,
}

impl fmt::Display for OldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uwt => "an old uwt.d file",
            Self::Torsocks => "a torsocks.conf",
        })
    }
}

/// What an old file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Whose words it is in.
    pub kind: OldKind,
    /// What it sets for every command.
    pub global: Vec<Entry>,
    /// What it sets for single ones.
    pub commands: Vec<CommandEntries>,
    /// What it says without setting anything, each line of it in one line here.
    pub remarks: Vec<String>,
}

impl Old {
    /// Reads a file. Whose words it is in is told by the first line whose word is known.
    ///
    /// # Errors
    /// It cannot be read, no line is known, or one is not understood or has no meaning in uwt.d; all of these lines.
    pub fn of_file(path: &Path) -> Result<Self, Faults> {
        let text = folder::read(path)?;
        let source = Source::new(path, &text);
        match kind(&text).map_err(|invalid| Error::new(path, None, invalid))? {
            OldKind::Uwt => of_uwt(&source),
            OldKind::Torsocks => of_torsocks(&source),
        }
    }

    fn new(kind: OldKind, contents: Contents, remarks: Vec<String>) -> Self {
        let mut config = Config::default();
        config.add(contents);
        Self { kind, global: config.set_globally(), commands: config.commands(), remarks }
    }
}

fn kind(text: &str) -> Result<OldKind, Invalid> {
    let expected = "a line as uwtwrapper_global=\"1\" (old uwt.d files) or TorPort 9050 (torsocks.conf)";
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines().next().is_none() {
        return Err(Invalid::new("sets nothing", expected));
    }
    let known = lines().find_map(|line| {
        let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(line.len());
        let word = line.get(..end)?;
        let is_directive = file::directives().any(|directive| directive == word);
        let of_uwt = legacy::VARIABLES.contains(&word).then_some(OldKind::Uwt);
        of_uwt.or(is_directive.then_some(OldKind::Torsocks))
    });
    known.ok_or_else(|| Invalid::new("is neither an old uwt.d file nor a torsocks.conf", expected))
}

fn of_uwt(source: &Source<'_>) -> Result<Old, Faults> {
    let mut said = Vec::new();
    for legacy::Statement { command, layer } in legacy::statements(source)? {
        let command = command.map(|command| command.to_string());
        let lines = layer.entries().into_iter().filter_map(|entry| Some((entry.key, line(&entry.origin)?)));
        said.extend(lines.map(|(key, line)| ((command.clone(), key), line)));
    }
    Ok(Old::new(OldKind::Uwt, legacy::parse(source)?, replaced(source, &said)))
}

fn of_torsocks(source: &Source<'_>) -> Result<Old, Faults> {
    let mut all = Torsocks::default();
    let mut said = Vec::new();
    let mut refused = Vec::new();
    for Line { directive, number, said: one } in file::lines(source)? {
        said.push((directive, number));
        if UNWRITABLE.contains(&directive) {
            let expected = "the line left out; identity = \"NAME\" is how uwt.d gives a credential that stays";
            let invalid = Invalid::new(format!("{directive} cannot be set in uwt.d"), expected);
            refused.push(Error::new(source.path, Some(number), invalid));
        }
        all.overlay(one);
    }
    Faults::unless_none((), refused)?;
    let layer = all.layer().map_err(|invalid| Error::new(source.path, None, invalid))?;
    let contents = Contents { global: layer, ..Contents::default() };
    let remarks = [all.remarks(), replaced(source, &said)].concat();
    Ok(Old::new(OldKind::Torsocks, contents, remarks))
}

/// uwt.d has no words for a credential.
const UNWRITABLE: &[&str] = &["SOCKS5Username", "SOCKS5Password"];

fn line(origin: &Origin) -> Option<usize> {
    match origin {
        Origin::File { line, .. } => Some(*line),
        _ => None,
    }
}

/// Says which lines mean nothing because a later one is about the same. `said`: what about, and the line.
fn replaced<T: PartialEq>(source: &Source<'_>, said: &[(T, usize)]) -> Vec<String> {
    let each = said.iter().enumerate().filter_map(|(place, (what, line))| {
        let last = said.iter().skip(place + 1).rfind(|(other, _)| other == what)?.1;
        Some(format!("{}:{line}: line {last} says it anew", one_line(source.path)))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Old, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old");
        fs::write(&path, text).unwrap();
        let folder = format!("{}/", folder.path().display());
        Old::of_file(&path)
            .map_err(|faults| faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect())
    }

    fn lines(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{entry} # {}", line(&entry.origin).unwrap())).collect()
    }

    #[test]
    fn an_old_file_of_uwt() {
        let text = "# mine\nuwtwrapper_global=0\nnested_protection() {\ntrue\n}\nuwtwrapper[\"/usr/bin/git\"]=\"1\"\n\
            uwtport[\"/usr/bin/git\"]=9104\nuwtwrapper_global=\"1\"\n";
        let old = read(text).unwrap();
        assert_eq!(old.kind, OldKind::Uwt);
        assert_eq!(lines(&old.global), ["enabled = true # 8", "max_nested = 0 # 3"]);
        assert_eq!(old.commands.len(), 1);
        assert_eq!(old.commands[0].command, "/usr/bin/git");
        assert_eq!(lines(&old.commands[0].entries), ["enabled = true # 6", "port = 9104 # 7"]);
        assert_eq!(old.remarks.len(), 1);
        assert!(old.remarks[0].ends_with("old:2: line 8 says it anew"), "{:?}", old.remarks);
    }

    #[test]
    fn a_torsocks_conf() {
        let text = "TorAddress 127.0.0.1\nTorPort 9051\nOnionAddrRange 127.42.42.0/24\nAllowInbound 1\n\
            AllowOutboundLocalhost 1\nIsolatePID 1\nTorPort 9050\n";
        let old = read(text).unwrap();
        assert_eq!(old.kind, OldKind::Torsocks);
        let expected = [
            "gateway = \"127.0.0.1\" # 1",
            "port = 9050 # 7",
            "scope = \"process\" # 6",
            "allow_loopback = true # 5",
            "inbound = \"allow\" # 4",
        ];
        assert_eq!(lines(&old.global), expected);
        assert_eq!(old.remarks.len(), 3, "{:?}", old.remarks);
        assert!(old.remarks.iter().any(|remark| remark.starts_with("OnionAddrRange")), "{:?}", old.remarks);
    }

    #[test]
    fn what_has_no_meaning_is_refused_with_every_line() {
        let credential = "SOCKS5Username a\nTorPort 9050\nSOCKS5Password secret\n";
        for (text, expected) in [
            (credential, ["old:1: SOCKS5Username cannot be set", "old:3: SOCKS5Password cannot be set"].as_slice()),
            ("TorPort 0\nTorProt 1\n", &["old:1: TorPort: '0' is no port", "old:2: unknown directive 'TorProt'"]),
            ("TorPort 1\nuwtwrapper_global=1\n", &["old:2: unknown directive"]),
            ("uwtwrapper_max=1\nid\n$(id)\n", &["old:2: 'id' is not", "old:3: '$(id)' is not"]),
            ("# nothing\n\n", &["old: sets nothing"]),
            ("port = 9050\n", &["old: is neither"]),
        ] {
            let faults = read(text).unwrap_err();
            assert_eq!(faults.len(), expected.len(), "{faults:?}");
            for (fault, expected) in faults.iter().zip(expected) {
                assert!(fault.starts_with(expected) && !fault.contains("secret"), "{fault}");
            }
        }
    }
}
