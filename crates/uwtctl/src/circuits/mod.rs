//! `uwtctl circuits`: which process uses which circuit, as Tor's control port tells it.

mod list;
mod show;
mod watch;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context as _;
use uwt_cli::ctl::{CircuitsOptions, ControlPortOptions};
use uwt_config::{GatewayChoice, Probe, detect};

use crate::answer::{Shown, Status};
use crate::configuration;
use crate::control::Control;
use crate::processes::Processes;
use list::{Circuits, Memory};

pub(crate) use list::label;

/// How long Tor may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows the circuits.
///
/// # Errors
/// The control port is of no use; the message says what to do.
pub(crate) fn run(options: &CircuitsOptions, shown: Shown) -> anyhow::Result<Status> {
    let mut control = open(&options.control)?;
    let mut memory = Memory::default();
    if options.watch {
        return watch::run(&mut control, &mut memory, shown);
    }
    shown.print(&take(&mut control, &mut memory)?)
}

/// The control port that the options name. Without one it is the gateway's, so that only then the configuration counts.
fn open(options: &ControlPortOptions) -> anyhow::Result<Control> {
    let gateway = if options.control.is_some() { Ipv4Addr::LOCALHOST } else { gateway()? };
    Ok(Control::open(options, gateway, PATIENCE)?)
}

fn gateway() -> anyhow::Result<Ipv4Addr> {
    match configuration::load()?.config.global().gateway.value {
        GatewayChoice::Address(address) => Ok(address),
        GatewayChoice::Auto => Ok(detect(&Probe::default())?.gateway),
    }
}

/// What there is now.
fn take(control: &mut Control, memory: &mut Memory) -> anyhow::Result<Circuits> {
    // Processes before and after: one that ends meanwhile is still known, and so is one that begins.
    let before = Processes::now().context("/proc")?;
    let isolating = control.isolates()?;
    let snapshot = control.snapshot()?;
    let after = Processes::now().context("/proc")?;
    let place = control.place().to_string();
    Ok(Circuits::of(place, control.version(), snapshot, isolating, &before, &after, memory))
}
