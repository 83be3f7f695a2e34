//! `uwtctl gateway`: the lines that belong on the gateway, whose files uwtctl never touches.

mod firewall;
mod target;
mod torrc;

use serde::Serialize;
use uwt_cli::ctl::{GatewayCommand, GatewayOptions};

pub(crate) use self::target::needed;
use self::target::{SocksPort, Target};
use crate::answer::{Answer, Shown, Status};
use crate::configuration;
use crate::page::{Page, wrapped};

/// The lines for a file.
#[derive(Debug, Serialize)]
struct Lines {
    kind: &'static str,
    /// The gateway's address.
    address: String,
    /// How that is known.
    reason: String,
    /// The file on the gateway.
    file: &'static str,
    no_transparent: bool,
    /// The SocksPorts that the lines are about.
    ports: Vec<SocksPort>,
    /// The file's text.
    text: String,
}

/// Does what the options say.
///
/// # Errors
/// The configuration cannot be read or the gateway not be told; a command's port can be no SocksPort there.
pub(crate) fn run(options: &GatewayOptions, shown: Shown) -> anyhow::Result<Status> {
    let config = configuration::load()?.config;
    let (file, lines) = match &options.command {
        GatewayCommand::Torrc(file) => (file, torrc::lines as fn(&Target, bool) -> _),
        GatewayCommand::Firewall(file) => (file, firewall::lines as fn(&Target, bool) -> _),
    };
    let target = Target::new(&config, file.kind)?;
    let File { path, ports, text } = lines(&target, file.no_transparent);
    shown.print(&Lines {
        kind: target.word(),
        address: target.address.to_string(),
        reason: target.reason,
        file: path,
        no_transparent: file.no_transparent,
        ports,
        text,
    })
}

/// A file on the gateway.
struct File {
    path: &'static str,
    ports: Vec<SocksPort>,
    text: String,
}

impl Answer for Lines {
    fn write(&self, page: &mut Page) {
        page.verbatim(&self.text);
    }

    fn status(&self) -> Status {
        Status::Good
    }
}

/// Lines that begin with `# `, at most as wide as the page.
fn comment(text: &str) -> String {
    wrapped(&format!("# {text}"), "# ").join("\n") + "\n"
}
