//! What holds for every file, whatever is in it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uwt_policy::Scope;

use crate::error::Faults;
use crate::source::{Contents, Source};
use crate::{Config, Error, Identity, Origin, legacy, toml_file};

fn both(text: &str) -> [Result<Contents, Error>; 2] {
    let source = Source::new(Path::new("/f"), text);
    [toml_file::parse(&source), legacy::parse(&source)].map(|read| read.map_err(Faults::into_first))
}

/// Pieces of both grammars: their mixtures come much further than random letters.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "enabled",
        "gateway",
        "port",
        "scope",
        "guard",
        "identity",
        "native",
        "trusted",
        "command",
        "git",
        " = ",
        "=",
        "true",
        "false",
        "9050",
        "0",
        "-1",
        "1.5",
        "\"auto\"",
        "\"identity\"",
        "\"work\"",
        "\"process\"",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ".",
        ",",
        "\n",
        "\r\n",
        "#",
        " ",
        "\t",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\\",
        "\\u0000",
        "\"/usr/bin/git\"",
        "\"/sbin/ldconfig\"",
        "[command.git]\n",
        "[command.\"/usr/bin/git\"]\n",
        "uwtwrapper",
        "uwtwrapper_global",
        "uwtwrapper_max",
        "uwtport",
        "timeprivacy",
        "nested_protection() {",
        "true;",
        "}",
        ";",
        "$(",
        "`",
        "1979-05-27",
        "é",
        "\u{feff}",
        "\u{0}",
        "\u{202e}",
    ];
    vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn check_outcome(text: &str) -> Result<(), TestCaseError> {
    for outcome in both(text) {
        if let Err(fault) = outcome {
            let shown = fault.to_string();
            prop_assert_eq!(shown.lines().count(), 1, "{}", shown);
            prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
            let last = text.matches('\n').count() + 1;
            prop_assert!(fault.line().is_some_and(|line| (1..=last).contains(&line)), "{} in {} lines", shown, last);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused_with_one_line(text in any::<String>()) {
        check_outcome(&text)?;
    }

    #[test]
    fn any_mixture_of_what_is_known_is_read_or_refused_with_one_line(text in pieces()) {
        check_outcome(&text)?;
    }
}

/// A table of a file and the values that it sets.
#[derive(Clone, Debug)]
struct Table {
    name: Option<&'static str>,
    port: Option<u16>,
    dns: Option<&'static str>,
    isolation: Option<&'static str>,
}

const NAME: &str = "git";
const PATH: &str = "\"/usr/bin/git\"";

fn table(name: Option<&'static str>) -> impl Strategy<Value = Option<Table>> {
    let isolation =
        ["scope = \"process\"", "scope = \"none\"", "identity = \"work\"", "scope = \"identity\"\nidentity = \"play\""];
    let keys = (
        proptest::option::of(1u16..),
        proptest::option::of(select(vec!["names", "resolve"])),
        proptest::option::of(select(isolation.to_vec())),
    );
    proptest::option::of(keys.prop_map(move |(port, dns, isolation)| Table { name, port, dns, isolation }))
}

fn file() -> impl Strategy<Value = Vec<Table>> {
    (table(None), table(Some(NAME)), table(Some(PATH)), table(Some("wget")))
        .prop_map(|(global, name, path, other)| [global, name, path, other].into_iter().flatten().collect())
}

fn written(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        if let Some(name) = table.name {
            writeln!(text, "[command.{name}]").unwrap();
        }
        table.port.iter().for_each(|port| writeln!(text, "port = {port}").unwrap());
        table.dns.iter().for_each(|dns| writeln!(text, "dns = \"{dns}\"").unwrap());
        table.isolation.iter().for_each(|lines| writeln!(text, "{lines}").unwrap());
    }
    text
}

/// The last value of the strongest table, and its file.
fn strongest<T: Copy>(files: &[Vec<Table>], value: impl Fn(&Table) -> Option<T>) -> Option<(usize, T)> {
    [Some(PATH), Some(NAME), None].into_iter().find_map(|name| {
        let numbered =
            files.iter().enumerate().flat_map(|(number, tables)| tables.iter().map(move |table| (number, table)));
        let set = numbered.filter(|(_, table)| table.name == name);
        set.filter_map(|(number, table)| Some((number, value(table)?))).last()
    })
}

fn file_of(origin: &Origin) -> Option<usize> {
    match origin {
        Origin::File { path, .. } => path.to_str().and_then(|path| path.strip_prefix('/')?.parse().ok()),
        _ => None,
    }
}

proptest! {
    #[test]
    fn the_last_value_of_the_strongest_table_holds(files in vec(file(), 0..5)) {
        let mut config = Config::default();
        for (number, tables) in files.iter().enumerate() {
            let path = format!("/{number}");
            let text = written(tables);
            config.add(toml_file::parse(&Source::new(Path::new(&path), &text)).unwrap());
        }
        let settings = config.settings_for(Path::new("/usr/bin/git"), OsStr::new("git"));

        let port = strongest(&files, |table| table.port);
        prop_assert_eq!(settings.port.value, port.map_or(9050, |(_, port)| port));
        prop_assert_eq!(file_of(&settings.port.origin), port.map(|(file, _)| file));

        let dns = strongest(&files, |table| table.dns);
        prop_assert_eq!(settings.dns.value.as_str(), dns.map_or("names", |(_, dns)| dns));
        prop_assert_eq!(file_of(&settings.dns.origin), dns.map(|(file, _)| file));

        let isolation = strongest(&files, |table| table.isolation);
        let (scope, identity) = match isolation.map(|(_, lines)| lines) {
            None | Some("scope = \"process\"") => (Scope::Process, None),
            Some("scope = \"none\"") => (Scope::None, None),
            Some("identity = \"work\"") => (Scope::Identity, Some("work")),
            Some(_) => (Scope::Identity, Some("play")),
        };
        prop_assert_eq!(settings.scope.value, scope);
        prop_assert_eq!(settings.identity.value, identity.map(|name| Identity::Name(name.to_owned())));
        prop_assert_eq!(file_of(&settings.scope.origin), isolation.map(|(file, _)| file));
    }

    #[test]
    fn adding_a_file_twice_changes_nothing(tables in file()) {
        let text = written(&tables);
        let contents = toml_file::parse(&Source::new(Path::new("/f"), &text)).unwrap();
        let mut once = Config::default();
        once.add(contents.clone());
        let mut twice = once.clone();
        twice.add(contents);
        prop_assert_eq!(once, twice);
    }
}
