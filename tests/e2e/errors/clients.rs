//! The clients, and the columns of their tables.

use crate::curl;

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    C,
    Python,
    Curl,
}

/// How a client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// With the preload library: the gateway is asked in process.
    Preload,
    /// Without the library, in the cage.
    Caged,
    /// The same with `optimistic = true`.
    CagedOptimistic,
    /// With the configuration that is shipped.
    Shipped,
}

impl Setting {
    pub(crate) fn is_caged(self) -> bool {
        matches!(self, Self::Caged | Self::CagedOptimistic)
    }

    pub(crate) fn is_optimistic(self) -> bool {
        self == Self::CagedOptimistic
    }
}

/// A column of a client's table: its title, how the client runs, and which of its ways this is.
pub(crate) type Column = (&'static str, Setting, &'static str);

/// What a client says of one connect: way, target, result.
pub(crate) type Said<'a> = (&'a str, &'a str, String);

const C: &[Column] = &[
    ("blocking: connect", Setting::Preload, "connect"),
    ("caged: connect", Setting::Caged, "connect"),
    ("caged: connect, IPv6", Setting::Caged, "connect6"),
    ("caged: poll", Setting::Caged, "poll"),
    ("caged: SO_ERROR", Setting::Caged, "error"),
    ("caged: connect again", Setting::Caged, "again"),
    ("caged: recv", Setting::Caged, "recv"),
    ("caged, optimistic: first failure", Setting::CagedOptimistic, "use"),
    ("the same, non-blocking", Setting::CagedOptimistic, "begun-use"),
    ("the same, poll and SO_ERROR", Setting::CagedOptimistic, "begun-error"),
];

const PYTHON: &[Column] = &[
    ("socket", Setting::Preload, "blocking"),
    ("caged: socket", Setting::Caged, "blocking"),
    ("caged: socket, timeout", Setting::Caged, "timeout"),
    ("caged: asyncio", Setting::Caged, "asyncio"),
    ("caged, optimistic: socket", Setting::CagedOptimistic, "blocking"),
    ("caged, optimistic: asyncio", Setting::CagedOptimistic, "asyncio"),
];

const CURL: &[Column] = &[
    ("as shipped (all_proxy)", Setting::Shipped, ""),
    ("caged", Setting::Caged, ""),
    ("caged, optimistic", Setting::CagedOptimistic, ""),
];

impl Client {
    /// What its table is headed by.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::C => "A C program",
            Self::Python => "CPython",
            Self::Curl => "curl",
        }
    }

    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::C => C,
            Self::Python => PYTHON,
            Self::Curl => CURL,
        }
    }

    /// The words of a command line that connects to these targets, each in some way. `folder` has the programs.
    pub(crate) fn command(self, setting: Setting, folder: &str, pairs: &[(&str, &str)]) -> Vec<String> {
        let flat = || pairs.iter().flat_map(|(way, target)| [*way, *target]).map(str::to_owned);
        let words: Vec<String> = match self {
            Self::C if setting.is_caged() => vec![format!("{folder}/static")],
            Self::C => vec![format!("{folder}/dynamic")],
            Self::Python => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/errors/client.py");
                vec!["/usr/bin/python3".to_owned(), script.to_owned()]
            }
            Self::Curl => return caged(setting, folder, curl::command(pairs)),
        };
        let words = words.into_iter().chain(flat()).collect();
        if self == Self::C { words } else { caged(setting, folder, words) }
    }

    /// Reads its standard output.
    pub(crate) fn read(self, output: &str) -> Vec<Said<'_>> {
        if self == Self::Curl {
            return curl::read(output);
        }
        let lines = output.lines().filter_map(|line| {
            let (way, rest) = line.split_once(' ')?;
            let (target, result) = rest.split_once(' ')?;
            Some((way, target, result.to_owned()))
        });
        lines.collect()
    }
}

/// A dynamic program that does without the library: executed by a static one, with nothing in its environment.
fn caged(setting: Setting, folder: &str, words: Vec<String>) -> Vec<String> {
    if setting.is_caged() { [vec![format!("{folder}/static"), "run".to_owned()], words].concat() } else { words }
}
