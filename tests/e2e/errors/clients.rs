//! The clients, and the columns of their tables.

use crate::curl;

/// A table: its title, whether `optimistic = true`, who connects, and in which ways.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) optimistic: bool,
    pub(crate) client: Client,
    pub(crate) columns: &'static [Column],
}

/// A column: its title, how the client runs, and which of the client's ways this is. Those that end with a 6 go to an
/// address of IPv6, the others to a name.
pub(crate) type Column = (&'static str, Setting, &'static str);

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
    /// With the library: connects that may wait ask the gateway in process, the others go by the relay.
    Preload,
    /// Without it, in the cage.
    Caged,
    /// With the library and the configuration that is shipped.
    Shipped,
}

use Setting::{Caged, Preload, Shipped};

/// All of them, in the order of `truth.md`.
pub(crate) const TABLES: [&Table; 6] = [&C, &C_OPTIMISTIC, &PYTHON, &PYTHON_OPTIMISTIC, &CURL, &CURL_OPTIMISTIC];

pub(crate) const C: Table = Table {
    title: "A C program",
    optimistic: false,
    client: Client::C,
    columns: &[
        ("blocking: connect", Preload, "connect"),
        ("relay: poll", Preload, "poll"),
        ("relay: SO_ERROR", Preload, "error"),
        ("relay: connect again", Preload, "again"),
        ("relay: recv", Preload, "recv"),
        ("caged: connect", Caged, "connect"),
        ("caged: connect, IPv6", Caged, "connect6"),
        ("caged: poll", Caged, "poll"),
        ("caged: SO_ERROR", Caged, "error"),
        ("caged: connect again", Caged, "again"),
        ("caged: recv", Caged, "recv"),
    ],
};

/// Which call is the first to fail, and how; and what poll(2) and `SO_ERROR` say once one would fail.
pub(crate) const C_OPTIMISTIC: Table = Table {
    title: "A C program, optimistic",
    optimistic: true,
    client: Client::C,
    columns: &[
        ("blocking", Preload, "use"),
        ("relay", Preload, "begun-use"),
        ("relay: poll, SO_ERROR", Preload, "begun-error"),
        ("caged", Caged, "use"),
        ("caged, non-blocking", Caged, "begun-use"),
        ("caged: poll, SO_ERROR", Caged, "begun-error"),
    ],
};

pub(crate) const PYTHON: Table = Table {
    title: "CPython",
    optimistic: false,
    client: Client::Python,
    columns: &[
        ("blocking", Preload, "blocking"),
        ("relay: timeout", Preload, "timeout"),
        ("relay: asyncio", Preload, "asyncio"),
        ("caged", Caged, "blocking"),
        ("caged: timeout", Caged, "timeout"),
        ("caged: asyncio", Caged, "asyncio"),
    ],
};

pub(crate) const PYTHON_OPTIMISTIC: Table =
    Table { title: "CPython, optimistic", optimistic: true, client: Client::Python, columns: PYTHON.columns };

pub(crate) const CURL: Table = Table {
    title: "curl",
    optimistic: false,
    client: Client::Curl,
    columns: &[("relay", Preload, ""), ("caged", Caged, ""), ("as shipped (all_proxy)", Shipped, "")],
};

/// As shipped it asks the gateway itself, and knows no optimism.
pub(crate) const CURL_OPTIMISTIC: Table = Table {
    title: "curl, optimistic",
    optimistic: true,
    client: Client::Curl,
    columns: &[("relay", Preload, ""), ("caged", Caged, "")],
};

/// What a client says of one connect: way, target, result.
pub(crate) type Said<'a> = (&'a str, &'a str, String);

impl Client {
    /// The words of a command line that connects to these targets, each in some way. `folder` has the programs.
    pub(crate) fn command(self, setting: Setting, folder: &str, pairs: &[(&str, &str)]) -> Vec<String> {
        let flat = || pairs.iter().flat_map(|(way, target)| [*way, *target]).map(str::to_owned);
        let words: Vec<String> = match self {
            Self::C if setting == Caged => vec![format!("{folder}/static")],
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
    if setting == Caged { [vec![format!("{folder}/static"), "run".to_owned()], words].concat() } else { words }
}
