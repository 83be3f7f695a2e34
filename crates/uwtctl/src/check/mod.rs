//! `uwtctl check`: what gets out without uwt, and whether uwt isolates.

mod finding;
mod isolation;
mod listener;
mod probe;
mod through;
mod transparent;
mod unwrapped;

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use anyhow::Context as _;
use uwt_cli::ctl::{CheckName, CheckOptions};
use uwt_config::{GatewayChoice, Probe, Settings, Surroundings, detect};
use uwt_policy::HostVerdict;
use uwt_session::VARIABLE;

use crate::answer::{Shown, Status};
use crate::configuration;
use crate::control::Control;
use crate::page::{one_line, printable, wrapped};
use finding::{Checks, Finding};
use probe::Target;
pub(crate) use through::MARK;
use through::SocksPort;
use transparent::Setting;
use unwrapped::Lookup;

/// The checks, in the order in which they are made.
const ALL: [CheckName; 4] =
    [CheckName::TransparentDns, CheckName::TransparentTcp, CheckName::TransparentProxy, CheckName::Isolation];
/// Where the processes of `isolation` connect to, unless `--address` names a port.
const HTTPS: u16 = 443;

/// Makes the checks that were asked for.
///
/// # Errors
/// They would be meaningless where we are; or something is missing that they need.
pub(crate) fn run(options: &CheckOptions, shown: Shown) -> anyhow::Result<Status> {
    if probe::serve() {
        return Ok(Status::Good);
    }
    anyhow::ensure!(
        std::env::var_os(VARIABLE).is_none(),
        "this runs under uwt, where nothing is sent unwrapped: run `uwtctl check` without uwt ({VARIABLE} is set)"
    );
    let address = match &options.address {
        Some(text) => {
            Some(transparent::address(text).with_context(|| format!("--address {text}: expected IP, or IP:PORT"))?)
        }
        None => None,
    };
    // What is looked up on this machine proves nothing.
    anyhow::ensure!(
        matches!(uwt_policy::host(options.host.as_bytes(), b""), HostVerdict::Remote(_)),
        "--host {}: expected the name of a host on the internet; an address goes with --address",
        one_line(&options.host)
    );
    let check = Check::of(options, address)?;
    let is_wanted = |name: &CheckName| options.checks.contains(name) || options.checks.contains(&CheckName::All);
    let names: Vec<CheckName> = ALL.into_iter().filter(is_wanted).collect();
    shown.print(&Checks { checks: check.all(&names)? })
}

/// What holds for all checks.
struct Check<'a> {
    options: &'a CheckOptions,
    setting: Setting<'a>,
    /// Why nothing unwrapped is sent here.
    unprotected: Option<String>,
    patience: Duration,
}

impl<'a> Check<'a> {
    fn of(options: &'a CheckOptions, address: Option<SocketAddr>) -> anyhow::Result<Self> {
        let settings = configuration::load()?.config.global();
        let found = Place::of(&settings)?;
        let patience = Duration::from_secs(options.timeout.into());
        let socks = SocksPort { address: SocketAddrV4::new(found.gateway, settings.port.value), patience };
        let setting = Setting { behind_tor: found.behind_tor, socks, host: &options.host, address };
        let unprotected = (!found.behind_tor && !options.send_unprotected).then_some(found.reason);
        Ok(Self { options, setting, unprotected, patience })
    }

    fn all(&self, names: &[CheckName]) -> anyhow::Result<Vec<Finding>> {
        // First, so that nothing is sent where the control port that was named is of no use.
        let mut control = if names.contains(&CheckName::Isolation) { Some(self.control()?) } else { None };
        let mut lookups: Option<Vec<Lookup>> = None;
        let mut findings = Vec::new();
        for name in names {
            if let Some(control) = control.take_if(|_| *name == CheckName::Isolation) {
                findings.push(self.isolation(control)?);
                continue;
            }
            if let Some(why) = &self.unprotected {
                findings.push(transparent::unprotected(word(*name), why));
                continue;
            }
            if *name == CheckName::TransparentTcp {
                findings.push(self.tcp());
                continue;
            }
            let lookups = match &mut lookups {
                Some(lookups) => lookups,
                none => none.insert(self.look_up()?),
            };
            findings.push(match name {
                CheckName::TransparentDns => transparent::dns(&self.setting, lookups),
                _ => transparent::proxy(&self.setting, lookups, self.patience),
            });
        }
        Ok(findings)
    }

    fn look_up(&self) -> anyhow::Result<Vec<Lookup>> {
        let servers: Vec<IpAddr> = unwrapped::servers()?;
        let shown: Vec<String> = servers.iter().map(ToString::to_string).collect();
        self.warn(&format!("a lookup of {}, to {}", self.setting.host, shown.join(", ")));
        Ok(unwrapped::look_up(&servers, self.setting.host, self.patience))
    }

    fn tcp(&self) -> Finding {
        let to = self.setting.address.map_or_else(|| transparent::default_address(&self.setting), Ok);
        if let Ok(to) = to {
            self.warn(&format!("a TCP connection to {to}"));
        }
        transparent::tcp(&self.setting, to, self.patience)
    }

    /// The control port, or why it cannot be asked, which is an error only where it was named.
    fn control(&self) -> anyhow::Result<Result<Control, String>> {
        let options = &self.options.control;
        let opened = Control::open(options, *self.setting.socks.address.ip(), self.patience);
        match opened.and_then(isolation::ready) {
            Ok(control) => Ok(Ok(control)),
            Err(problem) if options.control.is_some() || options.password_file.is_some() => Err(problem.into()),
            Err(problem) => Ok(Err(problem.to_string())),
        }
    }

    fn isolation(&self, control: Result<Control, String>) -> anyhow::Result<Finding> {
        let target = match self.setting.address {
            Some(address) => Target { host: address.ip().to_string(), port: address.port() },
            None => Target { host: self.setting.host.to_owned(), port: HTTPS },
        };
        isolation::check(control, &target, self.patience)
    }

    /// Says what is sent, before it is.
    fn warn(&self, what: &str) {
        let text = printable(&format!("uwtctl: {}", transparent::warning(what, self.setting.behind_tor)));
        for line in wrapped(&text, "  ") {
            // Where nobody listens it is as the user wanted it.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// Where we are.
struct Place {
    gateway: Ipv4Addr,
    /// Whether what is not wrapped is known to go through Tor as well.
    behind_tor: bool,
    /// How that is known.
    reason: String,
}

impl Place {
    fn of(settings: &Settings) -> anyhow::Result<Self> {
        let detected = || -> anyhow::Result<Surroundings> { Ok(detect(&Probe::default())?) };
        let (behind_tor, reason) = match settings.transparent_proxy.value {
            Some(value) => (value, format!("transparent_proxy = {value} ({})", settings.transparent_proxy.origin)),
            None => detected().map(|found| (found.transparent, found.reason))?,
        };
        let gateway = match settings.gateway.value {
            GatewayChoice::Address(address) => address,
            GatewayChoice::Auto => detected()?.gateway,
        };
        Ok(Self { gateway, behind_tor, reason })
    }
}

fn word(name: CheckName) -> &'static str {
    match name {
        CheckName::TransparentDns => "transparent-dns",
        CheckName::TransparentTcp => "transparent-tcp",
        CheckName::TransparentProxy => "transparent-proxy",
        CheckName::Isolation => "isolation",
        CheckName::All => "all",
    }
}
