//! The manual says what is true.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use uwt_config::{Config, Error, Settings, Sources, Torsocks};

const PAGE: &str = include_str!("../../texts/man/uwt.d.5.md");
const TORSOCKS: &str = include_str!("../../texts/man/uwt-torsocks.1.md");

fn try_load(name: &str, text: &str) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    Config::load(&Sources { folders: vec![folder.path().to_owned()] })
}

fn load(name: &str, text: &str) -> Config {
    try_load(name, text).unwrap_or_else(|fault| panic!("{fault}"))
}

/// The keys that may stand below `table`: the message about a key that does not exist lists them.
fn keys(table: &str) -> Vec<String> {
    let fault = try_load("a.toml", &format!("{table}banana = 1")).unwrap_err().to_string();
    let (_, keys) = fault.split_once("; expected ").unwrap();
    keys.replace(" or ", ", ").split(", ").map(str::to_owned).collect()
}

/// What the settings are, whoever said so.
fn values(settings: &Settings) -> String {
    let text = format!("{settings:?}");
    let parts = text.split("origin: ").enumerate();
    let values = parts.map(|(index, part)| if index == 0 { part } else { part.split_once(" }").unwrap().1 });
    values.collect::<String>().replace(" }", "")
}

/// The descriptions of the keys: the lines of the term and of what is said about it.
fn described() -> Vec<(&'static str, String)> {
    let (_, section) = PAGE.split_once("\n# KEYS\n").unwrap();
    let (section, _) = section.split_once("\n# ").unwrap();
    let items = section.split("\n\n").filter_map(|item| item.strip_prefix('`')?.split_once("` = "));
    items.map(|(key, rest)| (key, rest.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// The code blocks of a language.
fn examples(language: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn every_key_is_described_once_and_no_other() {
    let mut real = [keys(""), keys("[command.x]\n")].concat();
    real.sort();
    real.dedup();
    let mut shown: Vec<_> = described().into_iter().map(|(key, _)| key).collect();
    shown.sort_unstable();
    assert_eq!(shown, real);
}

#[test]
fn where_a_key_may_stand_is_said() {
    let (general, table) = (keys(""), keys("[command.x]\n"));
    for (key, text) in described() {
        let stands_in = |keys: &[String]| keys.iter().any(|known| known == key);
        assert_eq!(text.contains("Not in a table."), !stands_in(&table), "{key}: {text}");
        assert_eq!(text.contains("Only in a table."), !stands_in(&general), "{key}: {text}");
    }
}

#[test]
fn every_default_is_the_built_in_one() {
    let (mut general, mut table) = (String::new(), String::from("[command.wget]\n"));
    for (key, text) in described() {
        let Some((_, default)) = text.rsplit_once("Default: `") else {
            assert_eq!(key, "identity", "{text}");
            assert!(text.contains("By default there is none."), "{text}");
            continue;
        };
        let line = format!("{key} = {}\n", default.strip_suffix("`.").unwrap());
        if text.contains("Only in a table.") { &mut table } else { &mut general }.push_str(&line);
    }
    let settings = load("a.toml", &(general + &table)).settings_for(Path::new("/usr/bin/wget"), OsStr::new("wget"));
    assert_eq!(values(&settings), values(&Settings::default()));
    // That all were read: the scope sets the identity as well.
    assert_eq!(format!("{settings:?}").matches("a.toml").count(), described().len());
}

#[test]
fn the_examples_are_accepted() {
    let toml = examples("toml");
    assert_eq!(toml.len(), 4, "{toml:#?}");
    for example in toml {
        load("a.toml", example);
    }
    let [legacy] = examples("conf")[..] else { panic!("one example of legacy files") };
    let old = load("a.conf", legacy);
    let git = old.settings_for(Path::new("/usr/bin/git"), OsStr::new("git"));
    assert_eq!((git.enabled.value, git.max_nested.value), (false, 0));
    let apt = old.settings_for(Path::new("/usr/bin/apt-get"), OsStr::new("apt-get"));
    assert_eq!((apt.enabled.value, apt.port.value), (true, 9104));
}

#[test]
fn every_directive_of_torsocks_conf_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("torsocks.conf");
    fs::write(&file, "Banana 1").unwrap();
    // The message about a directive that does not exist lists those that do.
    let fault = Torsocks::of_file(&file).unwrap_err().to_string();
    let (_, directives) = fault.split_once("; expected ").unwrap();
    let (_, files) = TORSOCKS.split_once("\n# FILES\n").unwrap();
    for directive in directives.replace(" or ", ", ").split(", ") {
        assert!(files.contains(&format!("`{directive}`")), "{directive}");
    }
}
