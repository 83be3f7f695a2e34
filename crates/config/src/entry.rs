//! Settings as a file would say them: for whoever shows them or writes them down.

use std::fmt;
use std::path::PathBuf;

use toml_writer::ToTomlValue;
use uwt_policy::{CredentialForm, DnsMode, Inbound, Scope};

use crate::{BindChoice, GatewayChoice, GuardChoice, Identity, Localhost, Native, Origin};

/// A key, its value and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key's name in a file.
    pub key: &'static str,
    /// What a file would have behind `key =`.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
}

impl fmt::Display for Entry {
    /// As the line of a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}

/// What [`Config::commands`](crate::Config::commands) knows of a command: what its own table, or tables, set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEntries {
    /// The name of the table: a bare name, or the absolute path of a program. The suffixes of a diverted program are off.
    pub command: String,
    /// What is set there, in the order of the documentation.
    pub entries: Vec<Entry>,
}

/// A value of the configuration; `Display` writes it in TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true`
    Boolean(bool),
    /// `9050`
    Number(u32),
    /// `"auto"`
    Text(String),
    /// `["/sbin/ldconfig"]`
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(&text.to_toml_value()),
            Self::List(texts) => {
                let texts: Vec<String> = texts.iter().map(ToTomlValue::to_toml_value).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}

/// The type of a setting.
pub(crate) trait Written {
    /// What a file says to get this value; `None` where it says so by not having the key.
    fn written(&self) -> Option<Value>;
}

impl Written for bool {
    fn written(&self) -> Option<Value> {
        Some(Value::Boolean(*self))
    }
}

impl Written for u16 {
    fn written(&self) -> Option<Value> {
        Some(Value::Number(u32::from(*self)))
    }
}

impl Written for u32 {
    fn written(&self) -> Option<Value> {
        Some(Value::Number(*self))
    }
}

impl Written for Vec<PathBuf> {
    fn written(&self) -> Option<Value> {
        Some(Value::List(self.iter().map(|path| path.to_string_lossy().into_owned()).collect()))
    }
}

impl Written for Option<Identity> {
    fn written(&self) -> Option<Value> {
        match self {
            Some(Identity::Name(name)) => Some(Value::Text(name.clone())),
            // Only torsocks is told a username and a password.
            Some(Identity::Pair(_)) | None => None,
        }
    }
}

const AUTO: &str = "auto";

impl Written for Option<bool> {
    fn written(&self) -> Option<Value> {
        self.map_or_else(|| Some(Value::Text(AUTO.to_owned())), |value| value.written())
    }
}

impl Written for Option<PathBuf> {
    fn written(&self) -> Option<Value> {
        Some(Value::Text(self.as_ref().map_or_else(|| AUTO.to_owned(), |path| path.to_string_lossy().into_owned())))
    }
}

macro_rules! displayed {
    ($($type:ty),*) => {
        $(impl Written for $type {
            fn written(&self) -> Option<Value> {
                Some(Value::Text(self.to_string()))
            }
        })*
    };
}

displayed!(GatewayChoice, Scope, CredentialForm, GuardChoice, DnsMode, Localhost, Inbound, BindChoice, Native);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::keys::KEYS;
    use crate::settings::Settings;
    use crate::source::{Contents, Source};
    use crate::{Config, toml_file};

    fn parse(text: &str) -> Contents {
        toml_file::parse(&Source::new(Path::new("/f"), text)).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn config(text: &str) -> Config {
        let mut config = Config::default();
        config.add(parse(text));
        config
    }

    fn lines(entries: &[Entry]) -> String {
        entries.iter().map(Entry::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_key_is_there_with_what_holds_without_a_file() {
        let entries = Settings::default().entries();
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key).collect();
        let documented = KEYS.iter().map(|key| key.name).filter(|name| *name != "identity");
        assert_eq!(keys, documented.collect::<Vec<_>>());
        assert!(entries.iter().all(|entry| entry.origin == Origin::BuiltIn));
        for line in ["port = 9050", "gateway = \"auto\"", "trusted = []", "preload = \"auto\""] {
            assert!(lines(&entries).lines().any(|it| it == line), "{line}");
        }
    }

    #[test]
    fn commands_have_what_their_tables_say_and_nothing_else() {
        let text = "port = 9100\n[command.git]\nidentity = \"work\"\n[command.\"/usr/bin/ssh.anondist\"]\nport = 9153\n\
            scope = \"process\"\n[command.wget]\n";
        let commands = config(text).commands();
        let shown: Vec<_> = commands.iter().map(|it| (it.command.as_str(), lines(&it.entries))).collect();
        let expected = [
            ("git", "scope = \"identity\"\nidentity = \"work\""),
            ("wget", ""),
            ("/usr/bin/ssh", "port = 9153\nscope = \"process\""),
        ];
        assert_eq!(shown, expected.map(|(command, lines)| (command, lines.to_owned())));
        let origin = Origin::File { path: "/f".into(), line: 3 };
        assert_eq!(commands[0].entries[1].origin, origin);
        assert_eq!(lines(&config(text).global().entries()), lines(&config("port = 9100").global().entries()));
    }

    /// Global values of every kind.
    fn file() -> impl Strategy<Value = String> {
        let lines = [
            "enabled = (true|false)",
            "gateway = \"(auto|10\\.137\\.0\\.7)\"",
            "port = [1-9][0-9]{0,3}",
            "(scope = \"(process|none|command)\"|identity = '[a-z\"\\\\é]{1,9}')",
            "transparent_proxy = (true|false|\"auto\")",
            "bind = '(none|workstation|interface:[a-z\"\\\\é]{1,7}|192\\.0\\.2\\.7)'",
            "max_nested = (0|[1-9][0-9]{0,4})",
            "trusted = \\[('/[a-z\"\\\\é]{1,9}', ){0,3}\\]",
            "preload = '(auto|/[a-z\"\\\\é]{1,9})'",
        ];
        lines.map(proptest::option::of).prop_map(|lines| lines.into_iter().flatten().map(|line| line + "\n").collect())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in file()) {
            let entries = parse(&text).global.entries();
            let again = parse(&lines(&entries)).global.entries();
            let values = |entries: &[Entry]| entries.iter().map(|it| (it.key, it.value.clone())).collect::<Vec<_>>();
            prop_assert_eq!(values(&again), values(&entries));
            let with_scope = entries.iter().filter(|it| it.key != "identity").count();
            prop_assert_eq!(with_scope, text.lines().count());
        }
    }
}
